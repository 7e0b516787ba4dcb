"""Let SIGTERM and the end of the terminal unwind a post as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from jina.client.holding import interrupt
from jinacli.exits import Terminated


@contextlib.contextmanager
def signals_unwind() -> Iterator[Callable[[], None]]:
    """Let a signal raise, so that a Flow that was started for now is stopped in order.

    A SIGHUP that is ignored, as `nohup` wants it, stays so.

    Yields:
        a function to call now and then. A signal may come while ZeroMQ calls back into Python, and
        no exception leads out of there: this raises it afterwards.
    """
    swallowed: list[BaseException] = []

    def stop(signum: int, frame: object) -> None:
        interrupt(KeyboardInterrupt if signum == signal.SIGINT else Terminated)

    def note(what: Any) -> None:
        if isinstance(what.exc_value, (KeyboardInterrupt, Terminated)):
            swallowed.append(what.exc_value)
        else:
            hook(what)

    def check() -> None:
        if swallowed:
            raise swallowed.pop()

    watched = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        watched.append(signal.SIGINT)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        watched.append(signal.SIGHUP)
    before = [signal.signal(signum, stop) for signum in watched]
    hook, sys.unraisablehook = sys.unraisablehook, note
    try:
        yield check
    finally:
        sys.unraisablehook = hook
        for signum, handler in zip(watched, before, strict=True):
            signal.signal(signum, handler)
