"""Tasks of a node, or of one of its shards, that wait for others to become one call with them.

Those with the same endpoint and equal parameters make a group. A group is due once it has the
preferred number of Documents, or once the oldest has waited long enough; then a worker that is free
takes a lot of it. As long as none is free, a group grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from jina.defaults import MAX_FRAMES, MAX_REQUEST_DOCS
from jina.names import DEFAULT_ENDPOINT
from jina.runtime.queues import FairQueue
from jina.runtime.tasks import Task
from jina.wire.batching import Batching, batched_parameters
from jina.wire.maps import DOCS

_MAX_ENDPOINT = 1000  # characters; beyond that, a message might not hold a lot's number


class Group:
    """Tasks that may become one call."""

    __slots__ = ("_owner", "batching", "is_old", "key", "rows", "tasks", "timer")

    def __init__(self, key: tuple[str, bytes], batching: Batching, owner: Batches) -> None:
        self.key = key
        self.batching = batching
        self._owner = owner
        self.tasks = FairQueue()
        self.rows = 0  # Documents of its tasks; of those whose request has its answer, too
        self.is_old = False  # somebody has waited long enough
        self.timer = 0  # that was started for it; 0 for none

    @property
    def is_due(self) -> bool:
        """Whether it waits for a worker alone."""
        return self.is_old or self.rows >= self.batching.preferred_batch_size

    @property
    def needs_timer(self) -> bool:
        """Whether nobody would say that the oldest task has waited long enough.

        A group that has enough Documents needs one too: some stay behind when a lot is taken.
        """
        return bool(self.tasks) and not self.timer and not self.is_old

    def grow_old(self) -> None:
        """The oldest task has waited long enough."""
        self.is_old = True
        self._owner.note(self)

    def take(self) -> list[Task]:
        """Take as many tasks as make a lot, each client's in turn."""
        most = MAX_REQUEST_DOCS if self.batching.flush_all else self.batching.preferred_batch_size
        lot: list[Task] = []
        rows = 0
        while rows < most and (task := self.tasks.pop()):
            lot.append(task)
            rows += rows_of(task)
        self.count()
        return lot

    def count(self) -> None:
        """Count the Documents anew."""
        self.rows = sum(map(rows_of, self.tasks))


class Batches:
    """The groups of a node, or of one of its shards.

    Args:
        cancel: called with the number of a timer that is not needed any more.
        is_hurried: nobody is to wait for others.
    """

    def __init__(self, cancel: Callable[[int], object], *, is_hurried: bool = False) -> None:
        self._cancel = cancel
        self._batching: Mapping[str, Batching] = {}
        self._bound: Sequence[str] = ()
        self._groups: dict[tuple[str, bytes], Group] = {}
        self._due: dict[tuple[str, bytes], Group] = {}  # the one whose turn it is comes first
        self._was_lot = False  # what went last
        self._is_hurried = is_hurried

    def __bool__(self) -> bool:
        """Whether a group is due."""
        return bool(self._due)

    def configure(self, batching: Mapping[str, Batching], bound: Sequence[str]) -> None:
        """Take the settings of a worker that has come; groups that wait keep theirs."""
        self._batching = batching
        self._bound = bound

    def put_back(self, tasks: Sequence[Task]) -> list[Task]:
        """Let tasks wait again that were at a worker which has died; return those that go alone."""
        alone = [task for task in reversed(tasks) if self.push(task, is_old=True) is None]
        return alone[::-1]

    def push(self, task: Task, *, is_old: bool = False) -> Group | None:
        """Let a task wait for others; with `is_old` it has waited long enough, and goes first.

        Returns:
            its group; None where it goes alone. Whatever was begun at a worker's death goes alone
            from then on: it may be what killed. So does what raised and is tried again, and each
            half of a request.
        """
        batching = self._batching_for(task.request.asked.endpoint)
        if batching is None or task.attempts or task.retried or task.stop or not _fits(task):
            return None
        parameters = batched_parameters(task.request.asked.call)
        if parameters is None:
            return None
        key = (task.request.asked.endpoint, parameters)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key, batching, self)
        if is_old:
            group.tasks.push_back([task])
            group.is_old = True
        else:
            group.tasks.push(task)
            group.is_old = group.is_old or self._is_hurried
        group.rows += rows_of(task)
        self.note(group)
        return group

    def __iter__(self) -> Iterator[Task]:
        """All that wait; they are only looked at."""
        return (task for group in self._groups.values() for task in group.tasks)

    def hurry(self) -> None:
        """Let nobody wait for others any more: none will come."""
        self._is_hurried = True
        for group in list(self._groups.values()):
            group.grow_old()

    def next_lot(self, alone: FairQueue) -> tuple[list[Task], Group | None]:
        """Take what goes to a worker next: lots, and tasks that go alone, in turns.

        Args:
            alone: tasks that wait for a worker alone.

        Returns:
            one task or several, none where their requests have their answers; and the group that
            they leave behind.
        """
        self._was_lot = bool(self._due) and not (self._was_lot and alone)
        if not self._was_lot:
            task = alone.pop()
            return [task] if task else [], None
        group = self._due.pop(next(iter(self._due)))
        lot = group.take()
        self.note(group)
        return lot, group

    def drop_answered(self, client: bytes) -> None:
        """Let go of a client's tasks whose request has its answer."""
        for group in list(self._groups.values()):
            if group.tasks.drop_answered(client):
                group.is_old = group.is_due  # whoever stays had been told to wait no longer
                group.count()
                self.note(group)

    def take_all(self) -> Iterator[Task]:
        """Take every task."""
        for group in list(self._groups.values()):
            while task := group.tasks.pop():
                yield task
            self.note(group)

    def note(self, group: Group) -> None:
        """See what has become of a group: due, or empty and so no more."""
        if not group.tasks:
            if self._groups.get(group.key) is group:
                del self._groups[group.key]
                self._due.pop(group.key, None)
            self._cancel(group.timer)
        elif group.is_due:
            self._due[group.key] = group

    def _batching_for(self, endpoint: str) -> Batching | None:
        found = self._batching.get(endpoint)
        if found is None and endpoint not in self._bound:
            return self._batching.get(DEFAULT_ENDPOINT)
        return found


def rows_of(task: Task) -> int:
    """Documents of a task, or lines that may become some."""
    return sum(piece.part.rows for piece in task.pieces if piece.part.role == DOCS)


def _fits(task: Task) -> bool:
    """Whether it can be part of a lot: no join, with Documents, and surely a message."""
    return (
        task.node not in task.request.course.joins
        and task.branches == 1
        and rows_of(task) > 0
        and len(task.pieces) <= MAX_FRAMES
        and sum(len(piece.frames) for piece in task.pieces) <= MAX_FRAMES
        and len(task.request.asked.endpoint) <= _MAX_ENDPOINT
    )
