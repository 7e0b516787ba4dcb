"""A whole Flow in one thread and in no time: the router, with everything around it made up.

Graph, clients, workers, delays, deaths and messages that come too late are drawn from one seed, so
a run can be repeated exactly. Time is a number. At each step what the router wants done is compared
with what the graph means, told here in the slow and obvious way: by recursion over `needs`.

    python -m tests.runtime.simulator SEED      tells the run of one seed, event by event
"""

from __future__ import annotations

import heapq
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random

import msgspec

from jina.graph.course import in_order
from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    ClientLeft,
    Dispatch,
    Draining,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Piece,
    Raised,
    Refuse,
    Replied,
    StartTimer,
    Submitted,
)
from jina.wire.batching import Batching
from jina.wire.maps import DOCS, LINES, ErrorInfo, Part

ENDPOINTS = ["/index", "/search", "/status"]
TARGETS = [None, None, None, None, ["n0", "n1", "n2", "n3"], ["n0", "n3", "n6"], ["nobody"], []]
ALONE: dict[str, object] = {"use_dynamic_batching": False}
PARAMETERS: list[dict[str, object]] = [{}, {}, {}, {"top": 1}, {"top": 1.0}, ALONE]
MAX_ATTEMPTS = 2
WINDOW = 4
LATEST = 0.2  # of a timer


@dataclass
class Asked:
    """A request, as its client remembers it."""

    event: Submitted
    parameters: str
    is_waiting: bool = True  # neither answered nor given up by its client
    results: dict[str, list[Piece]] = field(default_factory=dict)
    charges: Counter[str] = field(default_factory=Counter)  # node -> deaths with it begun
    raised: set[str] = field(default_factory=set)
    dispatched: set[str] = field(default_factory=set)  # nodes where it is or has been done
    poison: str = ""  # the node whose workers it kills
    poison_rows: range = range(0)  # with which of the rows there
    narrowed: dict[str, list[Piece]] = field(default_factory=dict)  # node -> results so far
    covered: Counter[str] = field(default_factory=Counter)  # node -> rows that have a result
    killers: set[tuple[str, int, int]] = field(default_factory=set)  # node, and the rows begun
    blamed: set[str] = field(default_factory=set)  # nodes where one died of the report itself
    seen_waiting: dict[str, float] = field(default_factory=dict)  # node -> since when


@dataclass
class Process:
    """A worker's process. What the router knows of it lags behind."""

    identity: bytes
    node: str
    replica: int
    credits: int
    is_alive: bool = True
    is_known: bool = False  # the router was told of its start, and not of its end
    staged: deque[list[int]] = field(default_factory=deque)  # lots, or parts of one that go alone
    running: list[int] = field(default_factory=list)
    given: dict[int, Asked] = field(default_factory=dict)  # tasks, as the router sees it
    work: dict[int, Dispatch] = field(default_factory=dict)  # every one that was sent to it
    last_given: int = 0
    sent_until: float = 0.0  # messages do not overtake each other

    @property
    def load(self) -> int:
        """Credits that are used: a lot is one."""
        return len({self.work[task].lot or task for task in self.given})

    @property
    def begun(self) -> int:
        """What stands on the board: of a lot, its last task."""
        return self.running[-1] if self.running else 0


class Violation(AssertionError):
    """The router did what it must not do."""


class Simulation:
    """One run.

    Args:
        seed: decides everything.
        events: how many events disturb it before it may come to rest.
        tell: called with each event and action, in words.
    """

    def __init__(
        self, seed: int, *, events: int = 800, tell: Callable[[str], None] | None = None
    ) -> None:
        self.steps = 0
        self._random = Random(seed)
        self._events_left = events
        self._tell = tell
        self._now = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._nodes = in_order(self._graph())
        self._needs = {node.name: node.needs for node in self._nodes}
        self._bound = {node.name: self._endpoints() for node in self._nodes}
        share = self._random.choice([0.0, 0.4, 1.0])  # of the endpoints
        self._batching = {node.name: self._settings(node.name, share) for node in self._nodes}
        self._parameters = self._random.choice([PARAMETERS, [{}], [{}]])
        self._seen: set[str] = set()  # nodes of which a worker has been ready
        self._failed: set[str] = set()  # nodes that gave up
        self._replicas_left = {node.name: node.replicas for node in self._nodes}
        self._processes: dict[bytes, Process] = {}
        self._asked: dict[tuple[bytes, int], Asked] = {}
        self._waiting: dict[bytes, dict[int, Asked]] = {}
        self._bytes = 0
        self._is_draining = False
        self._lives = 0
        self._given = 0
        self.router = Router(self._nodes, window_requests=WINDOW, max_attempts=MAX_ATTEMPTS)

    def _graph(self) -> list[PlannedNode]:
        draw = self._random
        names = [f"n{index}" for index in range(draw.randint(1, 8))]
        nodes = []
        for index, name in enumerate(names):
            before = [GATEWAY, *names[:index]]
            needs = draw.sample(before, min(len(before), draw.choice([1, 1, 1, 2, 3])))
            nodes.append(PlannedNode(name=name, needs=needs, replicas=draw.randint(1, 3)))
        draw.shuffle(nodes)
        return nodes

    def _endpoints(self) -> list[str]:
        bound = [endpoint for endpoint in ENDPOINTS if self._random.random() < 0.6]
        return [*bound, DEFAULT_ENDPOINT] if self._random.random() < 0.1 else bound

    def _settings(self, node: str, share: float) -> dict[str, Batching]:
        draw = self._random
        return {
            endpoint: Batching(
                draw.choice([1, 8, 20]), draw.choice([0, 400, 3000]), draw.random() < 0.2
            )
            for endpoint in self._bound[node]
            if draw.random() < share
        }

    # --- time ---

    def run(self) -> None:
        """Live through the whole of it, then check that nothing is left.

        Raises:
            Violation: the router broke a promise.
        """
        for node in self._nodes:
            for replica in range(node.replicas):
                self._start(node.name, replica)
        for client in range(self._random.randint(1, 4)):
            self._later(self._client_acts, f"client-{client}".encode())
        self._later(self._disaster)
        if self._random.random() < 0.1:
            self._later(self._drain, after=self._random.choice([10.0, 40.0]))
        while self._agenda:
            self._now, _, act = heapq.heappop(self._agenda)
            act()
        self._check_rest()

    def _later(self, act: Callable[..., None], *arguments: object, after: float = 0.0) -> None:
        self._order += 1
        moment = self._now + after + self._random.expovariate(1.0)
        heapq.heappush(self._agenda, (moment, self._order, lambda: act(*arguments)))

    def _send(self, process: Process, event: Event) -> None:
        """A worker's message: on its way for a while, in order, whether its sender lives or not."""
        process.sent_until = max(process.sent_until, self._now + self._random.expovariate(2.0))
        self._order += 1
        heapq.heappush(
            self._agenda,
            (process.sent_until, self._order, lambda: self._on_message(process, event)),
        )

    # --- clients ---

    def _client_acts(self, client: bytes) -> None:
        if self._events_left <= 0:
            return
        self._events_left -= 1
        waiting = self._waiting.setdefault(client, {})
        if not self.router.is_complete:
            pass  # nobody is listened to before
        elif self._random.random() < 0.03:
            for asked in waiting.values():
                asked.is_waiting = False
                self._bytes -= _size(asked)
            del self._waiting[client]
            self._step(ClientLeft(client))
            client = client + b"'"  # somebody else comes
        elif waiting and self._random.random() < 0.05:
            asked = self._random.choice(list(waiting.values()))
            if self._step(asked.event):
                raise Violation("a request that was repeated had consequences")
        else:
            self._post(client, waiting)
        self._later(self._client_acts, client)

    def _post(self, client: bytes, waiting: dict[int, Asked]) -> None:
        draw = self._random
        number = len(self._asked) + 1
        pieces = [
            _piece(f"{number}.{part}" * draw.randint(1, 9), draw.randint(0, 5))
            for part in range(draw.randint(0, 2))
        ]
        parameters = draw.choice(self._parameters)
        call = msgspec.msgpack.encode([parameters, client, number])
        asked = Asked(
            Submitted(
                client, number, draw.choice(ENDPOINTS), draw.choice(TARGETS), 1, 1, call, pieces
            ),
            repr(parameters),
        )
        if draw.random() < 0.05:
            asked.poison = draw.choice(self._nodes).name
            asked.poison_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        self._asked[client, number] = asked
        is_over = len(waiting) >= WINDOW
        waiting[number] = asked
        self._bytes += _size(asked)
        actions = self._step(asked.event)
        refused = [action for action in actions if isinstance(action, Refuse)]
        if is_over != any("under way" in refusal.reason for refusal in refused):
            raise Violation("the window was not kept")

    # --- workers ---

    def _start(self, node: str, replica: int) -> None:
        self._lives += 1
        process = Process(
            f"{node}/{replica}/{self._lives}".encode(), node, replica, self._random.randint(1, 3)
        )
        self._later(self._is_up, process, after=self._random.choice([0.0, 5.0]))

    def _is_up(self, process: Process) -> None:
        self._processes[process.identity] = process
        process.is_known = True
        self._seen.add(process.node)
        self._step(
            Joined(
                process.identity,
                process.node,
                process.replica,
                self._bound[process.node],
                process.credits,
                self._batching[process.node],
            )
        )

    def _on_dispatch(self, process: Process, lot: list[int]) -> None:
        if process.is_alive:
            process.staged.append(lot)
            self._go_on(process)

    def _go_on(self, process: Process) -> None:
        if process.running or not process.staged:
            return
        process.running = process.staged.popleft()
        for task in process.running:
            asked = process.given.get(task)
            if asked and asked.poison == process.node and _kills(asked, process.work[task]):
                self._die(process)
                return
        self._later(self._finish, process)

    def _finish(self, process: Process) -> None:
        if not process.is_alive:
            return
        lot, process.running = process.running, []
        alone: list[int] = []
        if len(lot) > 1 and self._random.random() < 0.2:  # the call raised
            alone = self._random.sample(lot, self._random.randint(1, len(lot)))
        for task in lot:
            if task not in alone:
                self._report(process, task)
        process.staged.extendleft([task] for task in reversed(lot) if task in alone)
        self._go_on(process)

    def _report(self, process: Process, task: int) -> None:
        if self._random.random() < 0.05:
            error = ErrorInfo("ValueError", f"{task}", process.node, process.replica)
            self._send(process, Raised(process.identity, task, error))
        else:
            texts = [
                f"{process.identity.decode()}:{task}.{part}"
                for part in range(self._random.choice([0, 1, 1, 2]))
            ]
            pieces = [_piece(text, self._random.randint(0, 5)) for text in texts]
            self._send(process, Replied(process.identity, task, pieces))

    def _on_message(self, process: Process, event: Replied | Raised) -> None:
        asked = process.given.pop(event.task, None) if process.is_known else None
        if asked and asked.is_waiting:
            if isinstance(event, Replied):
                self._take(asked, process, event)
            else:
                asked.raised.add(process.node)
        actions = self._step(event)
        if asked is None and actions:
            raise Violation("a late message had consequences")

    def _take(self, asked: Asked, process: Process, reply: Replied) -> None:
        node, work = process.node, process.work[reply.task]
        asked.narrowed.setdefault(node, []).extend(reply.pieces)
        asked.covered[node] = work.stop
        if not work.stop or work.stop == _rows(work.pieces):
            asked.results[node] = asked.narrowed[node]
            self._bytes += _bytes(asked.results[node])
        else:
            asked.dispatched.discard(node)

    def _drain(self) -> None:
        """Nobody waits for others from now on; whatever still comes is served at once."""
        if self._seen | self._failed >= set(self._needs):
            self._is_draining = True
            self._step(Draining())

    def _disaster(self) -> None:
        if self._events_left <= 0:
            return
        self._events_left -= 1
        alive = [process for process in self._processes.values() if process.is_alive]
        if alive:
            self._die(self._random.choice(alive))
        self._later(self._disaster, after=self._random.choice([1.0, 20.0]))

    def _die(self, process: Process) -> None:
        process.is_alive = False
        self._later(self._is_lost, process, process.begun)

    def _is_lost(self, process: Process, begun: int) -> None:
        process.is_known = False
        for task, asked in process.given.items():
            work = process.work[task]
            if asked.is_waiting and begun and begun in (task, work.lot):
                asked.charges[process.node] += 1
                asked.killers.add((process.node, work.first, work.stop))
                if work.blame:
                    asked.blamed.add(process.node)
        again = [asked for task, asked in process.given.items() if asked.is_waiting]
        process.given.clear()
        for asked in again:
            asked.dispatched.discard(process.node)
            asked.seen_waiting[process.node] = float("-inf")  # long enough
        self._step(Lost(process.identity, begun, "killed"))
        if self._random.random() < 0.06:
            self._replicas_left[process.node] -= 1
            if not self._replicas_left[process.node]:
                self._failed.add(process.node)
                self._step(NodeFailed(process.node, "gone"))
        else:
            self._start(process.node, process.replica)

    # --- the router, watched ---

    def _step(self, event: Event) -> list[Action]:
        self.steps += 1
        actions = self.router.step(event)
        if self._tell:
            self._tell(f"{self._now:9.3f}  {event}")
            for action in actions:
                self._tell(f"             -> {action}")
        lot: list[Dispatch] = []
        for action in actions:
            if isinstance(action, Dispatch):
                self._check_dispatch(action, lot)
                if action.lot in (0, action.task):
                    self._check_lot(lot)
                    lot = []
            elif isinstance(action, StartTimer):
                late = action.seconds + self._random.random() * LATEST
                self._order += 1
                expire: Callable[[], None] = partial(self._expire, action.timer)
                heapq.heappush(self._agenda, (self._now + late, self._order, expire))
            else:
                self._check_outcome(action)
        if lot:
            raise Violation("a lot without its end")
        if self.router.bytes_held != self._bytes:
            raise Violation(f"{self.router.bytes_held} bytes held, {self._bytes} are due")
        if isinstance(event, (Lost, Joined)) or self.steps % 20 == 0:
            self._check_nobody_idles()
        return actions

    def _check_nobody_idles(self) -> None:
        free = {
            process.node
            for process in self._processes.values()
            if process.is_known and process.load < process.credits
        }
        if not free or not self._seen | self._failed >= set(self._needs):
            return
        groups: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        for waiting in self._waiting.values():
            for asked in waiting.values():
                for node in free - asked.dispatched:
                    if self._takes_part(asked, node) and self._is_due(asked, node):
                        batching = self._batched(asked, node)
                        since = asked.seen_waiting.setdefault(node, self._now)
                        if self._is_draining or batching is None:
                            raise Violation(f"{node} idles, and {asked.event.number} waits for it")
                        if since + batching.timeout / 1000 + LATEST < self._now:
                            raise Violation(f"{node} idles, and {asked.event.number} waits for it")
                        group = (node, asked.event.endpoint, asked.parameters)
                        groups[group] += _rows(self._input(asked, node))
                        if groups[group] >= batching.preferred_batch_size:
                            raise Violation(f"{node} idles, and a whole batch waits for it")

    def _is_due(self, asked: Asked, node: str) -> bool:
        sources = {source for need in self._needs[node] for source in self._sources(asked, need)}
        return sources - {GATEWAY} <= set(asked.results)

    def _expire(self, timer: int) -> None:
        self._step(Expired(timer))

    def _check_lot(self, lot: list[Dispatch]) -> None:
        """What becomes one call belongs together, and is no more than wanted."""
        process = self._processes[lot[0].worker]
        self._later(self._on_dispatch, process, [action.task for action in lot])
        if len(lot) == 1:
            if lot[0].lot:
                raise Violation("a lot of one")
            return
        asked = [process.given[action.task] for action in lot]
        if len({(action.worker, action.lot, action.endpoint) for action in lot}) > 1:
            raise Violation("a lot that does not belong together")
        if len({each.parameters for each in asked}) > 1:
            raise Violation("requests with other parameters in one call")
        settings = [self._batched(each, process.node) for each in asked]
        batching = settings[0]
        if batching is None or None in settings:
            raise Violation("a request in a lot that was to go alone")
        rows = sum(_rows(action.pieces) for action in lot[:-1])
        if not batching.flush_all and rows >= batching.preferred_batch_size:
            raise Violation("a lot that had enough without its last")

    def _batched(self, asked: Asked, node: str) -> Batching | None:
        """The settings by which a request waits for others at a node; None for alone."""
        settings, endpoint = self._batching[node], asked.event.endpoint
        if not settings:
            return None
        known = settings.get(DEFAULT_ENDPOINT) if endpoint not in self._bound[node] else None
        found = settings.get(endpoint, known)
        is_join = len(self._needs[node]) > 1 or len(self._sources(asked, self._needs[node][0])) > 1
        is_alone = asked.parameters == repr(ALONE) or is_join or asked.charges[node]
        return None if is_alone or not _rows(self._input(asked, node)) else found

    def _input(self, asked: Asked, node: str) -> list[Piece]:
        return [piece for need in self._needs[node] for piece in self._result(asked, need)]

    def _check_dispatch(self, action: Dispatch, before: list[Dispatch]) -> None:
        _, client, number = msgspec.msgpack.decode(action.call)
        asked = self._asked[client, number]
        process = self._processes[action.worker]
        node = process.node
        if not asked.is_waiting:
            raise Violation("work for a request that has its answer")
        if not process.is_known:
            raise Violation("work for a dead worker")
        if not before and process.load >= process.credits:
            raise Violation("more work than the worker has credits")
        if node in asked.dispatched:
            raise Violation("the same work twice at a time")
        if not self._takes_part(asked, node):
            raise Violation("work for a node that takes no part")
        for other in self._processes.values():
            if (
                not before
                and other.node == node
                and other.is_known
                and other.load < other.credits
                and (other.load, other.last_given) < (process.load, process.last_given)
            ):
                raise Violation("work for a busier worker")
        branches = [self._result(asked, need) for need in self._needs[node]]
        expected = [
            Piece(_branched(piece.part, index), piece.frames)
            for index, pieces in enumerate(branches)
            for piece in pieces
        ]
        if list(action.pieces) != expected or action.branches != len(branches):
            raise Violation(f"other pieces than {expected}")
        if action.is_last != (self._ends(asked) == [node]):
            raise Violation("is_last is wrong")
        names = ("endpoint", "rows", "base", "call")
        if any(getattr(asked.event, name) != getattr(action, name) for name in names):
            raise Violation("not what the client said")
        if (action.blame is not None) != (
            (node, action.first, action.stop) in asked.killers
            and (action.stop > 0 and action.stop - action.first == 1)
        ):
            raise Violation("blamed without need, or not blamed")
        if action.stop:
            is_fair = asked.charges[node] >= MAX_ATTEMPTS and len(branches) == 1
            if not is_fair or not action.first < action.stop <= _rows(action.pieces):
                raise Violation("narrowed down without need")
            if action.first != asked.covered[node]:
                raise Violation("rows twice, or not at all")
            if action.blame is None and (node, action.first, action.stop) in asked.killers:
                raise Violation("rows that killed are not narrowed down")
        elif asked.charges[node] >= MAX_ATTEMPTS:
            raise Violation("a deadly request once more")
        self._given += 1
        process.last_given = self._given
        process.work[action.task] = action
        process.given[action.task] = asked
        asked.dispatched.add(node)
        asked.seen_waiting.pop(node, None)
        before.append(action)

    def _check_outcome(self, action: Answer | AnswerError | Refuse) -> None:
        asked = self._waiting.get(action.client, {}).pop(action.number, None)
        if asked is None or not asked.is_waiting:
            raise Violation("a second outcome, or one that nobody waits for")
        if isinstance(action, Answer):
            expected = [piece for end in self._ends(asked) for piece in self._result(asked, end)]
            if list(action.pieces) != expected:
                raise Violation(f"another answer than {expected}")
            if action.served != sum(self._takes_part(asked, name) for name in self._needs):
                raise Violation("served is wrong")
        elif isinstance(action, AnswerError):
            node = action.error.executor
            is_true = {
                "ValueError": node in asked.raised,
                "jina.excepts.WorkerDied": asked.charges[node] >= MAX_ATTEMPTS
                and (node in asked.blamed or not self._can_narrow(asked, node)),
                "jina.excepts.ExecutorUnavailable": node in self._failed,
            }
            if not is_true[action.error.type]:
                raise Violation("an error that did not happen")
        asked.is_waiting = False
        self._bytes -= _size(asked)

    def _check_rest(self) -> None:
        left = [number for waiting in self._waiting.values() for number in waiting]
        if left:
            raise Violation(f"never answered: {left}")
        if self.router.bytes_held or self.router.requests_held:
            raise Violation("something is held at rest")
        for process in self._processes.values():
            if self.router.outstanding(process.identity):
                raise Violation("a task is outstanding at rest")

    # --- what the graph means ---

    def _takes_part(self, asked: Asked, node: str) -> bool:
        bound = self._bound[node] if node in self._seen else [DEFAULT_ENDPOINT]
        if asked.event.endpoint not in bound and DEFAULT_ENDPOINT not in bound:
            return False
        return asked.event.targets is None or node in asked.event.targets

    def _can_narrow(self, asked: Asked, node: str) -> bool:
        branches = [self._result(asked, need) for need in self._needs[node]]
        return len(branches) == 1 and _rows(branches[0]) > 1

    def _sources(self, asked: Asked, name: str) -> list[str]:
        """Whose results stand for a node's."""
        if name == GATEWAY or self._takes_part(asked, name):
            return [name]
        return [source for need in self._needs[name] for source in self._sources(asked, need)]

    def _result(self, asked: Asked, name: str) -> list[Piece]:
        return [
            piece
            for source in self._sources(asked, name)
            for piece in (asked.event.pieces if source == GATEWAY else asked.results[source])
        ]

    def _ends(self, asked: Asked) -> list[str]:
        """Whose results are the answer."""
        if not any(self._takes_part(asked, name) for name in self._needs):
            return [GATEWAY]
        needed = {need for needs in self._needs.values() for need in needs}
        ends = [name for name in self._needs if name not in needed]
        return [source for end in ends for source in self._sources(asked, end)]


def _piece(text: str, rows: int) -> Piece:
    return Piece(Part(LINES, DOCS, 1, rows), [text.encode()])


def _rows(pieces: Iterable[Piece]) -> int:
    return sum(piece.part.rows for piece in pieces)


def _kills(asked: Asked, work: Dispatch) -> bool:
    """Whether a worker survives these rows; reporting them is no call."""
    if work.blame:
        return False
    return not work.stop or any(row in asked.poison_rows for row in range(work.first, work.stop))


def _branched(part: Part, branch: int) -> Part:
    return Part(part.kind, part.role, part.frames, part.rows, part.failed, branch)


def _size(asked: Asked) -> int:
    return _bytes(asked.event.pieces) + sum(map(_bytes, asked.results.values()))


def _bytes(pieces: Iterable[Piece]) -> int:
    return sum(len(frame) for piece in pieces for frame in piece.frames)


if __name__ == "__main__":
    Simulation(int(sys.argv[1]), tell=print).run()
