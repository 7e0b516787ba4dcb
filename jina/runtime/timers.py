"""When the router wants to be told that time has passed: it has no clock of its own."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from math import ceil

_FEW = 1000  # timers that nobody waits for may be kept


class Timers:
    """Numbered timers, the next one first.

    Most are not waited for when their time comes: what they were to end has ended by itself.

    Args:
        is_awaited: whether a timer still matters; the others are forgotten when they are many.
    """

    def __init__(self, is_awaited: Callable[[int], bool] = lambda timer: True) -> None:
        self._is_awaited = is_awaited
        self._due: list[tuple[float, int]] = []  # a heap
        self._many = _FEW

    def __len__(self) -> int:
        return len(self._due)

    def start(self, timer: int, seconds: float) -> None:
        """Let a timer run for so long."""
        if len(self._due) >= self._many:
            self._due = [entry for entry in self._due if self._is_awaited(entry[1])]
            heapq.heapify(self._due)
            self._many = max(_FEW, 2 * len(self._due))
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
