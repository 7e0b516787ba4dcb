"""User code that ends the process that runs it: another process is left to say so.

Modules may call `os._exit`, crash, or be killed for their memory while they are imported. No
exception is raised then, and the exit code may be 0.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
from collections.abc import Callable
from typing import TypeAlias

from jina.launch.ending import ending
from jina.runtime.parent import die_with_parent
from jinacli import exits
from jinacli.screens.errors import say

_MAX_NOTE_BYTES = 4096
_AWAITED = (signal.SIGINT, signal.SIGCHLD)
_FROM_A_PROCESS = 0  # SI_USER, in what the kernel says about a signal

Begin: TypeAlias = Callable[[str], None]


def watched(work: Callable[[Begin], int]) -> int:
    """Do something that runs the user's code, in a process that was forked for it.

    It returns in the new process alone; the old one waits for its end and ends likewise. On systems
    other than Linux nothing is forked.

    Args:
        work: returns the exit code; it tells its argument what it runs next.

    Returns:
        the exit code.
    """
    if sys.platform != "linux":
        return work(lambda what: None)
    note = mmap.mmap(-1, _MAX_NOTE_BYTES)  # shared, and there after a crash
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would not be told
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    old = os.getpid()
    pid = os.fork()
    if pid:
        sys.exit(_told(_end_of(pid), note))
    die_with_parent(old, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        return work(lambda what: _write(note, what))
    finally:
        _write(note, "")


def _end_of(pid: int) -> int:
    """Wait for a child; its exit code, or the signal that killed it, negative."""
    while True:
        info = signal.sigwaitinfo(_AWAITED)
        if info.si_signo == signal.SIGINT:
            if info.si_code == _FROM_A_PROCESS:  # Ctrl-C reaches the child by itself
                os.kill(pid, signal.SIGINT)
            continue
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)


def _told(code: int, note: mmap.mmap) -> int:
    """Say what ended the work, if it was never done; the exit code."""
    what = note[:].rstrip(b"\0").decode(errors="replace")
    if not what and code >= 0:
        return code
    say(f"error: {what or 'the end of the command'}: the process {ending(code)}")
    return exits.FAILED


def _write(note: mmap.mmap, what: str) -> None:
    note[:] = what.encode(errors="backslashreplace")[:_MAX_NOTE_BYTES].ljust(_MAX_NOTE_BYTES, b"\0")
