"""How long requests wait and run at each node, over a whole post of any length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import exp, log
from typing import NamedTuple

from jina.wire.maps import Leg

_STEP = log(1.01)
_SHORTEST_MS = 0.001  # what took less counts as this


class Row(NamedTuple):
    """What is known of a node; times are in milliseconds, right to one in a hundred.

    Attributes:
        node: its name.
        calls: of its Executor, those that raised included.
        docs: that they were given.
        waiting_ms: median and 99th percentile of the time before a call, in queues and on the way.
        running_ms: the same of the calls.
    """

    node: str
    calls: int
    docs: int
    waiting_ms: tuple[float, float]
    running_ms: tuple[float, float]


class _Spread:
    """Many durations, each in a drawer with those that are like it: few drawers hold any number."""

    def __init__(self) -> None:
        self._drawers: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self._drawers[round(log(max(_SHORTEST_MS, seconds * 1000)) / _STEP)] += 1

    def quantile_ms(self, part: float) -> float:
        """The duration that this part of all does not exceed."""
        left = part * self._drawers.total()
        for drawer in sorted(self._drawers):
            left -= self._drawers[drawer]
            if left <= 0:
                return exp(drawer * _STEP)
        return 0.0


class _Node:
    def __init__(self) -> None:
        self.calls = 0
        self.docs = 0
        self.waiting = _Spread()
        self.running = _Spread()


class Timing:
    """Takes in the legs of a post's requests."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}

    def add(self, legs: Iterable[Leg]) -> None:
        """Take in those of one request."""
        for leg in legs:
            node = self._nodes.setdefault(leg.node, _Node())
            node.calls += 1
            node.docs += leg.rows
            node.waiting.add(leg.began - leg.queued)
            node.running.add(leg.ended - leg.began)

    def rows(self) -> list[Row]:
        """A row for each node, in the order in which they were met."""
        return [
            Row(
                name,
                node.calls,
                node.docs,
                (node.waiting.quantile_ms(0.5), node.waiting.quantile_ms(0.99)),
                (node.running.quantile_ms(0.5), node.running.quantile_ms(0.99)),
            )
            for name, node in self._nodes.items()
        ]
