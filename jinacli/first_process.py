"""What `jina` does as the first process of a container: it is init for another `jina`, its child.

A process whose parent has ended becomes a child of the first process, and stays a zombie if that
one does not ask how it ended. A supervisor asks of those that it has started, and of no others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_FATAL = {signal.SIGSEGV, signal.SIGFPE, signal.SIGILL, signal.SIGBUS, signal.SIGABRT}
_STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


def is_first() -> bool:
    """Whether this process is the first one of a container."""
    return os.getpid() == 1 and sys.platform == "linux"


def stay_as_init() -> None:
    """Go on as a child; this process passes signals on, reaps, and ends with the child's code.

    Returns in the child alone.
    """
    passed_on = signal.valid_signals() - _FATAL - _STOPS - {signal.SIGKILL, signal.SIGSTOP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)
    child = os.fork()
    if not child:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    while True:
        info = signal.sigwaitinfo(passed_on)
        if info.si_signo != signal.SIGCHLD:
            # What a terminal sends, such as Ctrl-C, the child gets itself: that is the kernel's.
            if info.si_code <= 0:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, info.si_signo)
            continue
        code = _reap(child)
        if code is not None:
            os._exit(code)


def _reap(child: int) -> int | None:
    """Reap all who have ended; the exit code if the child has, as a shell has it."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
    return code if code is None or code >= 0 else 128 - code
