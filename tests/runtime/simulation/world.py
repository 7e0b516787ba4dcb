"""Time, clients, worker processes, disasters and changes: everything around the router."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import msgspec

from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    ClientLeft,
    Dispatch,
    Draining,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Overdue,
    Raised,
    Refuse,
    Replied,
    Retire,
    Retired,
    StartTimer,
    Submitted,
    Unheard,
)
from jina.wire.maps import ErrorInfo, Times
from tests.runtime.simulation import checks
from tests.runtime.simulation.flows import (
    BACKOFF_S,
    ENDPOINTS,
    GROUPS_MS,
    LIMITS,
    TARGETS,
    TIMES_S,
    MadeUpFlow,
    Place,
)
from tests.runtime.simulation.model import MAX_ATTEMPTS, Model
from tests.runtime.simulation.state import (
    Asked,
    Given,
    Job,
    Process,
    Violation,
    piece_of,
    request_of,
)

WINDOW = 4
BUSY = ErrorInfo(
    "my.module.Busy",
    "no",
    classes=["my.module.Busy", "ConnectionError", "OSError", "Exception", "BaseException"],
)
TOO_LATE = ErrorInfo(
    "TimeoutError",
    "the time of the request is over",
    classes=["TimeoutError", "OSError", "Exception", "BaseException"],
)


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
        self._agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self._flow = MadeUpFlow(self._random)
        self._model = Model(self._flow)
        self._replicas_left = {
            (node.name, shard): node.replicas
            for node in self._flow.nodes
            for shard in range(node.shards)
        }
        self._known: dict[str, dict[bytes, Process]] = {name: {} for name in self._flow.rules}
        self._processes: dict[bytes, Process] = {}
        self._by_call: dict[bytes, Asked] = {}
        self._limits: dict[int, Asked] = {}  # timer -> whose time is over then
        self._resting: dict[int, Job] = {}  # timer -> what is tried again then
        self._is_draining = False
        self._lives = 0
        self._given = 0
        self.router = Router(self._flow.nodes, window_requests=WINDOW, max_attempts=MAX_ATTEMPTS)

    # --- time ---

    def run(self) -> None:
        """Live through the whole of it, then check that nothing is left.

        Raises:
            Violation: the router broke a promise.
        """
        for place, replicas in self._replicas_left.items():
            for replica in range(replicas):
                self._start(place, replica)
        for client in range(self._random.randint(1, 4)):
            self._later(self._client_acts, f"client-{client}".encode())
        self._later(self._disaster)
        if self._flow.has("changes"):
            self._later(self._change)
        if self._flow.has("drain") and self._random.random() < 0.3:
            self._later(self._drain, after=self._random.choice([10.0, 40.0]))
        while self._agenda:
            self._now, _, act, arguments = heapq.heappop(self._agenda)
            self._model.now = self._now
            act(*arguments)
        self._check_rest()

    def _at(self, moment: float, act: Callable[..., None], *arguments: Any) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (moment, self._order, act, arguments))

    def _later(self, act: Callable[..., None], *arguments: Any, after: float = 0.0) -> None:
        self._at(self._now + after + self._random.expovariate(1.0), act, *arguments)

    def _is_still_up_to_something(self) -> bool:
        self._events_left -= 1
        return self._events_left >= 0

    # --- clients ---

    def _client_acts(self, client: bytes) -> None:
        if not self._is_still_up_to_something():
            return
        waiting = self._model.waiting.setdefault(client, {})
        if not self.router.is_complete:
            pass  # nobody is listened to before
        elif self._random.random() < 0.03:
            for asked in waiting.values():
                self._model.is_over(asked)
            del self._model.waiting[client]
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
        asked = self._request(client)
        number = asked.event.number
        self._model.asked[client, number] = asked
        self._by_call[asked.event.call] = asked
        is_over = len(waiting) >= WINDOW
        waiting[number] = asked
        if not is_over:
            self._model.submitted(asked)
        actions = self._step(asked.event)
        refused = [action for action in actions if isinstance(action, Refuse)]
        if is_over != any("under way" in refusal.reason for refusal in refused):
            raise Violation("the window was not kept")

    def _request(self, client: bytes) -> Asked:
        draw = self._random
        number = len(self._model.asked) + 1
        pieces = [
            piece_of(f"{number}.{part}" * draw.randint(1, 9), draw.randint(0, 5))
            for part in range(draw.randint(0, 2))
        ]
        parameters = draw.choice(self._flow.parameters)
        has_limit = self._flow.has("deadlines") and draw.random() < 0.1
        timeout_s = draw.choice(TIMES_S) if has_limit else None
        deadline = None if timeout_s is None else self._now + timeout_s
        event = Submitted(
            client,
            number,
            draw.choice(ENDPOINTS),
            draw.choice(TARGETS),
            1,
            1,
            msgspec.msgpack.encode([parameters, client, number]),
            pieces,
            timeout_s,
            deadline,
            draw.random() < 0.1,  # is_timed
            1 + self._now,
        )
        meaning = self._model.meaning(event.endpoint, event.targets)
        asked = request_of(event, meaning, repr(parameters))
        asked.due = deadline or 0.0
        if draw.random() < 0.05:
            asked.hangs = draw.random() < 0.5
            asked.poison, shard = draw.choice(self._flow.places)
            asked.poison_shard = draw.choice([None, shard])
            asked.poison_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        return asked

    # --- a worker's life ---

    def _start(self, place: Place, replica: int) -> None:
        self._lives += 1
        process = Process(
            f"{place[0]}/{place[1]}/{replica}/{self._lives}".encode(),
            place,
            replica,
            self._random.randint(1, 3),
            self._flow.bound[place[0]],
        )
        after = self._random.choice([0.0, 5.0])
        if self._flow.has("failed starts") and self._random.random() < 0.05:
            self._later(self._give_place_up, place, after=after)
        else:
            self._later(self._is_up, process, after=after)

    def _shard(self, place: Place) -> int | None:
        """As the router knows it."""
        return place[1] if self._flow.rules[place[0]].shards > 1 else None

    def _is_up(self, process: Process) -> None:
        process.is_known = True
        self._processes[process.identity] = process
        self._known[process.node][process.identity] = process
        self._model.joined(process)
        self._step(
            Joined(
                process.identity,
                process.node,
                process.replica,
                process.bound,
                process.credits,
                self._shard(process.place),
                self._flow.batching[process.node],
            )
        )

    def _is_stopped(self, process: Process, act: Callable[..., None], *arguments: Any) -> bool:
        """Whether it does nothing now; it does this later."""
        if self._now >= process.stopped_until:
            return False
        self._at(process.stopped_until, act, process, *arguments)
        return True

    def _on_dispatch(self, process: Process, lot: list[Given]) -> None:
        if process.is_alive and not self._is_stopped(process, self._on_dispatch, lot):
            process.staged.append(lot)
            self._go_on(process)

    def _go_on(self, process: Process) -> None:
        if process.running or not process.staged:
            return
        process.running = process.staged.popleft()
        for given in process.running:
            deadline = given.work.deadline
            given.is_over = deadline is not None and self._now >= deadline
        killers = [given for given in process.running if _kills(given, process)]
        if not killers:
            self._later(self._finish, process)
        elif not killers[0].job.asked.hangs or self._limit(killers[0]) < 0:
            self._die(process)

    def _limit(self, given: Given) -> float:
        return self._flow.limit(given.job.part.node, given.work.endpoint)

    def _finish(self, process: Process) -> None:
        if not process.is_alive or self._is_stopped(process, self._finish):
            return
        lot, process.running = process.running, []
        alone: list[Given] = []
        if len(lot) > 1 and self._random.random() < 0.2:  # the call raised
            alone = self._random.sample(lot, self._random.randint(1, len(lot)))
        for given in lot:
            if given not in alone:
                self._report(process, given)
        process.staged.extendleft([given] for given in reversed(lot) if given in alone)
        self._go_on(process)

    def _report(self, process: Process, given: Given) -> None:
        """Send what came of it: on its way for a while, in order, if its sender lives or not."""
        draw, work = self._random, given.work
        times = Times(self._now, self._now + 1) if work.is_timed else None
        event: Raised | Replied
        if given.is_over or draw.random() < 0.05:
            error = msgspec.structs.replace(
                TOO_LATE if given.is_over else BUSY,
                executor=process.node,
                replica=process.replica,
                shard=self._shard(process.place),
            )
            event = Raised(process.identity, work.task, error, times)
        else:
            pieces = [
                piece_of(f"{process.identity.decode()}:{work.task}.{part}", draw.randint(0, 5))
                for part in range(draw.choice([0, 1, 1, 2]))
            ]
            event = Replied(process.identity, work.task, pieces, times)
        process.sent_until = max(process.sent_until, self._now + draw.expovariate(2.0))
        self._at(process.sent_until, self._on_message, process, event)

    def _on_message(self, process: Process, event: Replied | Raised) -> None:
        given = process.given.pop(event.task, None) if process.is_known else None
        if given is not None:
            if isinstance(event, Replied):
                self._model.replied(given, event.pieces)
            else:
                self._model.raised(given, event.error)
        self._see_oldest(process)
        actions = self._step(event)
        if given is None and actions:
            raise Violation("a late message had consequences")

    def _see_oldest(self, process: Process) -> None:
        oldest = next(iter(process.given), 0)
        if process.oldest != oldest:
            process.oldest, process.since = oldest, self._now

    # --- its end ---

    def _disaster(self) -> None:
        if not self._is_still_up_to_something():
            return
        alive = [each for each in self._known_ones() if each.is_alive]
        if alive and self._flow.has("stops") and self._random.random() < 0.3:
            self._random.choice(alive).stopped_until = self._now + self._random.choice([5.0, 60.0])
        elif alive:
            self._die(self._random.choice(alive))
        self._later(self._disaster, after=self._random.choice([1.0, 20.0]))

    def _die(self, process: Process) -> None:
        process.is_alive = False
        self._later(self._is_lost, process, process.begun)

    def _is_lost(self, process: Process, begun: int) -> None:
        if process.is_known:  # else it was allowed to close, and died before it could
            self._forget(process)
            self._model.lost(process, begun)
            self._see_oldest(process)
            self._step(Lost(process.identity, begun, "killed"))
        elif self._step(Lost(process.identity, begun, "killed")):
            raise Violation("the end of a worker that may close had consequences")
        if process.has_heir:
            return
        if self._random.random() < 0.06:
            self._give_place_up(process.place)
        else:
            self._start(process.place, process.replica)

    def _forget(self, process: Process) -> None:
        process.is_known = False
        del self._known[process.node][process.identity]

    def _give_place_up(self, place: Place) -> None:
        """There is one replica less; with the last one the shard is gone."""
        self._replicas_left[place] -= 1
        if not self._replicas_left[place]:
            self._model.gone(place)
            self._step(NodeFailed(place[0], "gone", self._shard(place)))

    def _known_ones(self) -> Iterable[Process]:
        return (process for some in self._known.values() for process in some.values())

    # --- what people do with a Flow ---

    def _drain(self) -> None:
        """Nobody waits for others from now on; whatever still comes is served at once."""
        if self.router.is_complete:
            self._is_draining = True
            self._step(Draining())

    def _change(self) -> None:
        """Somebody scales a node, or replaces a worker before or after its successor is ready."""
        if not self._is_still_up_to_something():
            return
        draw = self._random
        steady = [each for each in self._known_ones() if each.is_alive and not each.is_retiring]
        kind = draw.choice(["more", "more", "fewer", "restart", "surge", "reload"])
        if kind == "more":
            place = draw.choice(self._flow.places)
            self._replicas_left[place] += 1
            self._start(place, draw.randint(3, 9))
        elif kind == "reload":  # workers that start from now on have other methods
            node = draw.choice(self._flow.nodes).name
            self._flow.bound[node] = self._flow.endpoints()
        elif steady:
            self._replace(draw.choice(steady), kind)
        self._later(self._change, after=draw.choice([1.0, 20.0]))

    def _replace(self, process: Process, kind: str) -> None:
        if kind == "fewer":
            if self._replicas_left[process.place] == 1:
                return
            self._replicas_left[process.place] -= 1
        elif kind == "surge":
            self._start(process.place, process.replica)
        process.has_heir = kind != "restart"
        process.is_retiring = True
        self._step(Retire(process.identity))

    def _on_retired(self, action: Retired) -> None:
        process = self._processes[action.worker]
        if not process.is_retiring or not process.is_known:
            raise Violation("closed without being asked to")
        if process.given:
            raise Violation("closed with something left to do")
        self._forget(process)
        if process.is_alive:  # else it is about to be found dead
            self._die(process)

    # --- time that has passed ---

    def _start_timer(self, event: Event, action: StartTimer) -> None:
        if isinstance(event, Submitted) and action.seconds == event.timeout_s:
            self._limits[action.timer] = self._model.asked[event.client, event.number]
        elif action.seconds in (BACKOFF_S, 2 * BACKOFF_S):
            if self._model.resting is None or self._model.resting[0] != action.seconds:
                raise Violation(f"a rest of {action.seconds} s that nobody needs")
            self._resting[action.timer] = self._model.resting[1]
            self._model.resting = None
        elif action.seconds not in LIMITS and 1000 * action.seconds not in GROUPS_MS:
            raise Violation(f"a timer of {action.seconds} s that nobody needs")
        late = self._random.random() * checks.LATEST
        self._at(self._now + action.seconds + late, self._on_timer, action.timer)

    def _on_timer(self, timer: int) -> None:
        resting, limited = self._resting.pop(timer, None), self._limits.pop(timer, None)
        if resting is not None:
            self._model.rested(resting)
        self._step(Expired(timer))
        if limited is not None and limited.is_waiting:
            raise Violation("its time is over, and it has no answer")

    def _on_late(self, action: Overdue) -> None:
        """What gateway and supervisor do with a worker that is late."""
        process = self._processes[action.worker]
        checks.check_overdue(self._model, action, process, self._now)
        for given in process.given.values():
            if given.work.task == action.task or (action.lot and given.work.lot == action.lot):
                given.job.is_late = True
        begun = process.begun
        if (begun and begun in (action.task, action.lot)) or process.was_idle == action.task:
            self._later(self._end_late, process, begun)
        else:
            process.was_idle = action.task

    def _end_late(self, process: Process, begun: int) -> None:
        if process.is_alive and process.begun == begun:
            self._die(process)

    # --- the router, watched ---

    def _step(self, event: Event) -> list[Action]:
        self.steps += 1
        actions = self.router.step(event)
        if self._tell:
            self._tell(f"{self._now:9.3f}  {event}")
            for action in actions:
                self._tell(f"             -> {action}")
        lot: list[Given] = []
        for action in actions:
            if isinstance(action, Dispatch):
                self._dispatched(action, lot)
            elif isinstance(action, StartTimer):
                self._start_timer(event, action)
            elif isinstance(action, Overdue):
                self._on_late(action)
            elif isinstance(action, Retired):
                self._on_retired(action)
            elif isinstance(action, Unheard):
                asked = self._model.asked[action.client, action.number]
                checks.check_unheard(self._model, asked.floating[action.error.executor], action)
            else:
                asked = self._model.waiting.get(action.client, {}).pop(action.number, None)
                if asked is None:
                    raise Violation("an outcome that nobody waits for")
                checks.check_outcome(self._model, asked, action)
                self._model.is_over(asked)
        if lot:
            raise Violation("a lot without its end")
        self._check_step(event)
        return actions

    def _dispatched(self, action: Dispatch, lot: list[Given]) -> None:
        asked = self._by_call[action.call]
        process = self._processes[action.worker]
        asked = asked.floating.get(process.node, asked)
        job = asked.jobs.get(self._model.part(asked, process.place))
        if job is None:
            raise Violation("work for a node that takes no part, or too early")
        rivals = [] if lot else self._known[process.node].values()
        checks.check_dispatch(self._model, job, action, process, rivals)
        given = Given(job, action, self._model.take_turn(job))
        if not lot:
            self._model.take_lot(given.queue, process.place)
        job.is_late = False
        process.given[action.task] = given
        self._given += 1
        process.last_given = self._given
        self._see_oldest(process)
        lot.append(given)
        if action.lot in (0, action.task):
            checks.check_lot(lot)
            process.reached_until = max(
                process.reached_until, self._now + self._random.expovariate(1.0)
            )
            self._at(process.reached_until, self._on_dispatch, process, lot[:])
            lot.clear()

    def _check_step(self, event: Event) -> None:
        model = self._model
        if model.resting is not None:
            raise Violation("what raised is to be tried again, and is not")
        for asked in model.unsettled:
            checks.check_settled(asked)
        model.unsettled.clear()
        if self.router.bytes_held != model.bytes:
            raise Violation(f"{self.router.bytes_held} bytes held, {model.bytes} are due")
        if isinstance(event, (Lost, Joined)) or self.steps % 10 == 0:
            checks.check_nobody_idles(model, self._known_ones(), self._is_draining)
            held = sum(map(len, model.waiting.values())) + len(model.afloat)
            if self.router.requests_held != held:
                raise Violation(f"{self.router.requests_held} requests held, {held} are due")
        model.step = self.steps + 1

    def _check_rest(self) -> None:
        left = [number for waiting in self._model.waiting.values() for number in waiting]
        if left:
            raise Violation(f"never answered: {left}")
        if self._model.afloat:
            raise Violation("something never ended, although nobody waited")
        if self.router.bytes_held or self.router.requests_held:
            raise Violation("something is held at rest")
        for process in self._processes.values():
            if self.router.outstanding(process.identity):
                raise Violation("a task is outstanding at rest")
            if process.is_retiring and process.is_known:
                raise Violation("a worker was never let go")


def _kills(given: Given, process: Process) -> bool:
    """Whether the worker does not survive this; what is reported without a call harms nobody."""
    asked, work = given.job.asked, given.work
    if asked.poison != process.node or asked.poison_shard not in (None, process.place[1]):
        return False
    if work.blame or work.skip or given.is_over:
        return False
    return not work.stop or any(row in asked.poison_rows for row in range(work.first, work.stop))
