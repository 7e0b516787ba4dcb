"""What the router remembers: requests under way, their tasks, the workers that do them.

Plain state, changed by the router alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from jina.graph.course import Course
from jina.names import GATEWAY
from jina.runtime.steps import Joined, Piece, Submitted
from jina.wire.maps import GROUNDTRUTHS, ErrorInfo, Part


class Request:
    """A request under way."""

    __slots__ = ("answered", "asked", "bytes", "course", "results", "waiting")

    def __init__(self, asked: Submitted, course: Course) -> None:
        self.asked = asked
        self.course = course
        self.results: dict[str, Sequence[Piece]] = {GATEWAY: asked.pieces}
        self.waiting = len(course.inputs)  # nodes that have not finished
        self.answered = False
        self.bytes = size_of(asked.pieces)


class Task:
    """A request at one node."""

    __slots__ = (
        "attempts",
        "blame",
        "branches",
        "done",
        "first",
        "lot",
        "node",
        "number",
        "pieces",
        "request",
        "stop",
        "todo",
    )

    def __init__(self, number: int, request: Request, node: str) -> None:
        self.number = number
        self.request = request
        self.node = node
        self.attempts = 0  # deaths of workers that had begun it
        self.first = self.stop = 0  # the outcomes to do now; both 0 for all at once
        self.todo: list[tuple[int, int]] = []  # those to do afterwards, the next one last
        self.lot = 0  # the number of the last task that is to be one call with it; 0 for alone
        self.done: list[Piece] = []  # what those before gave
        self.blame: ErrorInfo | None = None  # what the one to do now is reported as
        inputs = request.course.inputs[node]
        self.branches = len(inputs)
        self.pieces: Sequence[Piece]
        if node not in request.course.joins:
            self.pieces = request.results[inputs[0][0]]
        elif len(inputs) == 1:
            self.pieces = [piece for source in inputs[0] for piece in request.results[source]]
        else:
            self.pieces = [
                Piece(_in_branch(piece.part, index), piece.frames)
                for index, branch in enumerate(inputs)
                for source in branch
                for piece in request.results[source]
            ]

    def narrow(self, error: ErrorInfo) -> bool:
        """After a death: do half as much at a time, or blame the one that is left.

        Returns:
            False where that is not possible: a single outcome to begin with, or a join, whose
            branches cannot be cut alike.
        """
        if self.blame is not None or self.branches > 1:
            return False
        if not self.stop:
            self.stop = sum(
                piece.part.rows for piece in self.pieces if piece.part.role != GROUNDTRUTHS
            )
            if self.stop < 2:
                return False
        if self.stop - self.first == 1:
            self.blame = error
        else:
            middle = (self.first + self.stop) // 2
            self.todo.append((middle, self.stop))
            self.stop = middle
        return True

    def go_on(self, pieces: Sequence[Piece]) -> Sequence[Piece] | None:
        """Take a reply; returns the whole result, or None while there is more to do."""
        if not self.stop:
            return pieces
        self.done += pieces
        if not self.todo:
            return self.done
        self.first, self.stop = self.todo.pop()
        self.blame = None
        return None


class Worker:
    """A ready replica."""

    __slots__ = ("_left", "credits", "identity", "last_used", "load", "node", "tasks")

    def __init__(self, joined: Joined) -> None:
        self.identity = joined.worker
        self.node = joined.node
        self.credits = joined.credits
        self.tasks: dict[int, Task] = {}  # outstanding, oldest first
        self.load = 0  # credits that are used: each lot is one, until all of it is back
        self.last_used = 0
        self._left: dict[int, int] = {}  # lot -> its tasks that are not back

    def give(self, lot: Sequence[Task]) -> None:
        """Note the tasks of a lot, or one that goes alone."""
        self.load += 1
        if len(lot) == 1:
            lot[0].lot = 0
            self.tasks[lot[0].number] = lot[0]
            return
        number = lot[-1].number
        self._left[number] = len(lot)
        for task in lot:
            task.lot = number
            self.tasks[task.number] = task

    def take(self, number: int) -> Task | None:
        """The task that it reports; None for one that it does not have."""
        task = self.tasks.pop(number, None)
        if task is None:
            return None
        if task.lot and (left := self._left.pop(task.lot) - 1):
            self._left[task.lot] = left
        else:
            self.load -= 1
        return task


def size_of(pieces: Sequence[Piece]) -> int:
    """Bytes of the frames."""
    size = 0
    for piece in pieces:
        for frame in piece.frames:
            size += len(frame)
    return size


def _in_branch(part: Part, branch: int) -> Part:
    return Part(part.kind, part.role, part.frames, part.rows, part.failed, branch)
