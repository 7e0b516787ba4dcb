"""Run user code in a fork: if it ends the process, there is another one to say so.

Modules may call `os._exit`, crash, or be killed for their memory while they are imported. No
exception is raised then, and the exit code may be 0.
"""

from __future__ import annotations

import gc
import math
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn, TypeAlias

from jina.defaults import CLOSE_GRACE_S
from jina.launch.ending import ending
from jina.runtime.parent import die_with_parent
from jinacli import exits
from jinacli.screens.errors import say

_MAX_NOTE_BYTES = 4096
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AWAITED = (*_STOPS, signal.SIGCHLD)
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
        Terminated: the same for SIGTERM and SIGHUP; what they do not end within 10 s is killed.
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
    for signum in _STOPS:
        if signal.getsignal(signum) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(signum, _interrupt)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        return work(lambda what: _write(note, what))
    except KeyboardInterrupt as error:
        if error.args in ((signal.SIGTERM,), (signal.SIGHUP,)):
            raise exits.Terminated from None
        raise
    finally:
        _write(note, "")


def _interrupt(signum: int, frame: object) -> NoReturn:
    """Interrupt once: a signal to the whole group comes a second time, from the old process."""
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signum)  # only this is no error of the user's code


def _end_of(pid: int) -> int:
    """Wait for a child; its exit code, or the signal that killed it, negative."""
    # Blocked, they come all the same.
    ignored = [each for each in _STOPS if signal.getsignal(each) == signal.SIG_IGN]
    stopped_by = 0
    deadline = math.inf
    while True:
        info = _next_signal(deadline)
        if info is None:
            os.kill(pid, signal.SIGKILL)
            deadline = math.inf
        elif info.si_signo in ignored:
            continue
        elif info.si_signo == signal.SIGCHLD:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return _code_of(os.waitstatus_to_exitcode(status), stopped_by)
        elif stopped_by:
            if info.si_signo == signal.SIGINT:  # another one may be the same, sent to a group too
                os.kill(pid, signal.SIGKILL)
        else:
            stopped_by = info.si_signo
            # Ctrl-C reaches the child by itself; the loss of the terminal only the first process.
            if stopped_by != signal.SIGINT or info.si_code == _FROM_A_PROCESS:
                os.kill(pid, stopped_by)
            if stopped_by != signal.SIGINT:
                deadline = time.monotonic() + CLOSE_GRACE_S


def _next_signal(deadline: float) -> signal.struct_siginfo | None:
    """The next signal, or None once the time is over."""
    if deadline == math.inf:
        return signal.sigwaitinfo(_AWAITED)
    return signal.sigtimedwait(_AWAITED, max(0.0, deadline - time.monotonic()))


def _code_of(code: int, stopped_by: int) -> int:
    """The child's exit code, or what stopped it where the child could not say so."""
    if stopped_by and code in (-stopped_by, -signal.SIGKILL):
        raise KeyboardInterrupt if stopped_by == signal.SIGINT else exits.Terminated
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
