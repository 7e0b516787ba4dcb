"""Worker processes: their lives and ends, and what people do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from jina.runtime.steps import (
    Action,
    Dispatch,
    Event,
    Joined,
    Lost,
    NodeFailed,
    Overdue,
    Raised,
    Replied,
    Retire,
    Retired,
    TakeBack,
)
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo, Times
from tests.runtime.simulation import checks
from tests.runtime.simulation.clock import Clock
from tests.runtime.simulation.flows import MadeUpFlow, Place
from tests.runtime.simulation.model import Model
from tests.runtime.simulation.state import (
    Asked,
    Given,
    Job,
    Process,
    Violation,
    piece_of,
    rows_of,
)

BUSY = ErrorInfo(
    "my.module.Busy",
    "no",
    classes=["my.module.Busy", "ConnectionError", "OSError", "Exception", "BaseException"],
)
TOO_LATE = ErrorInfo(REQUEST_TIMEOUT, "The request exceeded its time limit")


class Workers:
    """The worker processes of a Flow, and what supervisor and gateway do with them.

    Args:
        flow: whose they are.
        model: told of what happens before the router is.
        clock: says when.
        step: tells the router.

    Attributes:
        all: every process that was ready once, by its identity.
    """

    def __init__(
        self,
        flow: MadeUpFlow,
        model: Model,
        clock: Clock,
        step: Callable[[Event], list[Action]],
    ) -> None:
        self._flow = flow
        self._model = model
        self._clock = clock
        self._draw = clock.draw
        self._step = step
        self._replicas_left = {
            (node.name, shard): node.replicas for node in flow.nodes for shard in range(node.shards)
        }
        self._of: dict[str, dict[bytes, Process]] = {name: {} for name in flow.rules}
        self.all: dict[bytes, Process] = {}
        self._lives = 0
        self._lots = 0

    def start_all(self) -> None:
        """The Flow starts."""
        for place, replicas in self._replicas_left.items():
            for replica in range(replicas):
                self.start(place, replica)

    def known(self) -> Iterable[Process]:
        """Those that the router was told of, and not of their end."""
        return (process for some in self._of.values() for process in some.values())

    def dispatched(self, job: Job, action: Dispatch, lot: list[Given]) -> None:
        """The router gives a task to a worker.

        Args:
            job: what it is about.
            action: what the router wants.
            lot: what stands before it in its lot; emptied when that is complete.
        """
        process = self.all[action.worker]
        rivals = [] if lot else self._of[process.node].values()
        checks.check_dispatch(self._model, job, action, process, rivals)
        given = Given(job, action, self._model.take_turn(job))
        job.is_late = False
        process.given[action.task] = given
        lot.append(given)
        if len(lot) == 1:
            self._model.take_lot(given.queue, process.place)
            self._lots += 1
            process.last_given = self._lots
            self._see_oldest(process)
        if action.lot in (0, action.task):
            checks.check_lot(lot)
            arrives = self._clock.now + self._draw.expovariate(1.0)
            process.reached_until = max(process.reached_until, arrives)
            self._clock.at(process.reached_until, self._arrived, process, lot[:])
            lot.clear()

    # --- a worker's life ---

    def start(self, place: Place, replica: int) -> None:
        self._lives += 1
        process = Process(
            f"{place[0]}/{place[1]}/{replica}/{self._lives}".encode(),
            place,
            replica,
            self._draw.randint(1, 3),
            self._flow.bound[place[0]],
            [name for name in self._flow.bound[place[0]] if name in self._flow.once[place[0]]],
        )
        after = self._draw.choice([0.0, 5.0])
        if self._flow.has("failed starts") and self._draw.random() < 0.05:
            self._clock.later(self._give_place_up, place, after=after)
        else:
            self._clock.later(self._is_up, process, after=after)

    def _shard(self, place: Place) -> int | None:
        """As the router knows it."""
        return place[1] if self._flow.rules[place[0]].shards > 1 else None

    def _is_up(self, process: Process) -> None:
        process.is_known = True
        self.all[process.identity] = process
        self._of[process.node][process.identity] = process
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
                process.once,
            )
        )

    def _is_stopped(self, process: Process, act: Callable[..., None], *arguments: Any) -> bool:
        """Whether it does nothing now; it does this later."""
        if self._clock.now >= process.stopped_until:
            return False
        self._clock.at(process.stopped_until, act, process, *arguments)
        return True

    def _arrived(self, process: Process, come: list[Given] | int) -> None:
        process.inbox.append(come)
        self._read(process)

    def taken_back(self, action: TakeBack) -> None:
        """A worker is told that it need not begin something; it may have begun."""
        process = self.all[action.worker]
        given = process.given.get(action.task)
        if not process.is_known or given is None or given.job.asked.is_waiting:
            raise Violation("taken back, although it is wanted, or is not there")
        arrives = self._clock.now + self._draw.expovariate(1.0)
        process.reached_until = max(process.reached_until, arrives)
        self._clock.at(process.reached_until, self._arrived, process, action.task)

    def tasks_of(self, over: list[Asked]) -> set[tuple[bytes, int]]:
        """What the router must take back: all that a worker has of some requests."""
        return {
            (process.identity, task)
            for process in self.known()
            for task, given in process.given.items()
            if given.job.asked in over
        }

    def _read(self, process: Process) -> None:
        """Take what has come, in its order, however often it was stopped meanwhile."""
        if process.is_alive and not self._is_stopped(process, self._read):
            while process.inbox:
                come = process.inbox.popleft()
                if isinstance(come, int):
                    self._give_back(process, come)
                else:
                    process.staged.append(come)
                    self._go_on(process)  # it does not look further than it has to
            self._go_on(process)

    def _give_back(self, process: Process, task: int) -> None:
        """It does not begin what nobody wants; what it has begun, it finishes."""
        for lot in process.staged:
            for given in lot:
                if given.work.task == task:
                    lot.remove(given)
                    if not lot:
                        process.staged.remove(lot)
                    self._send(process, Replied(process.identity, task, []))
                    return

    def _go_on(self, process: Process) -> None:
        if process.running or not process.staged:
            return
        process.running = process.staged.popleft()
        for given in process.running:
            deadline = given.work.deadline
            given.is_over = deadline is not None and self._clock.now >= deadline
        killers = [given for given in process.running if _kills(given, process)]
        if not killers:
            self._clock.later(self._finish, process)
        elif not killers[0].job.asked.hangs or self._limit(killers[0]) < 0:
            self._die(process)

    def _limit(self, given: Given) -> float:
        return self._flow.limit(given.job.part.node, given.work.endpoint)

    def _finish(self, process: Process) -> None:
        if not process.is_alive or self._is_stopped(process, self._finish):
            return
        lot, process.running = process.running, []
        alone: list[Given] = []
        if len(lot) > 1 and self._draw.random() < 0.2:  # the call raised
            alone = self._draw.sample(lot, self._draw.randint(1, len(lot)))
        for given in lot:
            if given not in alone:
                self._report(process, given)
        process.staged.extendleft([given] for given in reversed(lot) if given in alone)
        self._go_on(process)

    def _report(self, process: Process, given: Given) -> None:
        """Send what came of it: on its way for a while, in order, if its sender lives or not."""
        draw, work = self._draw, given.work
        times = Times(self._clock.now, self._clock.now + 1) if work.is_timed else None
        event: Raised | Replied
        if given.is_over or draw.random() < 0.05 or _is_sour(given):
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
        self._send(process, event)

    def _send(self, process: Process, event: Replied | Raised) -> None:
        draw = self._draw
        process.sent_until = max(process.sent_until, self._clock.now + draw.expovariate(2.0))
        self._clock.at(process.sent_until, self._on_message, process, event)

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
            process.oldest, process.since = oldest, self._clock.now

    # --- its end ---

    def disaster(self) -> None:
        if not self._clock.goes_on():
            return
        alive = [each for each in self.known() if each.is_alive]
        if alive and self._flow.has("stops") and self._draw.random() < 0.3:
            self._draw.choice(alive).stopped_until = self._clock.now + self._draw.choice(
                [5.0, 60.0]
            )
        elif alive:
            self._die(self._draw.choice(alive))
        self._clock.later(self.disaster, after=self._draw.choice([1.0, self._flow.pause_s]))

    def _die(self, process: Process) -> None:
        process.is_alive = False
        self._clock.later(self._is_lost, process, process.begun)

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
        if self._draw.random() < self._flow.mortal:
            self._give_place_up(process.place)
        else:
            self.start(process.place, process.replica)

    def _forget(self, process: Process) -> None:
        process.is_known = False
        del self._of[process.node][process.identity]

    def _give_place_up(self, place: Place) -> None:
        """There is one replica less; with the last one the shard is gone."""
        self._replicas_left[place] -= 1
        if not self._replicas_left[place]:
            self._model.gone(place)
            self._step(NodeFailed(place[0], "gone", self._shard(place)))

    def late(self, action: Overdue) -> None:
        """What gateway and supervisor do with a worker that is late."""
        process = self.all[action.worker]
        checks.check_overdue(self._model, action, process, self._clock.now)
        for given in process.given.values():
            if given.work.task == action.task or (action.lot and given.work.lot == action.lot):
                given.job.is_late = True
        begun = process.begun
        if (begun and begun in (action.task, action.lot)) or process.was_idle == action.task:
            self._clock.later(self._end_late, process, begun)
        else:
            process.was_idle = action.task

    def _end_late(self, process: Process, begun: int) -> None:
        if process.is_alive and process.begun == begun:
            self._die(process)

    # --- what people do with a Flow ---

    def change(self) -> None:
        """Somebody scales a node, or replaces a worker before or after its successor is ready."""
        if not self._clock.goes_on():
            return
        draw = self._draw
        steady = [each for each in self.known() if each.is_alive and not each.is_retiring]
        kind = draw.choice(["more", "more", "fewer", "restart", "surge", "reload", "fail"])
        if kind == "more":
            place = draw.choice(self._flow.places)
            self._replicas_left[place] += 1
            self.start(place, draw.randint(3, 9))
        elif kind == "reload":  # workers that start from now on have other methods
            node = draw.choice(self._flow.nodes).name
            self._flow.bound[node] = self._flow.endpoints()
        elif steady:
            self._replace(draw.choice(steady), kind)
        self._clock.later(self.change, after=draw.choice([1.0, self._flow.pause_s]))

    def _replace(self, process: Process, kind: str) -> None:
        if kind == "fewer":
            if self._replicas_left[process.place] == 1:
                return
            self._replicas_left[process.place] -= 1
        elif kind == "surge":
            self.start(process.place, process.replica)
        elif kind == "fail":  # its successor cannot be started, while it still finishes
            self._clock.later(self._give_place_up, process.place)
        process.has_heir = kind != "restart"
        process.is_retiring = True
        self._step(Retire(process.identity))

    def retired(self, action: Retired) -> None:
        process = self.all[action.worker]
        if not process.is_retiring or not process.is_known:
            raise Violation("closed without being asked to")
        if process.given:
            raise Violation("closed with something left to do")
        self._forget(process)
        if process.is_alive:  # else it is about to be found dead
            self._die(process)


def _is_sour(given: Given) -> bool:
    """Whether the method raises for some of these rows."""
    asked, work = given.job.asked, given.work
    if asked.sour != given.job.part.node or work.blame or work.skip:
        return False
    rows = range(work.first, work.stop or rows_of(given.job.input))
    return any(row in asked.sour_rows for row in rows)


def _kills(given: Given, process: Process) -> bool:
    """Whether the worker does not survive this; what is reported without a call harms nobody."""
    asked, work = given.job.asked, given.work
    if asked.poison != process.node or asked.poison_shard not in (None, process.place[1]):
        return False
    if work.blame or work.skip or given.is_over:
        return False
    return not work.stop or any(row in asked.poison_rows for row in range(work.first, work.stop))
