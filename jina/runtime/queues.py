"""Tasks that wait for a worker: each client's in their order, the clients in turn.

Whoever posts a million Documents has many tasks waiting at a time; somebody else's search waits for
one of them, not for all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from jina.runtime.tasks import Task


class FairQueue:
    """A queue of tasks that takes one from each client in turn."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[bytes, deque[Task]] = {}  # client -> its tasks; the next client comes first

    def __iter__(self) -> Iterator[Task]:
        return (task for tasks in self._of.values() for task in tasks)

    def __bool__(self) -> bool:
        return bool(self._of)

    def push(self, task: Task) -> None:
        """Let a task wait behind its client's others; one that was begun in part, before them."""
        client = task.request.asked.client
        tasks = self._of.get(client)
        if tasks is None:
            self._of[client] = deque((task,))
        elif task.stop:
            tasks.appendleft(task)
        else:
            tasks.append(task)

    def push_back(self, tasks: Sequence[Task]) -> None:
        """Put tasks back that had their turn already: before all others, in this order."""
        waiting = self._of
        self._of = {}
        for task in tasks:
            self._of.setdefault(task.request.asked.client, deque()).append(task)
        for client, others in waiting.items():
            self._of.setdefault(client, deque()).extend(others)

    def pop(self) -> Task | None:
        """Take the task whose turn it is; those whose request has its answer are dropped."""
        while self._of:
            client = next(iter(self._of))
            tasks = self._of.pop(client)
            while tasks:  # what is dropped costs its client no turn
                task = tasks.popleft()
                if not task.request.answered:
                    if tasks:
                        self._of[client] = tasks
                    return task
        return None

    def drop_answered(self, client: bytes) -> bool:
        """Let go of a client's tasks whose request has its answer; whether there were any."""
        tasks = self._of.get(client, ())
        kept = deque(task for task in tasks if not task.request.answered)
        if len(kept) == len(tasks):
            return False
        if kept:
            self._of[client] = kept
        else:
            del self._of[client]
        return True
