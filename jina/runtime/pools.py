"""A node's workers and the tasks that wait for them, shard by shard.

A task for any shard goes to the least busy worker of all shards, a task for one shard to the least
busy of that shard's. A shard without a worker holds up its own tasks alone. Where a worker could
take either, the two kinds of tasks take turns, so that none waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jina.graph.plan import PlannedNode
from jina.runtime.queues import FairQueue
from jina.runtime.tasks import Task, Worker


class Pool:
    """The workers of one node.

    Args:
        node: of the graph.
    """

    def __init__(self, node: PlannedNode) -> None:
        self.name = node.name
        self.workers: list[Worker] = []
        self._common = FairQueue()  # tasks for any shard
        self._queues: list[FairQueue] = []  # tasks for one shard, by shard
        self._of: list[list[Worker]] = [self.workers]  # workers by shard
        self._failed: dict[int, str] = {}  # shards that no worker is left for, and why
        if node.shards > 1:
            self._queues = [FairQueue() for _ in range(node.shards)]
            self._of = [[] for _ in range(node.shards)]
        # Queues with those who take from them; the one that gave last stands last.
        self._lines = [(self._common, self.workers)]
        self._lines += zip(self._queues, self._of, strict=False)

    @property
    def failed(self) -> dict[str, str]:
        """What of it serves no more, the node or a shard of it, and why."""
        if not self._queues:
            return {self.name: self._failed[0]} if self._failed else {}
        return {f"{self.name}/shard-{shard}": reason for shard, reason in self._failed.items()}

    @property
    def has_failed(self) -> bool:
        """Whether all of it serves no more."""
        return len(self._failed) == len(self._of)

    # --- workers ---

    def add(self, worker: Worker) -> None:
        """A worker is ready."""
        shard = worker.shard or 0
        self._failed.pop(shard, None)
        self.workers.append(worker)
        if self._queues:
            self._of[shard].append(worker)

    def remove(self, worker: Worker) -> None:
        """A worker is gone."""
        self.workers.remove(worker)
        if self._queues:
            self._of[worker.shard or 0].remove(worker)

    def give_up(self, shard: int | None, reason: str) -> Iterator[Task]:
        """No worker of a shard, or of the whole node, will come back; returns what waits in vain.

        Args:
            shard: None where the node has none.
            reason: why.
        """
        self._failed[shard or 0] = reason
        waiting = [self._common] if self.has_failed else []
        if self._queues:
            waiting.append(self._queues[shard or 0])
        for queue in waiting:
            while task := queue.pop():
                yield task

    def why_not(self, shard: int | None) -> str | None:
        """Why nobody will do a task for this shard, or for any; None when somebody will."""
        if not self._failed:
            return None
        if shard is not None:
            return self._failed.get(shard)
        return next(iter(self._failed.values())) if self.has_failed else None

    # --- tasks ---

    def push(self, task: Task) -> None:
        """Let a task wait behind its client's others."""
        self._queue_of(task.shard).push(task)

    def push_back(self, tasks: Sequence[Task]) -> None:
        """Put tasks back that had their turn already: before all others, in this order."""
        for shard in dict.fromkeys(task.shard for task in tasks):
            own = [task for task in tasks if task.shard == shard]
            self._queue_of(shard).push_back(own)

    def next(self) -> tuple[Worker, Task] | None:
        """Take the next task and the worker that is to do it; None when nobody can do anything."""
        for index, (queue, workers) in enumerate(self._lines):
            while queue:
                worker = _least_busy(workers)
                if worker is None:
                    break
                task = queue.pop()
                if task is not None:
                    if index < len(self._lines) - 1:
                        self._lines.append(self._lines.pop(index))
                    return worker, task
        return None

    def drop_answered(self) -> None:
        """Let go of tasks whose request has its answer."""
        for queue, _ in self._lines:
            queue.drop_answered()

    def _queue_of(self, shard: int | None) -> FairQueue:
        return self._common if shard is None else self._queues[shard]


def _least_busy(workers: Sequence[Worker]) -> Worker | None:
    """Who has the fewest tasks; of equals, who was given one longest ago."""
    best: Worker | None = None
    for worker in workers:
        if len(worker.tasks) >= worker.credits:
            continue
        if best is None or (len(worker.tasks), worker.last_used) < (
            len(best.tasks),
            best.last_used,
        ):
            best = worker
    return best
