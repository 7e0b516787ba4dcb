"""Whose time runs: the oldest task at each worker, if its node has a timeout."""

from __future__ import annotations

from collections.abc import Iterable

from jina.graph.plan import PlannedNode
from jina.runtime.alarms import Alarms
from jina.runtime.steps import Action, Overdue
from jina.runtime.tasks import Task, Worker

_ALL = "*"


class Watch:
    """The timeouts of a Flow's nodes.

    A staged task waits behind the one that is running, so its time does not run yet.

    Args:
        nodes: of the Flow.
        alarms: of the router.
    """

    def __init__(self, nodes: Iterable[PlannedNode], alarms: Alarms) -> None:
        self._limits = {node.name: node.timeouts for node in nodes if node.timeouts}
        self._alarms = alarms
        self.is_on = bool(self._limits)
        """Whether any node has a timeout; most Flows have none, and nothing to look at."""

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
        self._alarms.stop(worker.timer)

    def _let_run(self, worker: Worker, task: Task, seconds: float, actions: list[Action]) -> None:
        def expired(actions: list[Action]) -> None:
            for each in worker.tasks.values():
                if each is task or (task.lot and each.lot == task.lot):
                    each.overdue_s = seconds
            actions.append(Overdue(worker.identity, task.number, seconds, task.lot))
            worker.timer = self._alarms.start(seconds, expired, actions)

        worker.timer = self._alarms.start(seconds, expired, actions)
