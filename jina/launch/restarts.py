"""Decide when a dead process may come back, and what is lost when it may not.

A death with a request begun is charged to the request; what counts here are deaths at start or
idle. Pure: time is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from jina.defaults import RESTART_BUDGET, RESTART_DELAY_MAX_S, RESTART_DELAY_S, RESTART_WINDOW_S

Part: TypeAlias = tuple[str, int | None]


class Restarts:
    """The deaths of one process."""

    def __init__(self) -> None:
        self._deaths: list[float] = []
        self._streak = 0

    def delay_s(self, now: float) -> float | None:
        """Note a death; returns the seconds until the next start, None for never."""
        if self._deaths and now - self._deaths[-1] > RESTART_WINDOW_S:
            self._streak = 0
        self._deaths = [death for death in self._deaths if now - death <= RESTART_WINDOW_S]
        self._deaths.append(now)
        if len(self._deaths) > RESTART_BUDGET:
            return None
        delay: float = min(RESTART_DELAY_S * 2**self._streak, RESTART_DELAY_MAX_S)
        self._streak += 1
        return delay

    def forgive(self) -> None:
        """The last death is blamed on a request, not on the worker."""
        if self._deaths:
            self._deaths.pop()
            self._streak = max(0, self._streak - 1)


class Comebacks:
    """The workers of one Flow that are gone: when each is due again, which nodes are lost.

    Args:
        parts: every worker's name -> its node, and its shard there; None where it has none.
    """

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = dict(parts)
        self._restarts = {name: Restarts() for name in parts}
        self._lost: set[str] = set()
        self.due: dict[str, float] = {}
        """Worker -> when it is to be started again."""
        self.given_up: dict[Part, str] = {}
        """Node, or shard of a node -> why it serves no more."""

    def add(self, name: str, part: Part) -> None:
        """Count in a worker, without what is known of an earlier one of that name."""
        self._parts[name] = part
        self._restarts[name] = Restarts()
        self._lost.discard(name)
        self.due.pop(name, None)

    def remove(self, name: str) -> None:
        """Count in a worker no more: it has ended for good, as it was asked to."""
        self._parts.pop(name, None)
        self._lost.discard(name)
        self.due.pop(name, None)

    def is_back(self, part: Part) -> None:
        """A worker of a node, or of a shard of it, is ready: it serves again."""
        self.given_up.pop(part, None)

    def plan(self, name: str, now: float) -> float | None:
        """Note a death; returns the seconds until the worker's next start, None for never."""
        delay = self._restarts[name].delay_s(now)
        if delay is not None:
            self.due[name] = now + delay
        return delay

    def take_due(self, now: float) -> list[str]:
        """Remove and return the workers that are due now."""
        names = [name for name, moment in self.due.items() if moment <= now]
        for name in names:
            del self.due[name]
        return names

    def forgive(self, name: str) -> None:
        """The worker's last death is blamed on a request."""
        self._restarts[name].forgive()

    def is_lost(self, name: str) -> bool:
        """Whether a worker was given up."""
        return name in self._lost

    def give_up(self, name: str, words: str) -> Part | None:
        """Note that a worker will not come back.

        Args:
            name: of the worker.
            words: how it ended and the last lines that it printed.

        Returns:
            its node and shard if none of their workers is left, else None.
        """
        part = self._parts.get(name)
        if part is None:  # it was to end for good
            return None
        self._lost.add(name)
        if any(other == part and each not in self._lost for each, other in self._parts.items()):
            return None
        self.given_up[part] = (
            f"it has no workers left; `jina flow restart {part[0].partition('/')[0]}` (or a fix "
            f"under --watch) brings it back; the last one {words}"
        )
        return part
