"""Hold a signal back while something is written, so that what is counted is what was written.

Whoever handles signals asks `interrupt` to raise; within `held()` that happens at its end. Nothing
within it may wait for anybody.
"""

from __future__ import annotations

from types import TracebackType


class _Held:
    """A stretch of code that no signal interrupts; they may stand within each other."""

    def __init__(self) -> None:
        self.depth = 0
        self.pending: type[BaseException] | None = None

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.depth -= 1
        if not self.depth and self.pending is not None:
            pending, self.pending = self.pending, None
            raise pending


_HELD = _Held()


def held() -> _Held:
    """The stretch of code that follows is not interrupted."""
    return _HELD


def interrupt(kind: type[BaseException]) -> None:
    """Raise an exception, now or at the end of what is held. For handlers of signals.

    Raises:
        BaseException: of that kind.
    """
    if _HELD.depth:
        _HELD.pending = kind
    else:
        raise kind
