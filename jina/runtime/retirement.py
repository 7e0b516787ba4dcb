"""Workers that are to end, as the router sees them: they finish what they have and get no more."""

from __future__ import annotations

from jina.runtime.steps import Action, Retired
from jina.runtime.tasks import Worker


class Retiring(dict[bytes, Worker]):
    """Those that are to end and have not been let go yet, by identity."""

    def add(self, worker: Worker | None) -> Worker | None:
        """Note that a worker is to end; returns it, if that is news and it is there."""
        if worker is None or worker.identity in self:
            return None
        self[worker.identity] = worker
        return worker

    def discard(self, identity: bytes) -> bool:
        """Forget a worker that died instead; whether it was to end."""
        return self.pop(identity, None) is not None

    def let_go(self, known: dict[bytes, Worker], actions: list[Action]) -> None:
        """Part with those that have nothing left to do; `known` knows them no more, either."""
        for identity in [each for each, worker in self.items() if not worker.tasks]:
            del self[identity], known[identity]
            actions.append(Retired(identity))
