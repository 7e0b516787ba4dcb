"""Schemathesis, which makes requests of all kinds from /openapi.json, finds nothing.

`schemathesis.toml` says which of its checks are left out, and why.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside
from tests.polling import wait_until
from tests.shell import Shell

HERE = Path(__file__).parent
MOST_S = 600
EXAMPLES = "25"  # of each kind, for each path
KEY = "a-key-of-32-characters-0123456789"
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


@pytest.fixture(scope="module", params=["2", "3", "keys"])
def front(request: pytest.FixtureRequest, shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("upper.py", UPPER)
    keys = shared_shell.write("keys", f"{KEY}\n")
    keys.chmod(0o600)
    has_keys = request.param == "keys"
    settings = {"api_key_file": str(keys)} if has_keys else {"api": int(request.param)}
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, **settings) as found:
            path, known = "/openapi.json", {"Authorization": f"Bearer {KEY}"}
            wait_until(lambda: found.ask("GET", path, headers=known).status == 200, PATIENCE_S)
            yield found


def test_it_finds_nothing(front: FrontProcess, shared_shell: Shell) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", HERE / "schemathesis.toml", "run"),
            f"http://127.0.0.1:{front.port}/openapi.json",
            *("--max-examples", EXAMPLES, "--no-color"),
            *("--header", f"Authorization: Bearer {KEY}"),
        ],
        capture_output=True,
        text=True,
        timeout=MOST_S,
        check=False,
        cwd=shared_shell.folder,
        env={**shared_shell.environment, "SCHEMATHESIS_HOOKS": "serializers", "PYTHONPATH": HERE},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.splitlines()[-1])
