"""Forks that run user code: they are waited for, and what stops the command stops them.

Linux alone: elsewhere nothing is forked.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn, TypeAlias

from jina.defaults import CLOSE_GRACE_S
from jina.runtime.parent import die_with_parent
from jinacli import exits

IS_POSSIBLE = sys.platform == "linux"

_MAX_NOTE_BYTES = 4096
_DRAWN = _MAX_NOTE_BYTES - 1  # place of the byte behind the text
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AWAITED = (*_STOPS, signal.SIGCHLD)
_FROM_A_PROCESS = 0  # SI_USER, in what the kernel says about a signal

Begin: TypeAlias = Callable[[str], None]


class Note:
    """What a fork is doing: shared with it, and there after a crash.

    Args:
        file: descriptor of a note that another process has made; -1 makes one.
    """

    def __init__(self, file: int = -1) -> None:
        self.file = file
        if file < 0:
            self.file = os.memfd_create("note")
            os.truncate(self.file, _MAX_NOTE_BYTES)
        self._memory = mmap.mmap(self.file, _MAX_NOTE_BYTES)

    def close(self) -> None:
        """Close its file; it can still be read."""
        os.close(self.file)

    def write(self, what: str) -> None:
        """Replace it."""
        data = what.encode(errors="backslashreplace")[:_DRAWN]
        self._memory[:_DRAWN] = data.ljust(_DRAWN, b"\0")

    def read(self) -> str:
        """What was written last; "" at first."""
        return self._memory[:_DRAWN].rstrip(b"\0").decode(errors="replace")

    @property
    def is_drawn(self) -> bool:
        """Whether something about it is drawn in place on the terminal."""
        return self._memory[_DRAWN] != 0

    @is_drawn.setter
    def is_drawn(self, is_so: bool) -> None:
        self._memory[_DRAWN] = is_so

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process is in here; whoever dies in here leaves it, too."""
        fcntl.lockf(self.file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self.file, fcntl.LOCK_UN)


class Children:
    """Forks from this process.

    Signals that stop the command are blocked until `close`: `next_end` takes them.

    Args:
        interrupted_s: how long the forks may take to end after Ctrl-C.
    """

    def __init__(self, interrupted_s: float = math.inf) -> None:
        self.stopped_by = 0
        """The first signal that stops the command; 0 for none."""
        self._interrupted_s = interrupted_s
        self._pids: set[int] = set()
        self._deadline = math.inf
        self._on_child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it is not told
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        # Blocked, they come all the same.
        self._ignored = [each for each in _STOPS if signal.getsignal(each) == signal.SIG_IGN]

    def close(self) -> None:
        """Let signals do again what they did."""
        for pid in self._pids:  # only where something failed here
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        signal.signal(signal.SIGCHLD, self._on_child)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def __len__(self) -> int:
        return len(self._pids)

    def fork(self) -> int:
        """Fork; returns 0 in the new process, in which Ctrl-C interrupts once."""
        old = os.getpid()
        sys.stdout.flush()  # else both write what it holds
        pid = os.fork()
        if pid:
            self._pids.add(pid)
            return pid
        die_with_parent(old, signal.SIGKILL)
        for signum in _STOPS:
            if signal.getsignal(signum) in (signal.default_int_handler, signal.SIG_DFL):
                signal.signal(signum, _interrupt)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
        return 0

    def kill(self, pid: int) -> None:
        """End one of them at once; `next_end` tells of it."""
        os.kill(pid, signal.SIGKILL)

    def next_end(self, until: float = math.inf) -> tuple[int, int] | None:
        """Wait for the end of one of them.

        Args:
            until: when to stop waiting, on the monotonic clock.

        Returns:
            its pid, and its exit code or the signal that killed it, negative; None for the time.
        """
        while True:
            for pid in self._pids:
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self._pids.remove(pid)
                    return pid, os.waitstatus_to_exitcode(status)
            info = _next_signal(min(until, self._deadline))
            if info is not None:
                self._take(info)
            elif time.monotonic() >= self._deadline:
                self._deadline = math.inf
                self._send(signal.SIGKILL)
            else:
                return None

    def interrupt(self) -> None:
        """Stop all of them as Ctrl-C does."""
        self._stop(signal.SIGINT)
        self._send(signal.SIGINT)

    def raise_stop(self) -> None:
        """Raise what the signal that stopped the command stands for, if one has.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
            Terminated: it was another one.
        """
        if self.stopped_by:
            raise KeyboardInterrupt if self.stopped_by == signal.SIGINT else exits.Terminated

    def _take(self, info: signal.struct_siginfo) -> None:
        if info.si_signo in self._ignored or info.si_signo == signal.SIGCHLD:
            return
        if self.stopped_by:
            if info.si_signo == signal.SIGINT:  # another one may be the same, sent to a group too
                self._send(signal.SIGKILL)
            return
        self._stop(info.si_signo)
        # Ctrl-C reaches the forks by itself; the loss of the terminal only the first process.
        if info.si_signo != signal.SIGINT or info.si_code == _FROM_A_PROCESS:
            self._send(info.si_signo)

    def _stop(self, signum: int) -> None:
        self.stopped_by = self.stopped_by or signum
        grace_s = self._interrupted_s if signum == signal.SIGINT else CLOSE_GRACE_S
        self._deadline = time.monotonic() + grace_s

    def _send(self, signum: int) -> None:
        for pid in self._pids:
            os.kill(pid, signum)


def _interrupt(signum: int, frame: object) -> NoReturn:
    """Interrupt once: a signal to the whole group comes a second time, from the old process."""
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signum)  # only this is no error of the user's code


def _next_signal(until: float) -> signal.struct_siginfo | None:
    """The next signal, or None once the time is over."""
    if until == math.inf:
        return signal.sigwaitinfo(_AWAITED)
    return signal.sigtimedwait(_AWAITED, max(0.0, until - time.monotonic()))
