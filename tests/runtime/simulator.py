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

import msgspec

from jina.graph.course import in_order
from jina.graph.plan import PlannedNode, Retries
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    ClientLeft,
    Dispatch,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Overdue,
    Piece,
    Raised,
    Refuse,
    Replied,
    StartTimer,
    Submitted,
)
from jina.wire.maps import DOCS, LINES, ErrorInfo, Part, Times, Way

ENDPOINTS = ["/index", "/search", "/status"]
TARGETS = [None, None, None, None, ["n0", "n1", "n2", "n3"], ["n0", "n3", "n6"], ["nobody"], []]
MAX_ATTEMPTS = 2
WINDOW = 4
# Seconds of the different timers, so that each is known by them.
LIMITS = [17.0, 23.0]  # of calls
BACKOFF_S = 0.75  # doubled up to twice
TIMES_S = [5.0, 10.0, 40.0]  # of requests
RAISED = ["my.module.Busy", "ConnectionError", "OSError", "Exception", "BaseException"]


@dataclass
class Asked:
    """A request, as its client remembers it."""

    event: Submitted
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
    hangs: bool = False  # its poison does not kill, if the node has a timeout
    ended: set[str] = field(default_factory=set)  # nodes where the last death was that of a timeout
    retried: Counter[str] = field(default_factory=Counter)  # node -> attempts after the first one
    resting: set[str] = field(default_factory=set)  # nodes where it waits to be tried again
    passed: set[str] = field(default_factory=set)  # nodes that failed, and it went on
    skipped: set[str] = field(default_factory=set)  # nodes where a row of it stayed as it came
    due: float = 0.0  # when its time is over; 0 for never


@dataclass
class Process:
    """A worker's process. What the router knows of it lags behind."""

    identity: bytes
    node: str
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
    reached_until: float = 0.0  # those towards it neither
    told: int = 0  # the task that it has for too long
    stopped_until: float = 0.0  # SIGSTOP, SIGCONT
    was_idle: int = 0  # the task that it had not begun when it was late with it first
    oldest: int = 0  # the task whose time runs
    since: float = 0.0


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
        self._rules = {node.name: node for node in self._nodes}
        self._needs = {node.name: node.needs for node in self._nodes}
        self._bound = {node.name: self._endpoints() for node in self._nodes}
        self._seen: set[str] = set()  # nodes of which a worker has been ready
        self._failed: set[str] = set()  # nodes that gave up
        self._replicas_left = {node.name: node.replicas for node in self._nodes}
        self._processes: dict[bytes, Process] = {}
        self._asked: dict[tuple[bytes, int], Asked] = {}
        self._waiting: dict[bytes, dict[int, Asked]] = {}
        self._bytes = 0
        self._lives = 0
        self._given = 0
        self._raising: tuple[Asked, str] | None = None
        self._resting: dict[int, tuple[Asked, str]] = {}  # timer -> what is tried again then
        self._limits: dict[int, Asked] = {}  # timer -> whose time is over then
        # node -> client that waits there -> since which step, its requests, and how often others
        # have had their turn meanwhile
        self._turns: dict[str, dict[bytes, tuple[int, set[int], Counter[bytes]]]] = {
            name: {} for name in self._needs
        }
        self._is_watched = seed % 5 == 0  # for fairness, which is slow to see
        self.router = Router(self._nodes, window_requests=WINDOW, max_attempts=MAX_ATTEMPTS)

    def _graph(self) -> list[PlannedNode]:
        draw = self._random
        names = [f"n{index}" for index in range(draw.randint(1, 8))]
        nodes = []
        for index, name in enumerate(names):
            before = [GATEWAY, *names[:index]]
            needs = draw.sample(before, min(len(before), draw.choice([1, 1, 1, 2, 3])))
            nodes.append(
                PlannedNode(
                    name=name,
                    needs=needs,
                    replicas=draw.randint(1, 3),
                    timeouts=self._timeouts(),
                    continues=draw.random() < 0.25,
                    retries=self._retries(),
                )
            )
        draw.shuffle(nodes)
        return nodes

    def _timeouts(self) -> dict[str, float]:
        names = self._random.choice([[], [], [], ["*"], ["/index", "*"], ["/search"]])
        return {name: self._random.choice([*LIMITS, -1.0]) for name in names}

    def _retries(self) -> Retries | None:
        draw = self._random
        if draw.random() < 0.7:
            return None
        on = draw.choice([[], ["ConnectionError"], ["Busy", "KeyError"], ["KeyError"]])
        return Retries(times=draw.randint(1, 2), on=on, backoff_s=BACKOFF_S)

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
            for replica in range(node.replicas):
                self._start(node.name, replica)
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
        event = Submitted(
            client, number, draw.choice(ENDPOINTS), draw.choice(TARGETS), 1, 1, b"", pieces
        )
        event = msgspec.structs.replace(event, call=b"%s %d" % (client, number))
        if draw.random() < 0.1:
            event = msgspec.structs.replace(event, is_timed=True, arrived=1 + self._now)
        asked = Asked(event)
        if draw.random() < 0.05:
            timeout_s = draw.choice(TIMES_S)
            asked.due = self._now + timeout_s
            asked.event = msgspec.structs.replace(event, timeout_s=timeout_s, deadline=asked.due)
        if draw.random() < 0.05:
            asked.hangs = draw.random() < 0.5
            asked.poison = draw.choice(self._nodes).name
            asked.poison_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        self._asked[client, number] = asked
        is_over = len(waiting) >= WINDOW
        waiting[number] = asked
        self._bytes += _size(asked)
        if not is_over:
            self._pass_failed(asked)
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
            )
        )

    def _is_stopped(self, process: Process, act: Callable[..., None], task: int) -> bool:
        """Whether it does nothing now; it does this later."""
        if self._now >= process.stopped_until:
            return False
        self._order += 1
        heapq.heappush(
            self._agenda, (process.stopped_until, self._order, lambda: act(process, task))
        )
        return True

    def _on_dispatch(self, process: Process, task: int) -> None:
        if self._is_stopped(process, self._on_dispatch, task):
            return
        if process.is_alive:
            process.staged.append(task)
            self._go_on(process)

    def _go_on(self, process: Process) -> None:
        if process.running or not process.staged:
            return
        process.running = process.staged.popleft()
        asked = process.given.get(process.running)
        if asked and asked.poison == process.node and _kills(asked, process.work[process.running]):
            if not asked.hangs or self._limit(asked, process.node) < 0:
                self._die(process)
        else:
            self._later(self._finish, process, process.running)

    def _finish(self, process: Process, task: int) -> None:
        if not process.is_alive or self._is_stopped(process, self._finish, task):
            return
        process.running = 0
        times = Times(self._now, self._now + 1) if process.work[task].is_timed else None
        if self._random.random() < 0.05:
            error = ErrorInfo(
                "my.module.Busy", f"{task}", process.node, process.replica, classes=RAISED
            )
            self._send(process, Raised(process.identity, task, error, times))
        else:
            texts = [
                f"{process.identity.decode()}:{task}.{part}"
                for part in range(self._random.choice([0, 1, 1, 2]))
            ]
            pieces = [_piece(text, self._random.randint(0, 5)) for text in texts]
            self._send(process, Replied(process.identity, task, pieces, times))
        self._go_on(process)

    def _on_message(self, process: Process, event: Replied | Raised) -> None:
        asked = process.given.pop(event.task, None) if process.is_known else None
        if asked and asked.is_waiting:
            if isinstance(event, Replied):
                self._take(asked, process, event)
            else:
                self._has_raised(asked, process.node)
            self._pass_failed(asked)
        self._see_oldest(process)
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
            self._waits_again(asked, node)

    def _has_raised(self, asked: Asked, node: str) -> None:
        retries = self._rules[node].retries
        if retries and asked.retried[node] < retries.times and retries.on != ["KeyError"]:
            asked.retried[node] += 1
            self._raising = (asked, node)
            asked.resting.add(node)
        elif self._rules[node].continues:
            self._pass(asked, node)
        else:
            asked.raised.add(node)

    def _pass(self, asked: Asked, node: str) -> None:
        """Its input is its result."""
        asked.passed.add(node)
        asked.dispatched.add(node)
        asked.results[node] = [
            piece for need in self._needs[node] for piece in self._result(asked, need)
        ]

    def _pass_failed(self, asked: Asked) -> None:
        """What would go to nodes that are gone goes past them, if they let it."""
        for node in self._needs:  # in an order in which each comes after those that it needs
            if (
                node in self._failed
                and self._rules[node].continues
                and node not in asked.results
                and node not in asked.resting
                and self._takes_part(asked, node)
                and self._is_due(asked, node)
            ):
                self._pass(asked, node)

    def _is_spoilt(self, asked: Asked, node: str) -> bool:
        """Whether it goes past a node whose workers it kills."""
        return (
            self._rules[node].continues
            and asked.charges[node] >= MAX_ATTEMPTS
            and (node in asked.blamed or not self._can_narrow(asked, node))
        )

    def _waits_again(self, asked: Asked, node: str) -> None:
        """It goes before those who wait for their turn."""
        asked.dispatched.discard(node)
        for *_, others in self._turns[node].values():
            others[asked.event.client] -= 1

    def _limit(self, asked: Asked, node: str) -> float:
        """How long a call may take; below 0 for ever."""
        timeouts = self._rules[node].timeouts
        return timeouts.get(asked.event.endpoint, timeouts.get("*", -1.0))

    def _see_oldest(self, process: Process) -> None:
        oldest = next(iter(process.given), 0)
        if process.oldest != oldest:
            process.oldest, process.since = oldest, self._now

    # --- time that has passed ---

    def _on_timer(self, timer: int) -> None:
        resting, limited = self._resting.pop(timer, None), self._limits.pop(timer, None)
        if resting is not None and resting[0].is_waiting:
            asked, node = resting
            asked.resting.discard(node)
            asked.dispatched.discard(node)
            self._pass_failed(asked)
        self._step(Expired(timer))
        if limited is not None and limited.is_waiting:
            raise Violation("its time is over, and it has no answer")

    def _start_timer(self, event: Event, action: StartTimer) -> None:
        if isinstance(event, Submitted) and action.seconds == event.timeout_s:
            self._limits[action.timer] = self._asked[event.client, event.number]
        elif action.seconds not in LIMITS:
            if self._raising is None:
                raise Violation("a timer that nobody needs")
            asked, node = self._raising
            self._raising = None
            delay = BACKOFF_S * 2 ** (asked.retried[node] - 1)
            if action.seconds != delay:
                raise Violation(f"a timer of {action.seconds} s, not {delay}")
            self._resting[action.timer] = (asked, node)
        self._order += 1
        moment = self._now + action.seconds
        heapq.heappush(self._agenda, (moment, self._order, lambda: self._on_timer(action.timer)))

    def _on_late(self, action: Overdue) -> None:
        """What gateway and supervisor do with a worker that is late."""
        process = self._processes[action.worker]
        asked = process.given.get(action.task)
        if not process.is_known or asked is None or process.oldest != action.task:
            raise Violation("late with a task that it does not have, or that waits")
        if action.seconds != self._limit(asked, process.node):
            raise Violation("late by another limit than its node's")
        if self._now - process.since < action.seconds - 1e-9:
            raise Violation("late too early")
        process.told = action.task
        if process.running == action.task:
            self._later(self._end_late, process, action.task)
        elif process.was_idle == action.task:
            self._later(self._end_late, process, process.running)
        else:
            process.was_idle = action.task

    def _end_late(self, process: Process, begun: int) -> None:
        if process.is_alive and process.running == begun:
            self._die(process)

    def _disaster(self) -> None:
        if self._events_left <= 0:
            return
        self._events_left -= 1
        alive = [process for process in self._processes.values() if process.is_alive]
        if alive and self._random.random() < 0.3:
            self._random.choice(alive).stopped_until = self._now + self._random.choice([5.0, 60.0])
        elif alive:
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
            asked.charges[process.node] += 1
            asked.killers.add((process.node, work.first, work.stop))
            if process.told == begun:
                asked.ended.add(process.node)
            else:
                asked.ended.discard(process.node)
            if work.blame or work.skip:
                asked.blamed.add(process.node)
            elif self._rules[process.node].continues and work.stop - work.first == 1:
                asked.skipped.add(process.node)
        again = [each for each in process.given.values() if each.is_waiting]
        process.given.clear()
        self._see_oldest(process)
        for each in again:
            self._waits_again(each, process.node)
        if asked in again and self._is_spoilt(asked, process.node):
            self._pass(asked, process.node)
            self._pass_failed(asked)
        self._step(Lost(process.identity, begun, "killed"))
        if self._random.random() < 0.06:
            self._replicas_left[process.node] -= 1
            if not self._replicas_left[process.node]:
                self._failed.add(process.node)
                for waiting in self._waiting.values():
                    for asked in waiting.values():
                        self._pass_failed(asked)
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
        for action in actions:
            if isinstance(action, Dispatch):
                self._check_dispatch(action)
            elif isinstance(action, StartTimer):
                self._start_timer(event, action)
            elif isinstance(action, Overdue):
                self._on_late(action)
            else:
                self._check_outcome(action)
        if self.router.bytes_held != self._bytes:
            raise Violation(f"{self.router.bytes_held} bytes held, {self._bytes} are due")
        if isinstance(event, (Lost, Joined)) or self.steps % 20 == 0:
            self._check_nobody_idles()
        return actions

    def _check_nobody_idles(self) -> None:
        free = {
            process.node
            for process in self._processes.values()
            if process.is_known and len(process.given) < process.credits
        }
        if not free or not self._seen | self._failed >= set(self._needs):
            return
        for waiting in self._waiting.values():
            for asked in waiting.values():
                for node in free - asked.dispatched:
                    if self._takes_part(asked, node) and self._is_due(asked, node):
                        raise Violation(f"{node} idles, and {asked.event.number} waits for it")

    def _is_due(self, asked: Asked, node: str) -> bool:
        sources = {source for need in self._needs[node] for source in self._sources(asked, need)}
        return sources - {GATEWAY} <= set(asked.results)

    def _check_dispatch(self, action: Dispatch) -> None:
        client, _, number = action.call.partition(b" ")
        asked = self._asked[client, int(number)]
        process = self._processes[action.worker]
        node = process.node
        if not asked.is_waiting:
            raise Violation("work for a request that has its answer")
        if not process.is_known:
            raise Violation("work for a dead worker")
        if len(process.given) >= process.credits:
            raise Violation("more work than the worker has credits")
        if node in asked.dispatched:
            raise Violation("the same work twice at a time")
        if not self._takes_part(asked, node):
            raise Violation("work for a node that takes no part")
        for other in self._processes.values():
            if (
                other.node == node
                and other.is_known
                and len(other.given) < other.credits
                and (len(other.given), other.last_given) < (len(process.given), process.last_given)
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
        names = ("endpoint", "rows", "base", "call", "deadline", "is_timed")
        if any(getattr(asked.event, name) != getattr(action, name) for name in names):
            raise Violation("not what the client said")
        kills_alone = (
            (node, action.first, action.stop) in asked.killers
            and action.stop > 0
            and action.stop - action.first == 1
        )
        continues = self._rules[node].continues
        if (action.blame is not None) != (kills_alone and not continues):
            raise Violation("blamed without need, or not blamed")
        if action.skip != (kills_alone and continues):
            raise Violation("left as it came without need, or not left")
        if action.stop:
            is_fair = asked.charges[node] >= MAX_ATTEMPTS and len(branches) == 1
            if not is_fair or not action.first < action.stop <= _rows(action.pieces):
                raise Violation("narrowed down without need")
            if action.first != asked.covered[node]:
                raise Violation("rows twice, or not at all")
            if not (action.blame or action.skip) and (
                (node, action.first, action.stop) in asked.killers
            ):
                raise Violation("rows that killed are not narrowed down")
        elif asked.charges[node] >= MAX_ATTEMPTS:
            raise Violation("a deadly request once more")
        if self._is_watched:
            self._check_turn(asked, node)
        process.told = 0 if process.told == action.task else process.told
        self._given += 1
        process.last_given = self._given
        process.work[action.task] = action
        process.given[action.task] = asked
        self._see_oldest(process)
        asked.dispatched.add(node)
        process.reached_until = max(
            process.reached_until, self._now + self._random.expovariate(1.0)
        )
        self._order += 1
        reached = (process.reached_until, self._order)
        heapq.heappush(self._agenda, (*reached, lambda: self._on_dispatch(process, action.task)))

    def _check_turn(self, asked: Asked, node: str) -> None:
        """While a client waits at a node, each other one has its turn once.

        What had its turn already and comes back, after a death or in halves, goes first, and is
        counted when it comes back.
        """
        turns = self._turns[node]
        turns.pop(asked.event.client, None)  # it waits anew
        for client, requests in self._waiting.items():
            waiting = {
                number
                for number, each in requests.items()
                if node not in each.dispatched
                and self._takes_part(each, node)
                and self._is_due(each, node)
            }
            step, known, others = turns.pop(client, (self.steps, waiting, Counter()))
            if client == asked.event.client or not waiting & known:
                continue
            turns[client] = (step, waiting, others)
            if step == self.steps:  # it may begin to wait later in this step
                continue
            others[asked.event.client] += 1
            if others[asked.event.client] > 1:
                raise Violation(f"{client!r} waits at {node}, and another had two turns")

    def _check_outcome(self, action: Answer | AnswerError | Refuse) -> None:
        asked = self._waiting.get(action.client, {}).pop(action.number, None)
        if asked is None or not asked.is_waiting:
            raise Violation("a second outcome, or one that nobody waits for")
        if isinstance(action, Answer):
            expected = [piece for end in self._ends(asked) for piece in self._result(asked, end)]
            if list(action.pieces) != expected:
                raise Violation(f"another answer than {expected}")
            self._check_way(asked, action.way)
            if action.served != sum(self._takes_part(asked, name) for name in self._needs):
                raise Violation("served is wrong")
        elif isinstance(action, AnswerError):
            node = action.error.executor
            is_deadly = asked.charges[node] >= MAX_ATTEMPTS and (
                node in asked.blamed or not self._can_narrow(asked, node)
            )
            is_true = {
                "my.module.Busy": node in asked.raised,
                "jina.excepts.WorkerDied": is_deadly and node not in asked.ended,
                "jina.excepts.ExecutorTimeout": is_deadly and node in asked.ended,
                "jina.excepts.RequestTimeout": 0 < asked.due <= self._now + 1e-9,
                "jina.excepts.ExecutorUnavailable": node in self._failed,
            }
            if not is_true[action.error.type]:
                raise Violation("an error that did not happen")
        asked.is_waiting = False
        self._bytes -= _size(asked)

    def _check_way(self, asked: Asked, way: Way | None) -> None:
        """What the client is told besides its answer."""
        failed = asked.passed | asked.skipped
        if way is None:
            if failed or asked.event.is_timed:
                raise Violation("the client is not told its way")
            return
        if {error.executor for error in way.errors} != failed:
            raise Violation(f"other errors than those of {failed}")
        if way.is_raw != bool(asked.passed & set(self._ends(asked))):
            raise Violation("the client is told the wrong writer")
        called = asked.results.keys() - asked.passed
        if asked.event.is_timed and not called <= {leg.node for leg in way.legs}:
            raise Violation("a call without its times")

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
    own = [pieces for node, pieces in asked.results.items() if node not in asked.passed]
    return _bytes(asked.event.pieces) + sum(map(_bytes, own))


def _bytes(pieces: Iterable[Piece]) -> int:
    return sum(len(frame) for piece in pieces for frame in piece.frames)


if __name__ == "__main__":
    Simulation(int(sys.argv[1]), tell=print).run()
