"""What is reported of a process that ended: how, in words, and the last lines that it printed."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable


def ending(code: int) -> str:
    """Say how a process ended.

    Args:
        code: its exit code, or the signal that killed it, negative.
    """
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class Tail:
    """Keeps the last lines of a text, up to a number and a size.

    Args:
        max_lines: most lines that are kept.
        max_chars: most characters in them together; the last line is kept however long it is.
    """

    def __init__(self, max_lines: int, max_chars: int) -> None:
        self.lines: deque[str] = deque()
        self.dropped = 0
        """How many lines came before those that are kept."""
        self._max_lines = max_lines
        self._max_chars = max_chars
        self._chars = 0

    def add(self, lines: Iterable[str]) -> list[str]:
        """Add lines at the end; returns those that were dropped to make room, in order."""
        gone = []
        for line in lines:
            self.lines.append(line)
            self._chars += len(line)
            while len(self.lines) > self._max_lines or (
                self._chars > self._max_chars and len(self.lines) > 1
            ):
                gone.append(self.lines.popleft())
                self._chars -= len(gone[-1])
        self.dropped += len(gone)
        return gone

    def take(self) -> list[str]:
        """Remove and return everything that is kept; these lines count as dropped."""
        taken = list(self.lines)
        self.lines.clear()
        self._chars = 0
        self.dropped += len(taken)
        return taken
