"""When the router wants to be told that time has passed: it has no clock of its own."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from math import ceil


class Timers:
    """Numbered timers, the next one first."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int]] = []  # a heap

    def start(self, timer: int, seconds: float) -> None:
        """Let a timer run for so long."""
        heapq.heappush(self._due, (time.monotonic() + seconds, timer))

    def wait_ms(self, longest: int) -> int:
        """How long to wait for anything else: until the next timer, `longest` at most."""
        if not self._due:
            return longest
        return min(longest, max(0, ceil((self._due[0][0] - time.monotonic()) * 1000)))

    def expired(self) -> Iterator[int]:
        """Take the timers whose time has come."""
        while self._due and self._due[0][0] <= time.monotonic():
            yield heapq.heappop(self._due)[1]
