"""`jina` as the first process of a container reaps, passes signals on, and ends with its child.

Skipped where no namespace can be made, which takes root and a kernel that allows it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell import JINA, WAIT_S

_UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
_PROGRAM = """\
import os, signal, subprocess, sys, time
from pathlib import Path
from jinacli import first_process

assert first_process.is_first()
first_process.stay_as_init()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
subprocess.run(["sh", "-c", "true & true & true & exit"], check=True)

def states():
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield file.read_text().rpartition(")")[2].split()[0]
        except OSError:
            pass

while "Z" in states():
    time.sleep(0.01)
print("reaped", flush=True)
while True:
    signal.pause()
"""


def _is_possible() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    sys.platform != "linux" or not _is_possible(), reason="no namespaces can be made here"
)


@needs_namespaces
def test_it_reaps_what_others_leave_behind_and_passes_signals_on() -> None:
    words = [*_UNSHARE, sys.executable, "-c", _PROGRAM]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reaped\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        (first,) = map(int, children.read_text().split())
        os.kill(first, signal.SIGTERM)
        assert process.wait(WAIT_S) == 7


@needs_namespaces
def test_commands_end_as_they_do_elsewhere(tmp_path: Path) -> None:
    for words, code in ((["--version"], 0), (["flow", "check", "no.yml"], 2)):
        done = subprocess.run(
            [*_UNSHARE, JINA, *words], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
