"""Signals as a queue that a poll loop reads.

A handler may run between any two instructions, so it only notes what came and wakes the loop.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from types import TracebackType


class Signals:
    """Notes the signals that a supervisor acts on, from entering to leaving its `with` block.

    On the main thread only. A SIGHUP that was ignored before, as `nohup` wants it, stays so.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._before: dict[int, object] = {}

    def __enter__(self) -> Signals:
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        watched = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            watched.append(signal.SIGHUP)
        self._before = {signum: signal.signal(signum, self._note) for signum in watched}
        self._wake_before = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.set_wakeup_fd(self._wake_before)
        for signum, handler in self._before.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal() gave us
        self._wake.close()
        self._woken.close()

    def fileno(self) -> int:
        """The descriptor that becomes readable when a signal came."""
        return self._woken.fileno()

    def take(self) -> list[signal.Signals]:
        """What came since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass
        came, self._came = self._came, []
        return [signal.Signals(signum) for signum in came]

    def _note(self, signum: int, frame: object) -> None:
        self._came.append(signum)
