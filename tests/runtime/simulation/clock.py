"""Time, which is a number: whatever happens later waits on an agenda."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Any


class Clock:
    """What happens, one thing after the other.

    Args:
        seed: decides everything.
        events: how many disturb a run before it may come to rest.

    Attributes:
        draw: whatever is left to chance comes from it.
        now: in seconds.
    """

    def __init__(self, seed: int, events: int) -> None:
        self.draw = Random(seed)
        self.now = 0.0
        self._events_left = events
        self._agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0

    def at(self, moment: float, act: Callable[..., None], *arguments: Any) -> None:
        """Let something happen at a moment; of two at the same one, the first that was said."""
        self._order += 1
        heapq.heappush(self._agenda, (moment, self._order, act, arguments))

    def later(self, act: Callable[..., None], *arguments: Any, after: float = 0.0) -> None:
        """Let something happen some time after so many seconds."""
        self.at(self.now + after + self.draw.expovariate(1.0), act, *arguments)

    def goes_on(self) -> bool:
        """Whether another event may disturb the run."""
        self._events_left -= 1
        return self._events_left >= 0

    def run(self, before: Callable[[float], None]) -> None:
        """Let everything happen; `before` is told each moment first."""
        while self._agenda:
            self.now, _, act, arguments = heapq.heappop(self._agenda)
            before(self.now)
            act(*arguments)
