"""Run user code in a fork: if it ends the process, there is another one to say so.

Modules may call `os._exit`, crash, or be killed for their memory while they are imported. No
exception is raised then, and the exit code may be 0.
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from jina.launch.ending import ending
from jina.runtime.parent import die_with_parent
from jinacli import exits
from jinacli.screens.errors import say

_MAX_NOTE_BYTES = 4096
_AWAITED = (signal.SIGINT, signal.SIGCHLD)
_FROM_A_PROCESS = 0  # SI_USER, in what the kernel says about a signal

Begin: TypeAlias = Callable[[str], None]


def watched(work: Callable[[Begin], int], *, failed: int = exits.FAILED) -> int:
    """Run work that calls the user's code in a process forked for it.

    This returns in the new process alone; the old one waits for it and exits with the same code. On
    systems other than Linux nothing is forked.

    Args:
        work: returns the exit code; it calls its argument with the name of what it runs next.
        failed: the exit code where the user's code ended the process.

    Returns:
        the exit code.

    Raises:
        KeyboardInterrupt: in the new process for the first Ctrl-C; in the old one where that did
            not end it and there was a second, which kills it.
    """
    gc.freeze()  # what is loaded stays; what users' code makes is searched for garbage at the end
    if sys.platform != "linux":
        return work(lambda what: None)
    note = mmap.mmap(-1, _MAX_NOTE_BYTES)  # shared, and there after a crash
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would not be told
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    old = os.getpid()
    pid = os.fork()
    if pid:
        sys.exit(_report_end(_end_of(pid), note, failed))
    die_with_parent(old, signal.SIGKILL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        return work(lambda what: _write(note, what))
    finally:
        _write(note, "")


def _interrupt(signum: int, frame: object) -> NoReturn:
    """Interrupt once: a signal to the whole group comes a second time, from the old process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_of(pid: int) -> int:
    """Wait for a child; its exit code, or the signal that killed it, negative."""
    is_ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # blocked, it comes all the same
    is_interrupted = False
    while True:
        info = signal.sigwaitinfo(_AWAITED)
        if info.si_signo == signal.SIGINT:
            if is_interrupted:
                os.kill(pid, signal.SIGKILL)
            elif info.si_code == _FROM_A_PROCESS and not is_ignored:
                os.kill(pid, signal.SIGINT)  # Ctrl-C reaches the child by itself
            is_interrupted = not is_ignored
            continue
        found, status = os.waitpid(pid, os.WNOHANG)
        if not found:
            continue
        code = os.waitstatus_to_exitcode(status)
        if is_interrupted and code in (-signal.SIGINT, -signal.SIGKILL):
            raise KeyboardInterrupt  # nobody there could say so
        return code


def _report_end(code: int, note: mmap.mmap, failed: int) -> int:
    """Say what ended the work, if it did not end by itself; returns the exit code."""
    what = note[:].rstrip(b"\0").decode(errors="replace")
    if not what and code >= 0:
        return code
    say(f"error: {what or 'the end of the command'}: the process {ending(code)}")
    return failed


def _write(note: mmap.mmap, what: str) -> None:
    note[:] = what.encode(errors="backslashreplace")[:_MAX_NOTE_BYTES].ljust(_MAX_NOTE_BYTES, b"\0")
