"""One run: clients, timers, and the router, each of whose steps is watched."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    Cancelled,
    ClientLeft,
    Dispatch,
    Draining,
    Event,
    Expired,
    Joined,
    Lost,
    Overdue,
    Refuse,
    Retired,
    StartTimer,
    Submitted,
    TakeBack,
    Unheard,
)
from tests.runtime.simulation import checks
from tests.runtime.simulation.clock import Clock
from tests.runtime.simulation.flows import (
    BACKOFF_S,
    GROUPS_MS,
    LIMITS,
    TARGETS,
    TIMES_S,
    MadeUpFlow,
)
from tests.runtime.simulation.model import Model
from tests.runtime.simulation.state import Asked, Given, Job, Violation, piece_of, request_of
from tests.runtime.simulation.workers import Workers

WINDOW = 4


class Simulation:
    """One run.

    Args:
        seed: decides everything.
        events: how many events disturb it before it may come to rest.
        tell: called with each event and action, in words.

    Attributes:
        features: of the Flow.
        steps: of the router so far.
    """

    def __init__(
        self, seed: int, *, events: int = 800, tell: Callable[[str], None] | None = None
    ) -> None:
        self.steps = 0
        self._tell = tell
        self._clock = Clock(seed, events)
        self._random = self._clock.draw
        self._flow = MadeUpFlow(self._random)
        self.features = self._flow.features
        self._model = Model(self._flow)
        self._workers = Workers(self._flow, self._model, self._clock, self._step)
        self._by_call: dict[bytes, Asked] = {}
        self._limits: dict[int, Asked] = {}  # timer -> whose time is over then
        self._resting: dict[int, Job] = {}  # timer -> what is tried again then
        self._is_draining = False
        self.router = Router(
            self._flow.nodes,
            window_requests=WINDOW,
            max_attempts=self._flow.max_attempts,
            most_done=self._flow.most_done,
        )

    def run(self) -> None:
        """Live through the whole of it, then check that nothing is left.

        Raises:
            Violation: the router broke a promise.
        """
        self._workers.start_all()
        for client in range(self._random.choice([1, 2, 3, 4, 8])):
            self._clock.later(self._client_acts, f"client-{client}".encode())
        self._clock.later(self._workers.disaster)
        if self._flow.has("changes"):
            self._clock.later(self._workers.change)
        if self._flow.has("drain") and self._random.random() < 0.3:
            self._clock.later(self._drain, after=self._random.choice([10.0, 40.0]))
        self._clock.run(before=self._model.tick)
        self._check_rest()

    # --- clients ---

    def _client_acts(self, client: bytes) -> None:
        if not self._clock.goes_on():
            return
        waiting = self._model.waiting.setdefault(client, {})
        if not self.router.is_complete:
            pass  # nobody is listened to before
        elif self._random.random() < 0.03:
            del self._model.waiting[client]
            self._cancel(list(waiting.values()), ClientLeft(client))
            client = client + b"'"  # somebody else comes
        elif self._flow.has("cancels") and self._random.random() < 0.2:
            self._cancel_one(client, waiting)
        elif waiting and self._random.random() < 0.05:
            asked = self._random.choice(list(waiting.values()))
            if self._step(asked.event):
                raise Violation("a request that was repeated had consequences")
        else:
            self._post(client, waiting)
        self._clock.later(self._client_acts, client)

    def _cancel_one(self, client: bytes, waiting: dict[int, Asked]) -> None:
        number = self._random.choice([0, *waiting, *waiting, *waiting])
        asked = waiting.pop(number, None)
        if asked is None:  # it may have its answer already
            number = self._random.randint(0, len(self._model.asked))
            if number in waiting:
                return
        self._cancel([asked] if asked else [], Cancelled(client, number))

    def _cancel(self, requests: list[Asked], event: Cancelled | ClientLeft) -> None:
        """Nobody wants these any more: the router takes back what workers have of them."""
        over = [each for asked in requests for each in self._model.cancelled(asked)]
        expected = self._workers.tasks_of(over)
        actions = self._step(event)
        told = [(each.worker, each.task) for each in actions if isinstance(each, TakeBack)]
        if len(told) != len(actions) or sorted(told) != sorted(expected):
            raise Violation(f"{actions}, but {sorted(expected)} were to be taken back")

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
        if is_over != any("in progress" in refusal.reason for refusal in refused):
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
        deadline = None if timeout_s is None else self._clock.now + timeout_s
        event = Submitted(
            client,
            number,
            draw.choice(self._flow.asked),
            draw.choice(TARGETS),
            1,
            1,
            msgspec.msgpack.encode([parameters, client, number]),
            pieces,
            timeout_s,
            deadline,
            draw.random() < 0.1,  # is_timed
            1 + self._clock.now,
            self._flow.on_error(),
        )
        meaning = self._model.meaning(event.endpoint, event.targets)
        asked = request_of(event, meaning, repr(parameters))
        asked.due = deadline or 0.0
        if draw.random() < 0.2:
            asked.sour = draw.choice(self._flow.places)[0]
            asked.sour_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        if draw.random() < self._flow.deadly:
            asked.hangs = draw.random() < 0.5
            asked.poison, shard = draw.choice(self._flow.places)
            asked.poison_shard = draw.choice([None, shard])
            asked.poison_rows = range(draw.randint(0, 3), 20, draw.randint(1, 4))
        return asked

    def _drain(self) -> None:
        """Nobody waits for others from now on; whatever still comes is served at once."""
        if self.router.is_complete:
            self._is_draining = True
            self._step(Draining())

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
        self._clock.at(self._clock.now + action.seconds + late, self._on_timer, action.timer)

    def _on_timer(self, timer: int) -> None:
        resting, limited = self._resting.pop(timer, None), self._limits.pop(timer, None)
        if resting is not None:
            self._model.rested(resting)
        self._step(Expired(timer))
        if limited is not None and limited.is_waiting:
            raise Violation("its time is over, and it has no answer")

    # --- the router, watched ---

    def _step(self, event: Event) -> list[Action]:
        self.steps += 1
        actions = self.router.step(event)
        if self._tell:
            self._tell(f"{self._clock.now:9.3f}  {event}")
            for action in actions:
                self._tell(f"             -> {action}")
        lot: list[Given] = []
        for action in actions:
            if isinstance(action, Dispatch):
                self._dispatched(action, lot)
            elif isinstance(action, StartTimer):
                self._start_timer(event, action)
            elif isinstance(action, Overdue):
                self._workers.late(action)
            elif isinstance(action, TakeBack):
                self._workers.taken_back(action)
            elif isinstance(action, Retired):
                self._workers.retired(action)
            elif isinstance(action, Unheard):
                asked = self._model.asked[action.client, action.number]
                checks.check_unheard(self._model, asked.floating[action.error.executor], action)
            else:
                self._outcome(action)
        if lot:
            raise Violation("a lot without its end")
        self._check_step(event)
        return actions

    def _outcome(self, action: Answer | AnswerError | Refuse) -> None:
        asked = self._model.waiting.get(action.client, {}).pop(action.number, None)
        if asked is None:
            raise Violation("an outcome that nobody waits for")
        checks.check_outcome(self._model, asked, action)
        self._model.is_over(asked)

    def _dispatched(self, action: Dispatch, lot: list[Given]) -> None:
        process = self._workers.all[action.worker]
        asked = self._by_call[action.call]
        asked = asked.floating.get(process.node, asked)
        job = asked.jobs.get(self._model.part(asked, process.place))
        if job is None:
            raise Violation("work for a node that takes no part, or too early")
        self._workers.dispatched(job, action, lot)

    def _check_step(self, event: Event) -> None:
        model = self._model
        if model.resting is not None:
            raise Violation("what raised is to be tried again, and is not")
        for asked in model.unsettled:
            checks.check_settled(asked)
        model.unsettled.clear()
        if self.router.bytes_held != model.bytes:
            raise Violation(f"{self.router.bytes_held} bytes held, {model.bytes} are due")
        if isinstance(event, (Lost, Joined)) or self.steps % 4 == 0:
            checks.check_nobody_idles(model, self._workers.known(), self._is_draining)
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
        for process in self._workers.all.values():
            if self.router.outstanding(process.identity):
                raise Violation("a task is outstanding at rest")
            if process.is_retiring and process.is_known:
                raise Violation("a worker was never let go")
