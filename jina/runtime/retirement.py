"""Workers that are to end, as the router sees them: they finish what they have and get no more."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol, TypeVar

from jina.runtime.steps import Action, Retired


class _Worker(Protocol):
    identity: bytes

    @property
    def tasks(self) -> Sized:
        """Those that it has and has not finished."""


_W = TypeVar("_W", bound=_Worker)


class Retiring(dict[bytes, _W]):
    """Those that are to end and have not been let go yet, by identity."""

    def add(self, worker: _W | None) -> _W | None:
        """Note that a worker is to end; returns it, if that is news and it is there."""
        if worker is None or worker.identity in self:
            return None
        self[worker.identity] = worker
        return worker

    def discard(self, identity: bytes) -> bool:
        """Forget a worker that died instead; whether it was to end."""
        return self.pop(identity, None) is not None

    def let_go(self, known: dict[bytes, _W], actions: list[Action]) -> None:
        """Part with those that have nothing left to do; `known` knows them no more, either."""
        for identity in [each for each, worker in self.items() if not worker.tasks]:
            del self[identity], known[identity]
            actions.append(Retired(identity))
