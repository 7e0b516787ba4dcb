"""The clean room sees what a test leaves; otherwise it would prove nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("what", [*LEAVES_A, "nothing"])
def test_what_a_test_leaves_makes_it_fail(tmp_path: Path, what: str) -> None:
    file = tmp_path / "test_leaves.py"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    # Kept in a list: what nobody holds any more, Python itself cleans up.
    file.write_text(
        "import os, pathlib, socket, subprocess, threading, time, zmq\n"
        "from jina.launch import rundir\n"
        "kept = []\n"
        f"def test_leaves(runtime_dir):\n    {LEAVES_A.get(what, 'pass')}\n"
    )
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(tmp_path / "pytest.ini")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=ROOT,
        env={**os.environ, "JINA_TEST_PATIENCE_S": "0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if what == "nothing":
        assert run.returncode == 0, run.stdout + run.stderr
    else:
        assert run.returncode == 1, run.stdout + run.stderr
        assert f"AssertionError: this test left: ['{what}" in run.stdout
