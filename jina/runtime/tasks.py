"""What the router remembers: requests under way, their tasks, the workers that do them.

Plain state, changed by the router alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from jina.graph.course import Course
from jina.names import GATEWAY
from jina.runtime.journey import Journey
from jina.runtime.steps import Dispatch, Joined, Piece, Submitted
from jina.wire.maps import DOCS, GROUNDTRUTHS, ErrorInfo, Part, Times, Way

_RAW = Way(is_raw=True)


class Request:
    """A request under way."""

    __slots__ = (
        "afloat",
        "answered",
        "asked",
        "bytes",
        "course",
        "is_floating",
        "joined",
        "journey",
        "results",
        "shares",
        "timers",
        "waiting",
    )

    def __init__(self, asked: Submitted, course: Course) -> None:
        self.asked = asked
        self.course = course
        self.joined: tuple[str, ...] = ()  # joins whose branches have all come
        self.journey = Journey(asked) if asked.is_timed else None
        self.timers: tuple[int, ...] = ()  # that nobody needs once it is answered
        self.results: dict[str, Sequence[Piece]] = {GATEWAY: asked.pieces}
        self.shares: dict[str, dict[int, Sequence[Piece]]] = {}  # node -> shard -> what it gave
        self.waiting = course.awaited  # nodes that have not finished
        self.answered = False  # or nobody wants an answer any more
        self.is_floating = False  # nobody waits for it
        self.afloat: tuple[Request, ...] = ()  # what of it nobody waits for
        self.bytes = size_of(asked.pieces)

    def floating(self, node: str) -> Request:
        """A request of its own for a node that nobody waits for, and its head and tail."""
        other = Request(self.asked, self.course)
        sources = [name for branch in self.course.inputs[node] for name in branch]
        other.results = {name: self.results[name] for name in sources}
        other.waiting = self.course.floats[node]
        other.is_floating = True
        other.bytes = sum(map(size_of, other.results.values()))
        self.afloat += (other,)
        return other

    def gather(self, node: str, shard: int, pieces: Sequence[Piece]) -> Sequence[Piece] | None:
        """Take what a shard gave.

        Returns:
            the whole result once every shard's part is there, in their order; None before.
        """
        shares = self.shares.setdefault(node, {})
        shares[shard] = pieces
        shards = self.course.fans[node]
        if len(shares) < shards:
            return None
        del self.shares[node]
        if not any(name in self.course.gathers for name in self.course.after.get(node, ())):
            return [piece for shard in range(shards) for piece in shares[shard]]
        # The tail takes them apart again.
        return [
            Piece(_in_branch(piece.part, shard), piece.frames)
            for shard in range(shards)
            for piece in shares[shard]
        ]

    def opened_journey(self) -> Journey:
        """What it met, of which there was nothing to tell so far unless it is timed."""
        if self.journey is None:
            self.journey = Journey(self.asked)
        return self.journey

    def way(self) -> Way | None:
        """What its client is told of its way; None if there is nothing to tell."""
        if self.journey is not None:
            return self.journey.way(self.course.end)
        # Beside what Executors made of it, the request itself: nobody wrote lines of that.
        return _RAW if self.course.inputs and GATEWAY in self.course.end else None


class Task:
    """A request at one node, or at one shard of it."""

    __slots__ = (
        "attempts",
        "blame",
        "branches",
        "carried",
        "done",
        "first",
        "lot",
        "node",
        "number",
        "overdue_s",
        "pieces",
        "queued",
        "request",
        "retried",
        "shard",
        "skip",
        "stop",
        "todo",
    )

    def __init__(self, number: int, request: Request, node: str, shard: int | None = None) -> None:
        self.number = number
        self.request = request
        self.node = node
        self.shard = shard  # None for any
        self.attempts = 0  # deaths of workers that had begun it
        self.first = self.stop = 0  # the outcomes to do now; both 0 for all at once
        self.todo: list[tuple[int, int]] = []  # those to do afterwards, the next one last
        self.lot = 0  # the number of the last task that is to be one call with it; 0 for alone
        self.done: list[Piece] = []  # what those before gave
        self.carried = 0  # how much of that is at its worker, which puts its own behind it
        self.blame: ErrorInfo | None = None  # what the one to do now is reported as
        self.skip = False  # the one to do now is to stay as it came
        self.retried = 0  # attempts after the first one that its Executor refused
        self.overdue_s = 0.0  # its worker had it for longer than this, which is too long
        inputs = request.course.inputs[node]
        self.queued = request.journey.since(inputs) if request.journey is not None else 0.0
        self.branches = len(inputs)
        self.pieces: Sequence[Piece]
        if node in request.course.gathers:
            self.branches = request.course.gathers[node]
            self.pieces = request.results[inputs[0][0]]
        elif node not in request.course.joins:
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

    @property
    def rows(self) -> int:
        """Its outcomes: Documents, or lines that may become some."""
        return sum(piece.part.rows for piece in self.pieces if piece.part.role != GROUNDTRUTHS)

    def narrow(self, error: ErrorInfo, continues: bool = False) -> bool:
        """Do half as much at a time, or blame the one that is left.

        Args:
            error: what it is reported as.
            continues: report nothing: let it stay as it came.

        Returns:
            False where that is not possible: a single outcome to begin with, or a join, whose
            branches cannot be cut alike.
        """
        if self.blame is not None or self.skip or self.branches > 1:
            return False
        if not self.stop:
            if self.rows < 2:
                return False
            self.stop = self.rows
        if self.stop - self.first == 1:
            self.blame, self.skip = (None, True) if continues else (error, False)
        else:
            middle = (self.first + self.stop) // 2
            self.todo.append((middle, self.stop))
            self.stop = middle
        return True

    def go_on(self, pieces: Sequence[Piece]) -> Sequence[Piece] | None:
        """Take a reply; returns the whole result, or None while there is more to do."""
        if not self.stop:
            return pieces
        self.done[: self.carried] = []  # it stands in the reply
        self.done += pieces
        if not self.todo:
            return self.done
        self.first, self.stop = self.todo.pop()
        self.blame = None
        self.skip = False
        return None

    def dispatch(self, worker: bytes, most_frames: int) -> Dispatch:
        """The task as it goes to a worker now.

        Args:
            worker: its identity.
            most_frames: of what the parts before gave; more are put together on the way.
        """
        asked = self.request.asked
        is_much = sum(len(piece.frames) for piece in self.done) > most_frames
        self.carried = len(self.done) if is_much else 0
        is_answer = self.node in self.request.course.end
        return Dispatch(
            worker,
            self.number,
            asked.endpoint,
            asked.rows,
            asked.base,
            asked.call,
            [*self.pieces, *self.done] if is_much else self.pieces,
            self.branches,
            self.request.course.last == self.node,
            self.first,
            self.stop,
            self.blame,
            asked.deadline,
            asked.is_timed,
            self.skip,
            self.lot,
            asked.client if self.blame is not None else b"",
            self.carried,
            is_answer and self.node not in self.request.course.after,
            is_answer,
        )

    def as_it_came(self) -> list[Piece]:
        """What its node was given, for those who take its result: a join's branches in a row."""
        return [
            Piece(_in_branch(piece.part, 0), piece.frames) if piece.part.branch else piece
            for piece in self.pieces
        ]

    def note(self, worker: Worker, times: Times, error: ErrorInfo | None = None) -> None:
        """Note how long a call took, if its client wants to know."""
        journey = self.request.journey
        if journey is None or not journey.is_timed:
            return
        rows = self.stop - self.first or sum(
            piece.part.rows for piece in self.pieces if piece.part.role == DOCS
        )
        journey.note_call(self.node, worker.replica, rows, self.queued, times, error, worker.shard)
        self.queued = times.ended


class Worker:
    """A ready replica."""

    __slots__ = (
        "_left",
        "credits",
        "identity",
        "last_used",
        "load",
        "node",
        "replica",
        "shard",
        "tasks",
        "timer",
        "watched",
    )

    def __init__(self, joined: Joined) -> None:
        self.identity = joined.worker
        self.node = joined.node
        self.shard = joined.shard
        self.replica = joined.replica
        self.credits = joined.credits
        self.tasks: dict[int, Task] = {}  # outstanding, oldest first
        self.load = 0  # credits that are used: each lot is one, until all of it is back
        self.last_used = 0
        self.watched: Task | None = None  # the one whose time runs
        self.timer = 0
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
