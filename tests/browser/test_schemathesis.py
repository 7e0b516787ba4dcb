"""Schemathesis, which makes requests of all kinds from /openapi.json, finds nothing.

One of its checks is left out, of what no schema can say: a regular expression may match no
Executor, and the keys of a Document may contradict each other (`positive_data_acceptance`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside, is_answered
from tests.polling import wait_until
from tests.shell import Shell

HERE = Path(__file__).parent
MOST_S = 600
EXAMPLES = "50"  # of each kind, for each path
LEFT_OUT = "positive_data_acceptance"
UPPER = '''\
from jina import Executor, requests


class Upper(Executor):
    @requests(on=["/search", "/upper"])
    def upper(self, docs, **kwargs):
        """Make texts upper case."""
        for doc in docs or ():
            if doc.text:
                doc.text = doc.text.upper()
'''
FLOW = """\
jtype: Flow
executors:
  - {name: upper, uses: Upper, py_modules: upper.py}
"""


@pytest.fixture(scope="module", params=[2, 3])
def front(request: pytest.FixtureRequest, shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("upper.py", UPPER)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, api=request.param) as found:
            assert is_answered(found, "/upper", {"data": [{"text": "a"}]})
            wait_until(lambda: found.ask("GET", "/openapi.json").status == 200, PATIENCE_S)
            yield found


def test_it_finds_nothing(front: FrontProcess, shared_shell: Shell) -> None:
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("schemathesis")), "run"),
            f"http://127.0.0.1:{front.port}/openapi.json",
            *("--max-examples", EXAMPLES, "--exclude-checks", LEFT_OUT, "--no-color"),
        ],
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        cwd=shared_shell.folder,
        env={**shared_shell.environment, "SCHEMATHESIS_HOOKS": "serializers", "PYTHONPATH": HERE},
    )
    assert done.returncode == 0, done.stdout + done.stderr
