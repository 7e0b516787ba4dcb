"""Let SIGTERM and the end of the terminal unwind a post as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from jinacli.exits import Terminated


@contextlib.contextmanager
def signals_unwind() -> Iterator[None]:
    """Let a signal raise, so that a Flow that was started for now is stopped in order.

    A SIGHUP that is ignored, as `nohup` wants it, stays so.
    """

    def stop(signum: int, frame: object) -> None:
        raise Terminated

    watched = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        watched.append(signal.SIGHUP)
    before = [signal.signal(signum, stop) for signum in watched]
    try:
        yield
    finally:
        for signum, handler in zip(watched, before, strict=True):
            signal.signal(signum, handler)
