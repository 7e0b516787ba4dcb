"""Whose time runs: the oldest task at each worker, if its node has a timeout."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jina.graph.plan import PlannedNode
from jina.runtime.steps import Action, Overdue
from jina.runtime.tasks import Task, Worker

_Then = Callable[[list[Action]], None]
_ALL = "*"


class Watch:
    """The timeouts of a Flow's nodes.

    A staged task waits behind the one that is running, so its time does not run yet.

    Args:
        nodes: of the Flow.
        after: starts a timer, see `Router._after`.
        stop: stops it.
    """

    def __init__(
        self,
        nodes: Iterable[PlannedNode],
        after: Callable[[float, _Then, list[Action]], int],
        stop: Callable[[int], object],
    ) -> None:
        self._limits = {node.name: node.timeouts for node in nodes if node.timeouts}
        self.is_on = bool(self._limits)
        """Whether any node has a timeout; most Flows have none, and nothing to look at."""
        self._after = after
        self._stop = stop

    def look(self, worker: Worker, actions: list[Action]) -> None:
        """See whose time runs at a worker, after its tasks have changed."""
        limits = self._limits.get(worker.node)
        if limits is None:
            return
        oldest = next(iter(worker.tasks.values()), None)
        if oldest is worker.watched:
            return
        self.leave(worker)
        worker.watched = oldest
        if oldest is not None:
            endpoint = oldest.request.asked.endpoint
            seconds = limits.get(endpoint, limits.get(_ALL, -1.0))
            if seconds >= 0:
                self._let_run(worker, oldest, seconds, actions)

    def leave(self, worker: Worker) -> None:
        """Stop the time at a worker."""
        worker.watched = None
        self._stop(worker.timer)

    def _let_run(self, worker: Worker, task: Task, seconds: float, actions: list[Action]) -> None:
        def expired(actions: list[Action]) -> None:
            task.overdue_s = seconds
            actions.append(Overdue(worker.identity, task.number, seconds))
            worker.timer = self._after(seconds, expired, actions)

        worker.timer = self._after(seconds, expired, actions)
