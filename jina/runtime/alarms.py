"""What the router wants to do later: it has no clock, so the gateway tells it when."""

from __future__ import annotations

from collections.abc import Callable

from jina.runtime.steps import Action, StartTimer

Then = Callable[[list[Action]], None]


class Alarms:
    """Timers that run, and what is to be done when their time has come."""

    def __init__(self) -> None:
        self._then: dict[int, Then] = {}
        self._last = 0

    def __contains__(self, timer: int) -> bool:
        """Whether anything happens when a timer expires."""
        return timer in self._then

    def start(self, seconds: float, then: Then, actions: list[Action]) -> int:
        """Do something later; returns the number of the timer."""
        self._last += 1
        self._then[self._last] = then
        actions.append(StartTimer(self._last, seconds))
        return self._last

    def stop(self, timer: int) -> None:
        """Let nothing happen when a timer expires."""
        self._then.pop(timer, None)

    def expired(self, timer: int, actions: list[Action]) -> None:
        """Do what was to be done."""
        then = self._then.pop(timer, None)
        if then is not None:
            then(actions)
