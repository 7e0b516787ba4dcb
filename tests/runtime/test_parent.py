"""A process that is tied to its parent does not outlive it, whatever it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.polling import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own signal")

CHILD = (
    "import os, signal, sys\n"
    "from jina.runtime.parent import die_with_parent\n"
    "die_with_parent(int(sys.argv[1]), signal.SIGKILL)\n"
    "print(os.getpid(), flush=True)\n"
)
# Within one call of a compiled function that holds the interpreter.
BUSY = "import re; re.match('(a+)+$', 'a' * 64 + 'b')\n"
WAITING = "import time; time.sleep(1000)\n"

PARENT = (
    "import os, subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid())],\n"
    "                         start_new_session=True)\n"
    "child.wait()\n"
)


def is_gone(pid: int) -> bool:
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


@pytest.mark.parametrize("work", [WAITING, BUSY])
def test_a_killed_parent_takes_its_child_along(work: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD + work], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
        wait_until(lambda: is_gone(pid), what="the child ends")


def test_a_parent_that_is_gone_before_the_child_asks_is_noticed() -> None:
    run = subprocess.run(
        [sys.executable, "-c", CHILD, "1"], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
