"""A whole Flow in one thread and in no time: the router, with everything around it made up.

Graph, clients, workers, delays, deaths and messages that come too late are drawn from one seed, so
a run can be repeated exactly. Time is a number. At each step what the router wants done is compared
with what the graph means, told here in the slow and obvious way: by recursion over `needs`.

    python -m tests.runtime.simulator SEED      tells the run of one seed, event by event
"""

from __future__ import annotations

import heapq
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

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
    Event,
    Joined,
    Lost,
    NodeFailed,
    Piece,
    Raised,
    Refuse,
    Replied,
    Submitted,
    Unheard,
)
from jina.wire import maps
from jina.wire.maps import DOCS, LINES, ErrorInfo

ENDPOINTS = ["/index", "/search", "/status"]
TARGETS = [None, None, None, None, ["n0", "n1", "n2", "n3"], ["n0", "n3", "n6"], ["nobody"], []]
MAX_ATTEMPTS = 2
WINDOW = 4


class Part(NamedTuple):
    """Where work is done: at a node, or at one shard of it where each one gets the request."""

    node: str
    shard: int | None


@dataclass
class Asked:
    """A request, as its client remembers it; or what goes on of one although nobody waits."""

    event: Submitted
    is_waiting: bool = True  # neither answered nor given up by its client
    results: dict[str, list[Piece]] = field(default_factory=dict)
    shares: dict[str, dict[int, list[Piece]]] = field(default_factory=dict)  # node -> by shard
    charges: Counter[Part] = field(default_factory=Counter)  # deaths with it begun
    raised: set[str] = field(default_factory=set)
    dispatched: set[Part] = field(default_factory=set)  # where it is or has been done
    poison: str = ""  # the node whose workers it kills
    poison_rows: range = range(0)  # with which of the rows there
    narrowed: dict[Part, list[Piece]] = field(default_factory=dict)  # results so far
    covered: Counter[Part] = field(default_factory=Counter)  # rows that have a result
    killers: set[tuple[Part, int, int]] = field(default_factory=set)  # and the rows begun
    blamed: set[Part] = field(default_factory=set)  # where one died of the report itself
    bytes: int = 0  # that the router holds for it
    floating: dict[str, Asked] = field(default_factory=dict)  # node -> what nobody waits for
    group: frozenset[str] = frozenset()  # of such a part: its nodes
    taking: dict[str, bool] = field(default_factory=dict)  # node -> whether it takes part


@dataclass
class Process:
    """A worker's process. What the router knows of it lags behind."""

    identity: bytes
    node: str
    shard: int
    replica: int
    credits: int
    is_alive: bool = True
    is_known: bool = False  # the router was told of its start, and not of its end
    staged: deque[int] = field(default_factory=deque)
    running: int = 0
    given: dict[int, Asked] = field(default_factory=dict)  # tasks, as the router sees it
    work: dict[int, Dispatch] = field(default_factory=dict)  # every one that was sent to it
    last_given: int = 0
    sent_until: float = 0.0  # messages do not overtake each other


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
        self._node = {node.name: node for node in self._nodes}
        self._needs = {node.name: node.needs for node in self._nodes}
        self._bound = {
            node.name: [] if node.reduces and self._random.random() < 0.5 else self._endpoints()
            for node in self._nodes
        }
        self._seen: set[str] = set()  # nodes of which a worker has been ready
        self._failed: set[tuple[str, int]] = set()  # nodes and shards that gave up
        self._replicas_left = {
            (node.name, shard): node.replicas
            for node in self._nodes
            for shard in range(node.shards)
        }
        self._may_float = [node for node in self._nodes if node.is_floating]
        self._afloat: list[Asked] = []  # what goes on although nobody waits
        self._processes: dict[bytes, Process] = {}
        self._asked: dict[tuple[bytes, int], Asked] = {}
        self._waiting: dict[bytes, dict[int, Asked]] = {}
        self._bytes = 0
        self._lives = 0
        self._given = 0
        self.router = Router(self._nodes, window_requests=WINDOW, max_attempts=MAX_ATTEMPTS)

    def _graph(self) -> list[PlannedNode]:
        draw = self._random
        nodes: list[PlannedNode] = []
        outlets = [GATEWAY]  # whose results others may take
        for index in range(draw.randint(1, 8)):
            needs = draw.sample(outlets, min(len(outlets), draw.choice([1, 1, 1, 2, 3])))
            parts = self._parts(f"n{index}", needs)
            nodes += parts
            if not parts[-1].is_floating:
                outlets.append(parts[-1].name)
        draw.shuffle(nodes)
        return nodes

    def _parts(self, name: str, needs: list[str]) -> list[PlannedNode]:
        """A node, perhaps with shards, a head and a tail."""
        draw = self._random
        parts = []
        is_floating = draw.random() < 0.1
        if draw.random() < 0.1:
            head = f"{name}/head"
            parts.append(PlannedNode(name=head, needs=needs, of=name, is_floating=is_floating))
            needs = [head]
        shards = draw.choice([1, 1, 2, 3])
        polling = {each: draw.choice(["ANY", "ALL"]) for each in [*ENDPOINTS[:2], "*"]}
        node = PlannedNode(
            name=name,
            needs=needs,
            replicas=draw.randint(1, 3 if shards == 1 else 2),
            shards=shards,
            polling=polling if shards > 1 else {},
            is_floating=is_floating,
        )
        parts.append(node)
        if draw.random() < (0.1 if shards == 1 else 0.7):
            tail = PlannedNode(
                name=f"{name}/tail",
                needs=[name],
                of=name,
                reduces=shards > 1 and draw.random() < 0.8,
                is_floating=is_floating,
            )
            parts.append(tail)
        return parts

    def _endpoints(self) -> list[str]:
        bound = [endpoint for endpoint in ENDPOINTS if self._random.random() < 0.6]
        return [*bound, DEFAULT_ENDPOINT] if self._random.random() < 0.1 else bound

    # --- time ---

    def run(self) -> None:
        """Live through the whole of it, then check that nothing is left.

        Raises:
            Violation: the router broke a promise.
        """
        for node in self._nodes:
            for shard in range(node.shards):
                for replica in range(node.replicas):
                    self._start(node.name, shard, replica)
        for client in range(self._random.randint(1, 4)):
            self._later(self._client_acts, f"client-{client}".encode())
        self._later(self._disaster)
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
                self._is_over(asked)
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
        event = Submitted(
            client, number, draw.choice(ENDPOINTS), draw.choice(TARGETS), 1, 1, b"", pieces
        )
        asked = Asked(msgspec.structs.replace(event, call=b"%s %d" % (client, number)))
        if draw.random() < 0.05:
            asked.poison = draw.choice(self._nodes).name
            asked.poison_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        self._asked[client, number] = asked
        is_over = len(waiting) >= WINDOW
        waiting[number] = asked
        if not is_over:
            self._hold(asked, asked.event.pieces)
            self._set_afloat(asked)
        actions = self._step(asked.event)
        refused = [action for action in actions if isinstance(action, Refuse)]
        if is_over != any("under way" in refusal.reason for refusal in refused):
            raise Violation("the window was not kept")

    # --- workers ---

    def _start(self, node: str, shard: int, replica: int) -> None:
        self._lives += 1
        identity = f"{node}/{shard}/{replica}/{self._lives}".encode()
        process = Process(identity, node, shard, replica, self._random.randint(1, 3))
        self._later(self._is_up, process, after=self._random.choice([0.0, 5.0]))

    def _is_up(self, process: Process) -> None:
        self._processes[process.identity] = process
        process.is_known = True
        self._seen.add(process.node)
        self._failed.discard((process.node, process.shard))
        self._step(
            Joined(
                process.identity,
                process.node,
                process.replica,
                self._bound[process.node],
                process.credits,
                process.shard if self._node[process.node].shards > 1 else None,
            )
        )

    def _on_dispatch(self, process: Process, task: int) -> None:
        if process.is_alive:
            process.staged.append(task)
            self._go_on(process)

    def _go_on(self, process: Process) -> None:
        if process.running or not process.staged:
            return
        process.running = process.staged.popleft()
        asked = process.given.get(process.running)
        if asked and asked.poison == process.node and _kills(asked, process.work[process.running]):
            self._die(process)
        else:
            self._later(self._finish, process, process.running)

    def _finish(self, process: Process, task: int) -> None:
        if not process.is_alive:
            return
        process.running = 0
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
        self._go_on(process)

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
        part = self._part(asked, process)
        asked.narrowed.setdefault(part, []).extend(reply.pieces)
        asked.covered[part] = work.stop
        if work.stop and work.stop < _rows(work.pieces):
            asked.dispatched.discard(part)
            return
        result = asked.narrowed[part]
        self._hold(asked, result)
        if part.shard is not None:
            shares = asked.shares.setdefault(node, {})
            shares[part.shard] = result
            if len(shares) < self._node[node].shards:
                return
            result = [piece for shard in sorted(shares) for piece in shares[shard]]
        asked.results[node] = result
        if not asked.group:
            self._set_afloat(asked)
        elif set(asked.results) >= asked.group:
            self._is_over(asked)

    def _set_afloat(self, asked: Asked) -> None:
        """Begin what nobody waits for, where its sources are there."""
        for node in self._may_float:
            own = node.of or node.name
            if own in asked.floating:
                continue
            if not self._takes_part(asked, node.name):
                continue
            if not self._is_due(asked, node.name):
                continue
            group = [
                each.name
                for each in self._nodes
                if (each.of or each.name) == own and self._takes_part(asked, each.name)
            ]
            other = Asked(asked.event, poison=asked.poison, poison_rows=asked.poison_rows)
            other.group = frozenset(group)
            sources = [
                source
                for need in node.needs
                for source in dict.fromkeys(self._sources(asked, need))
            ]
            other.results = dict(asked.results)
            for source in dict.fromkeys(sources):
                self._hold(other, self._result(asked, source))
            asked.floating[own] = other
            self._afloat.append(other)

    def _hold(self, asked: Asked, pieces: Iterable[Piece]) -> None:
        size = _bytes(pieces)
        asked.bytes += size
        self._bytes += size

    def _is_over(self, asked: Asked) -> None:
        asked.is_waiting = False
        self._bytes -= asked.bytes

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
        self._later(self._is_lost, process, process.running)

    def _is_lost(self, process: Process, begun: int) -> None:
        process.is_known = False
        asked = process.given.get(begun)
        if asked and asked.is_waiting:
            work = process.work[begun]
            part = self._part(asked, process)
            asked.charges[part] += 1
            asked.killers.add((part, work.first, work.stop))
            if work.blame:
                asked.blamed.add(part)
        again = [asked for task, asked in process.given.items() if asked.is_waiting]
        process.given.clear()
        for asked in again:
            asked.dispatched.discard(self._part(asked, process))
        self._step(Lost(process.identity, begun, "killed"))
        if self._random.random() < 0.06:
            place = (process.node, process.shard)
            self._replicas_left[place] -= 1
            if not self._replicas_left[place]:
                self._failed.add(place)
                shard = process.shard if self._node[process.node].shards > 1 else None
                self._step(NodeFailed(process.node, "gone", shard))
        else:
            self._start(process.node, process.shard, process.replica)

    # --- the router, watched ---

    def _step(self, event: Event) -> list[Action]:
        self.steps += 1
        actions = self.router.step(event)
        if self._tell:
            self._tell(f"{self._now:9.3f}  {event}")
            for action in actions:
                self._tell(f"             -> {action}")
        for action in actions:
            if isinstance(action, Dispatch):
                self._check_dispatch(action)
            elif isinstance(action, Unheard):
                self._check_unheard(action)
            else:
                self._check_outcome(action)
        if self.router.bytes_held != self._bytes:
            raise Violation(f"{self.router.bytes_held} bytes held, {self._bytes} are due")
        if isinstance(event, (Lost, Joined)) or self.steps % 20 == 0:
            self._check_nobody_idles()
        return actions

    def _check_nobody_idles(self) -> None:
        free = {
            (process.node, process.shard)
            for process in self._processes.values()
            if process.is_known and len(process.given) < process.credits
        }
        if not free or not self.router.is_complete:
            return
        everyone = [asked for waiting in self._waiting.values() for asked in waiting.values()]
        self._afloat = [other for other in self._afloat if other.is_waiting]
        for asked in everyone + self._afloat:
            for node, shard in free:
                if not self._takes_part(asked, node) or not self._is_part_of(asked, node):
                    continue
                part = Part(node, shard if self._fans(asked, node) else None)
                if part not in asked.dispatched and self._is_due(asked, node):
                    raise Violation(f"{part} idles, and {asked.event.number} waits for it")

    def _is_part_of(self, asked: Asked, node: str) -> bool:
        """Whether a node does this request itself, and not what goes on beside it."""
        return node in asked.group if asked.group else not self._node[node].is_floating

    def _is_due(self, asked: Asked, node: str) -> bool:
        sources = {source for need in self._needs[node] for source in self._sources(asked, need)}
        return sources - {GATEWAY} <= set(asked.results)

    def _check_dispatch(self, action: Dispatch) -> None:
        client, _, number = action.call.partition(b" ")
        asked = self._asked[client, int(number)]
        process = self._processes[action.worker]
        node = process.node
        if self._node[node].is_floating:
            asked = asked.floating[self._node[node].of or node]
        part = self._part(asked, process)
        if not asked.is_waiting:
            raise Violation("work for a request that has its answer")
        if not process.is_known:
            raise Violation("work for a dead worker")
        if len(process.given) >= process.credits:
            raise Violation("more work than the worker has credits")
        if part in asked.dispatched:
            raise Violation("the same work twice at a time")
        if not self._takes_part(asked, node):
            raise Violation("work for a node that takes no part")
        for other in self._processes.values():
            if (
                other.node == node
                and (part.shard is None or other.shard == part.shard)
                and other.is_known
                and len(other.given) < other.credits
                and (len(other.given), other.last_given) < (len(process.given), process.last_given)
            ):
                raise Violation("work for a busier worker")
        branches = self._branches(asked, node)
        expected = [
            Piece(_branched(piece.part, index), piece.frames)
            for index, pieces in enumerate(branches)
            for piece in pieces
        ]
        if list(action.pieces) != expected or action.branches != len(branches):
            raise Violation(f"other pieces than {expected}")
        if action.is_last != (self._ends(asked) == [node] and part.shard is None):
            raise Violation("is_last is wrong")
        names = ("endpoint", "rows", "base", "call")
        if any(getattr(asked.event, name) != getattr(action, name) for name in names):
            raise Violation("not what the client said")
        if (action.blame is not None) != (
            (part, action.first, action.stop) in asked.killers
            and (action.stop > 0 and action.stop - action.first == 1)
        ):
            raise Violation("blamed without need, or not blamed")
        if action.stop:
            is_fair = asked.charges[part] >= MAX_ATTEMPTS and len(branches) == 1
            if not is_fair or not action.first < action.stop <= _rows(action.pieces):
                raise Violation("narrowed down without need")
            if action.first != asked.covered[part]:
                raise Violation("rows twice, or not at all")
            if action.blame is None and (part, action.first, action.stop) in asked.killers:
                raise Violation("rows that killed are not narrowed down")
        elif asked.charges[part] >= MAX_ATTEMPTS:
            raise Violation("a deadly request once more")
        self._given += 1
        process.last_given = self._given
        process.work[action.task] = action
        process.given[action.task] = asked
        asked.dispatched.add(part)
        self._later(self._on_dispatch, process, action.task)

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
            self._check_error(asked, action.error)
        if isinstance(action, Refuse):
            asked.is_waiting = False
        else:
            self._is_over(asked)

    def _check_error(self, asked: Asked, error: ErrorInfo) -> None:
        node = error.executor
        part = Part(node, error.shard)
        shards = range(self._node[node].shards) if error.shard is None else [error.shard]
        is_true = {
            "ValueError": node in asked.raised,
            "jina.excepts.WorkerDied": asked.charges[part] >= MAX_ATTEMPTS
            and (part in asked.blamed or not self._can_narrow(asked, node)),
            "jina.excepts.ExecutorUnavailable": all(
                (node, shard) in self._failed for shard in shards
            ),
        }
        if not is_true[error.type] or not self._is_part_of(asked, node):
            raise Violation("an error that did not happen")

    def _check_unheard(self, action: Unheard) -> None:
        node = self._node[action.error.executor]
        other = self._asked[action.client, action.number].floating[node.of or node.name]
        if not other.is_waiting:
            raise Violation("an error of something that was over")
        self._check_error(other, action.error)
        self._is_over(other)

    def _check_rest(self) -> None:
        left = [number for waiting in self._waiting.values() for number in waiting]
        if left:
            raise Violation(f"never answered: {left}")
        if self.router.bytes_held or self.router.requests_held:
            raise Violation("something is held at rest")
        if any(other.is_waiting for other in self._afloat):
            raise Violation("something never ended, although nobody waited")
        for process in self._processes.values():
            if self.router.outstanding(process.identity):
                raise Violation("a task is outstanding at rest")

    # --- what the graph means ---

    def _takes_part(self, asked: Asked, node: str) -> bool:
        found = asked.taking.get(node)
        if found is None:
            found = asked.taking[node] = self._is_meant(asked, node)
        return found

    def _is_meant(self, asked: Asked, node: str) -> bool:
        own = self._node[node].of or node
        if asked.event.targets is not None and own not in asked.event.targets:
            return False
        if self._node[node].reduces and self._fans(asked, own):
            return True
        bound = self._bound[node] if node in self._seen else [DEFAULT_ENDPOINT]
        return asked.event.endpoint in bound or DEFAULT_ENDPOINT in bound

    def _fans(self, asked: Asked, node: str) -> bool:
        """Whether every shard of a node gets the request."""
        polling = self._node[node].polling
        if not polling or polling.get(asked.event.endpoint, polling["*"]) == "ANY":
            return False
        return self._takes_part(asked, node)

    def _part(self, asked: Asked, process: Process) -> Part:
        is_fanned = self._fans(asked, process.node)
        return Part(process.node, process.shard if is_fanned else None)

    def _branches(self, asked: Asked, node: str) -> list[list[Piece]]:
        """What a node gets, by branch: each need, or each shard of the node whose tail it is."""
        needs = self._needs[node]
        if self._node[node].of == needs[0] and self._fans(asked, needs[0]):
            shares = asked.shares[needs[0]]
            return [shares[shard] for shard in range(self._node[needs[0]].shards)]
        return [self._result(asked, need) for need in needs]

    def _can_narrow(self, asked: Asked, node: str) -> bool:
        branches = self._branches(asked, node)
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
        awaited = {node.name: node.needs for node in self._nodes if not node.is_floating}
        if not any(self._takes_part(asked, name) for name in awaited):
            return [GATEWAY]
        needed = {need for needs in awaited.values() for need in needs}
        ends = [name for name in awaited if name not in needed]
        return [source for end in ends for source in self._sources(asked, end)]


def _piece(text: str, rows: int) -> Piece:
    return Piece(maps.Part(LINES, DOCS, 1, rows), [text.encode()])


def _rows(pieces: Iterable[Piece]) -> int:
    return sum(piece.part.rows for piece in pieces)


def _kills(asked: Asked, work: Dispatch) -> bool:
    """Whether a worker survives these rows; reporting them is no call."""
    if work.blame:
        return False
    return not work.stop or any(row in asked.poison_rows for row in range(work.first, work.stop))


def _branched(part: maps.Part, branch: int) -> maps.Part:
    return maps.Part(part.kind, part.role, part.frames, part.rows, part.failed, branch)


def _bytes(pieces: Iterable[Piece]) -> int:
    return sum(len(frame) for piece in pieces for frame in piece.frames)


if __name__ == "__main__":
    Simulation(int(sys.argv[1]), tell=print).run()
