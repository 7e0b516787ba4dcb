"""Decide when a dead worker may come back.

A death with a request begun is charged to the request; what counts here are deaths at start or
idle. Pure: time is an argument.
"""

from __future__ import annotations

from jina.defaults import RESTART_BUDGET, RESTART_DELAY_MAX_S, RESTART_DELAY_S, RESTART_WINDOW_S


class Restarts:
    """The deaths of one worker."""

    def __init__(self) -> None:
        self._deaths: list[float] = []
        self._streak = 0

    def delay_s(self, now: float) -> float | None:
        """Note a death and say after how long the worker is started again; None for never."""
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
