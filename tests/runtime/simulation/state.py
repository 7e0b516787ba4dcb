"""What is remembered: requests, their work at each node, worker processes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from jina.names import GATEWAY
from jina.runtime.steps import Dispatch, Piece, Submitted
from jina.wire import maps
from jina.wire.batching import Batching
from jina.wire.maps import DOCS, LINES
from tests.runtime.simulation.flows import Place
from tests.runtime.simulation.meaning import Meaning


class Violation(AssertionError):
    """The router did what it must not do."""


class Part(NamedTuple):
    """Where work is done: at a node, or at one shard of it where each one gets the request."""

    node: str
    shard: int | None


@dataclass(slots=True, eq=False)
class Asked:
    """A request, as its client remembers it; or what goes on of one although nobody waits."""

    event: Submitted
    meaning: Meaning
    parameters: str
    is_waiting: bool = True  # neither answered nor given up by its client
    is_doomed: bool = False  # a node that nobody is left of, or an error, fails it now
    results: dict[str, list[Piece]] = field(default_factory=dict)
    shares: dict[str, dict[int, list[Piece]]] = field(default_factory=dict)  # node -> by shard
    jobs: dict[Part, Job] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)  # nodes that got it
    passed: set[str] = field(default_factory=set)  # nodes that failed, and it went on
    skipped: set[str] = field(default_factory=set)  # nodes where a row of it stayed as it came
    poison: str = ""  # the node whose workers it kills
    poison_shard: int | None = None  # only this one
    poison_rows: range = range(0)  # with which of the rows there
    hangs: bool = False  # its poison does not kill, if the node has a timeout
    sour: str = ""  # the node whose method raises for it
    sour_rows: range = range(0)  # for which of the rows there
    is_blamed: bool = False  # some of its rows have an error that they raised alone
    due: float = 0.0  # when its time is over; 0 for never
    size: int = 0  # bytes that the router holds for it
    floating: dict[str, Asked] = field(default_factory=dict)  # node -> what nobody waits for
    group: frozenset[str] = frozenset()  # of such a part: its nodes
    heard: set[str] = field(default_factory=set)  # of such a part: nodes whose error was said

    @property
    def client(self) -> bytes:
        """Who asked."""
        return self.event.client

    def branches(self, node: str) -> list[list[Piece]]:
        """What a node gets, by branch: each need, or each shard of the node whose tail it is."""
        own = self.meaning.gathers.get(node)
        if own is not None:
            return [self.shares[own][shard] for shard in range(self.meaning.fans[own])]
        return [
            [piece for source in branch for piece in self.results[source]]
            for branch in self.meaning.branches[node]
        ]

    def answer(self) -> list[Piece]:
        """What its client is to get."""
        return [piece for end in self.meaning.ends for piece in self.results[end]]

    @property
    def is_complete(self) -> bool:
        """Whether whoever is waited for has finished."""
        return self.results.keys() >= (self.group or self.meaning.awaited)


@dataclass(slots=True, eq=False)
class Job:
    """What has become of a request at a node, or at one shard of it."""

    asked: Asked
    part: Part
    queue: Queue | None = None  # where it waits for a worker
    since: float = 0.0  # when it began to wait
    step: int = 0  # likewise
    charges: int = 0  # deaths with it begun
    retried: int = 0  # attempts after the first one
    is_late: bool = False  # the worker has had it for longer than it may
    is_blamed: bool = False  # one died of the report itself
    raised: set[str] = field(default_factory=set)  # errors that were not tried again
    killers: set[tuple[int, int]] = field(default_factory=set)  # rows that are narrowed for it
    raisers: set[tuple[int, int]] = field(default_factory=set)  # rows that raised, likewise
    calls: int = 0  # that came to an end
    is_once: bool = False  # its worker died, and nobody may call it again
    covered: int = 0  # rows that have a result
    given: list[Piece] = field(default_factory=list)  # results so far

    @property
    def input(self) -> list[Piece]:
        """What the node gets of it, whatever the branches."""
        return [piece for branch in self.asked.branches(self.part.node) for piece in branch]

    @property
    def can_narrow(self) -> bool:
        """Whether a half of it can be done: it is no join, and has more than one row."""
        branches = self.asked.branches(self.part.node)
        return len(branches) == 1 and rows_of(branches[0]) > 1


@dataclass(slots=True, eq=False)
class Turn:
    """A client that waits in a queue."""

    jobs: dict[Job, None] = field(default_factory=dict)
    others: Counter[bytes] = field(default_factory=Counter)  # turns they have had meanwhile


@dataclass(slots=True, eq=False)
class Queue:
    """Work of a node, or of one of its shards, that waits: each for itself, or to be one call."""

    part: Part
    batching: Batching | None
    turns: dict[bytes, Turn] = field(default_factory=dict)
    passed_by: Counter[object] = field(default_factory=Counter)  # turns of others meanwhile

    @property
    def jobs(self) -> list[Job]:
        """All that wait."""
        return [job for turn in self.turns.values() for job in turn.jobs]


@dataclass(slots=True, eq=False)
class Given:
    """Work that was sent to a worker."""

    job: Job
    work: Dispatch
    queue: Queue  # where it waited
    is_over: bool = False  # its time was over when it was to begin


@dataclass(slots=True, eq=False)
class Process:
    """A worker's process. What the router knows of it lags behind."""

    identity: bytes
    place: Place
    replica: int
    credits: int
    bound: list[str]
    once: list[str]
    is_alive: bool = True
    is_known: bool = False  # the router was told of its start, and not of its end
    is_retiring: bool = False  # the router was told that it is to end
    has_heir: bool = False  # another one has its place already, or nobody is to have it
    inbox: deque[list[Given] | int] = field(default_factory=deque)  # lots, and tasks taken back
    staged: deque[list[Given]] = field(default_factory=deque)  # lots, or what goes alone
    running: list[Given] = field(default_factory=list)
    given: dict[int, Given] = field(default_factory=dict)  # tasks, as the router sees it
    last_given: int = 0
    sent_until: float = 0.0  # messages do not overtake each other
    reached_until: float = 0.0  # those towards it neither
    stopped_until: float = 0.0  # SIGSTOP, SIGCONT
    was_idle: int = 0  # the task that it had not begun when it was late with it first
    oldest: int = 0  # the task whose time runs
    since: float = 0.0

    @property
    def node(self) -> str:
        """Whose it is."""
        return self.place[0]

    @property
    def load(self) -> int:
        """Credits that are used: a lot is one."""
        # A lot is called as its last task, which may have come back to go alone meanwhile.
        alone = sum(not each.work.lot for each in self.given.values())
        return alone + len({each.work.lot for each in self.given.values() if each.work.lot})

    @property
    def is_free(self) -> bool:
        """Whether it is to be given something."""
        return self.is_known and not self.is_retiring and self.load < self.credits

    @property
    def begun(self) -> int:
        """What stands on the board: of a lot, its last task."""
        return self.running[-1].work.task if self.running else 0


def piece_of(text: str, rows: int) -> Piece:
    """Some rows, and their text."""
    return Piece(maps.Part(LINES, DOCS, 1, rows), [text.encode()])


def rows_of(pieces: Iterable[Piece]) -> int:
    """How many there are."""
    return sum(piece.part.rows for piece in pieces)


def size_of(pieces: Iterable[Piece]) -> int:
    """Bytes."""
    return sum(len(frame) for piece in pieces for frame in piece.frames)


def in_branch(piece: Piece, branch: int) -> Piece:
    """The piece as it goes to a join."""
    if not branch:
        return piece
    part = piece.part
    changed = maps.Part(part.kind, part.role, part.frames, part.rows, part.failed, branch)
    return Piece(changed, piece.frames)


def request_of(event: Submitted, meaning: Meaning, parameters: str) -> Asked:
    """A request that is about to be sent."""
    return Asked(event, meaning, parameters, results={GATEWAY: list(event.pieces)})
