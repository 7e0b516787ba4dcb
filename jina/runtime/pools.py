"""A node's workers and the tasks that wait for them, shard by shard.

A task for any shard goes to the least busy worker of all shards, a task for one shard to the least
busy of that shard's. A shard without a worker holds up its own tasks alone. Where a worker could
take either, the two kinds of tasks take turns, so that none waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from jina.graph.plan import PlannedNode
from jina.runtime.batches import Batches, Group
from jina.runtime.queues import FairQueue
from jina.runtime.steps import Joined
from jina.runtime.tasks import Task, Worker
from jina.wire.batching import Batching


class Line:
    """Tasks that wait for the same workers: each for itself, or for others to go with.

    Args:
        workers: who take from it.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers
        self._alone = FairQueue()
        self._batches: Batches | None = None  # where endpoints are batched
        self._is_hurried = False

    def __iter__(self) -> Iterator[Task]:
        """All that wait; they are only looked at."""
        yield from self._alone
        if self._batches is not None:
            yield from self._batches

    def __bool__(self) -> bool:
        """Whether a worker could take something."""
        return bool(self._alone) or bool(self._batches)

    def configure(
        self,
        batching: Mapping[str, Batching],
        bound: Sequence[str],
        cancel: Callable[[int], object],
    ) -> None:
        """Take the settings of a worker that has come; see `Batches`."""
        if batching and self._batches is None:
            self._batches = Batches(cancel, is_hurried=self._is_hurried)
        if self._batches is not None:
            self._batches.configure(batching, bound)

    def push(self, task: Task) -> Group | None:
        """Let a task wait behind its client's others; returns the group that it waits with."""
        group = None if self._batches is None else self._batches.push(task)
        if group is None:
            self._alone.push(task)
        return group

    def push_back(self, tasks: Sequence[Task]) -> None:
        """Put tasks back that had their turn already: before all others, in this order."""
        alone = tasks if self._batches is None else self._batches.put_back(tasks)
        self._alone.push_back(alone)

    def take_lot(self) -> tuple[list[Task], Group | None]:
        """Take what goes to a worker next; see `Batches.next_lot`."""
        if self._batches is not None:
            return self._batches.next_lot(self._alone)
        task = self._alone.pop()
        return [task] if task else [], None

    def hurry(self) -> None:
        """Let nobody wait for others any more: none will come."""
        self._is_hurried = True
        if self._batches is not None:
            self._batches.hurry()

    def take_all(self) -> Iterator[Task]:
        """Take every task."""
        while task := self._alone.pop():
            yield task
        if self._batches is not None:
            yield from self._batches.take_all()

    def drop_answered(self, client: bytes) -> None:
        """Let go of a client's tasks whose request has its answer."""
        self._alone.drop_answered(client)
        if self._batches is not None:
            self._batches.drop_answered(client)


class Pool:
    """The workers of one node.

    Args:
        node: of the graph.
        cancel: called with the number of a timer that is not needed any more.
    """

    def __init__(self, node: PlannedNode, cancel: Callable[[int], object]) -> None:
        self.name = node.name
        self.workers: list[Worker] = []
        self._cancel = cancel
        self._common = Line(self.workers)  # tasks for any shard
        self._of: list[list[Worker]] = [self.workers]  # workers by shard
        self._shards: list[Line] = []  # tasks for one shard, by shard
        self._failed: dict[int, str] = {}  # shards that no worker is left for, and why
        if node.shards > 1:
            self._of = [[] for _ in range(node.shards)]
            self._shards = [Line(workers) for workers in self._of]
        self._lines = [self._common, *self._shards]  # the one that gave last stands last

    def __iter__(self) -> Iterator[Task]:
        """All tasks that wait; they are only looked at."""
        return (task for line in self._lines for task in line)

    @property
    def failed(self) -> dict[str, str]:
        """What of it serves no more, the node or a shard of it, and why."""
        if not self._shards:
            return {self.name: self._failed[0]} if self._failed else {}
        return {f"{self.name}/shard-{shard}": reason for shard, reason in self._failed.items()}

    @property
    def has_failed(self) -> bool:
        """Whether all of it serves no more."""
        return len(self._failed) == len(self._of)

    # --- workers ---

    def add(self, worker: Worker, joined: Joined) -> None:
        """A worker is ready, and says what it batches."""
        for line in self._lines:
            line.configure(joined.batching, joined.endpoints, self._cancel)
        shard = worker.shard or 0
        self._failed.pop(shard, None)
        self.workers.append(worker)
        if self._shards:
            self._of[shard].append(worker)

    def remove(self, worker: Worker) -> None:
        """A worker is gone."""
        self.workers.remove(worker)
        if self._shards:
            self._of[worker.shard or 0].remove(worker)

    def give_up(self, shard: int | None, reason: str) -> Iterator[Task]:
        """No worker of a shard, or of the whole node, will come back; returns what waits in vain.

        Args:
            shard: None where the node has none.
            reason: why.
        """
        self._failed[shard or 0] = reason
        waiting = [self._common] if self.has_failed else []
        if self._shards:
            waiting.append(self._shards[shard or 0])
        for line in waiting:
            yield from line.take_all()

    def take_hopeless(self) -> Iterator[Task]:
        """Take what waits in vain: tasks that came back after their shard had been given up."""
        for shard, reason in list(self._failed.items()):
            yield from self.give_up(shard, reason)

    def why_not(self, shard: int | None) -> str | None:
        """Why nobody will do a task for this shard, or for any; None when somebody will."""
        if not self._failed:
            return None
        if shard is not None:
            return self._failed.get(shard)
        return next(iter(self._failed.values())) if self.has_failed else None

    # --- tasks ---

    def push(self, task: Task) -> Group | None:
        """Let a task wait; returns the group that it waits with, if it does."""
        return self._line_of(task.shard).push(task)

    def push_back(self, tasks: Sequence[Task]) -> None:
        """Put tasks back that had their turn already: before all others, in this order."""
        for shard in dict.fromkeys(task.shard for task in tasks):
            self._line_of(shard).push_back([task for task in tasks if task.shard == shard])

    def next(self) -> tuple[Worker, list[Task], Group | None] | None:
        """Take what goes to a worker next; None when nobody can do anything.

        Returns:
            the worker; the tasks that are to be one call, none where their requests have their
            answers; the group that they leave behind.
        """
        for index, line in enumerate(self._lines):
            if line and (worker := _least_busy(line.workers)) is not None:
                lot, group = line.take_lot()
                if lot and index < len(self._lines) - 1:
                    self._lines.append(self._lines.pop(index))
                return worker, lot, group
        return None

    def drop_answered(self, client: bytes) -> None:
        """Let go of a client's tasks whose request has its answer."""
        for line in self._lines:
            line.drop_answered(client)

    def hurry(self) -> None:
        """Let nobody wait for others any more: none will come."""
        for line in self._lines:
            line.hurry()

    def _line_of(self, shard: int | None) -> Line:
        return self._common if shard is None else self._shards[shard]


def _least_busy(workers: Sequence[Worker]) -> Worker | None:
    """Who has the least to do; of equals, who was given something longest ago."""
    best: Worker | None = None
    for worker in workers:
        if worker.load >= worker.credits:
            continue
        if best is None or (worker.load, worker.last_used) < (best.load, best.last_used):
            best = worker
    return best
