"""The clean room sees what a test leaves; otherwise it would prove nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]

# Each is there, and no longer about to become another program, once `head` has its line.
LASTS = 'sh -c "echo; sleep 9; :"'

LEAVES_A = {
    "thread": "threading.Thread(target=time.sleep, args=[9], daemon=True).start()",
    "child": "kept.append(subprocess.Popen(['sleep', '9']))",
    "socket": "kept.append(socket.socket())",
    "pipe": "kept.append(os.pipe())",
    "run directory": "kept.append(rundir.claim('flow', '', ''))",
    "process": (
        "rundir.base_directories()[0].mkdir();"
        f"subprocess.run(['sh', '-c', '({LASTS} &) | head -1'])"
    ),
    "daemon": f"subprocess.run(['sh', '-c', '(setsid {LASTS} &) | head -1'])",
    "context": "kept.append(zmq.Context())",
    "file x": "pathlib.Path('x').touch()",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest says about a test for each, and about one that leaves nothing."""
    folder = tmp_path_factory.mktemp("leaves")
    (folder / "pytest.ini").write_text("[pytest]\n")
    tests = "".join(
        f"def test_{n}(runtime_dir):\n    {deed}\n"
        for n, deed in enumerate([*LEAVES_A.values(), "pass"])
    )
    # Kept in a list: what nobody holds any more, Python itself cleans up.
    (folder / "test_leaves.py").write_text(
        "import os, pathlib, socket, subprocess, threading, time, zmq\n"
        f"from jina.launch import rundir\nkept = []\n{tests}"
    )
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(folder / "pytest.ini")]
    report = folder / "report.xml"
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", str(folder)],
        cwd=ROOT,
        env={**os.environ, "JINA_TEST_PATIENCE_S": "0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    found: dict[str, str] = {}
    names = {f"test_{n}": what for n, what in enumerate([*LEAVES_A, "nothing"])}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        what = names[case.get("name", "")]
        found[what] = found.get(what, "") + "".join(
            each.text or "" for each in (*case.iter("error"), *case.iter("failure"))
        )
    return found


@pytest.mark.parametrize("what", [*LEAVES_A, "nothing"])
def test_what_a_test_leaves_makes_it_fail(told: dict[str, str], what: str) -> None:
    if what == "nothing":
        assert not told[what]
    else:
        assert f"AssertionError: this test left: ['{what}" in told[what]
