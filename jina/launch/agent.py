"""An agent: serves an Executor of a Flow that runs on another machine.

It owns workers as a supervisor owns them, with the same parts: it starts them, hears them, brings
them back, ends them. What a supervisor is told by its gateway over a channel, it is told over a
socket, where it has to reckon with silence: see `jina.runtime.roster` for the lease.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import msgspec

from jina import __version__
from jina.defaults import (
    BEATS_PER_LEASE,
    CLOSE_GRACE_S,
    DRAIN_GRACE_S,
    KILL_GRACE_S,
    LEASE_S,
)
from jina.excepts import ConfigError, ConnectError, FlowError, WireError
from jina.graph.plan import PlannedNode, WorkerSpec
from jina.launch import events
from jina.launch.agent_home import AgentHome
from jina.launch.agent_link import AgentLink
from jina.launch.agent_reports import report_of
from jina.launch.child import not_started
from jina.launch.ending import ending
from jina.launch.hints import Hints
from jina.launch.listener import Listener
from jina.launch.local import start_failure
from jina.launch.overdue import OverdueWorkers
from jina.launch.restarts import Comebacks
from jina.launch.workers import FromOwner, WorkerProcess, Workers
from jina.runtime import agency, control
from jina.runtime.board import Board
from jina.runtime.descendants import end_marked
from jina.runtime.facts import WorkerReport
from jina.runtime.overdue import Overdues
from jina.runtime.steps import Overdue

_TICK_S = 0.5  # the longest time without a look at the deadlines
_AGAIN_S = 1.0  # between greetings that get no answer
_MOST_STARTS = 1_000_000  # of one agent: what they start is told from that of another one by it
_WORD_S = 10.0  # between two words about what is waited for

#: Makes what the workers run: of this node, these shards (None for none), and replicas.
Specs: TypeAlias = Callable[[PlannedNode, "int | None", "list[int]"], "list[WorkerSpec]"]


class Serve(NamedTuple):
    """What an agent serves.

    Attributes:
        node: of the Flow.
        gateway: its address for workers.
        keys: folder of the keys that it is shown; "" for none.
        shard: the only one that is served; None for all.
        replicas: workers, of each shard.
        is_stateful: the Executor keeps files.
        specs: see Specs.
        ends_with_flow: it does not wait for the Flow to come back.
    """

    node: str
    gateway: str
    keys: str
    shard: int | None
    replicas: int
    is_stateful: bool
    specs: Specs
    ends_with_flow: bool = False


class Agent:
    """The agent of one gateway.

    Args:
        serve: what it serves.
        selector: of the loop.
        report: told what happens, on this thread.
        number: of this agent in its process.
    """

    def __init__(
        self,
        serve: Serve,
        selector: selectors.BaseSelector,
        report: events.Reporter,
        number: int = 0,
    ) -> None:
        self._serve = serve
        self._report = report
        self._home = AgentHome(serve.gateway)
        self._board = Board(self._home.board)
        self._listener = Listener(selector, report)
        self._link = AgentLink(serve.gateway, serve.keys, selector)
        first_slot = number * _MOST_STARTS
        self._workers = Workers(self._home, self._listener, self._tell, serve.keys, first_slot)
        self._ending = OverdueWorkers(self._workers, str(self._home.board), report)
        self._overdues = Overdues(self._overdue, self._board)
        self._comebacks = Comebacks({})
        self._hints = Hints(report)
        self._specs: dict[str, WorkerSpec] = {}
        self._slots: dict[str, int] = {}  # identity -> its place on the board
        self._blameless: set[str] = set()  # identities of those whose death a request is charged
        self._numbers: list[int] = []
        self._restarts: dict[str, tuple[int, str]] = {}  # worker -> its deaths, how the last was
        self._is_admitted = False
        self._has_served = self._was_up = False
        self._heard = self._greeted = self._beat = 0.0
        self._lease_s = LEASE_S
        self._admitted_at = time.monotonic()
        self._next_word = self._admitted_at + 1.0
        self._why = ""  # nothing is served now
        self._deadline: float | None = None  # of those that close, or of the whole end
        self._is_stopping = False
        self.failure: Exception | None = None
        """Why it cannot serve."""
        self.ended_by: signal.Signals | None = None
        """The signal that ended it at once."""

    # --- the loop ---

    def open(self, stack: contextlib.ExitStack) -> None:
        """Have everything of it ended, in order, when the stack is unwound."""
        stack.callback(self._home.close)
        stack.callback(self._board.close)
        stack.callback(self._link.close)
        stack.callback(self._end_everything)

    def go_on(self, signums: list[signal.Signals]) -> None:
        """Do what is to be done now."""
        self._listener.go_on()
        for signum in signums:
            if signum != signal.SIGCHLD:  # that woke the loop; _reap looks
                self._stop_or_kill(signum)
        self._hear()
        self._reap()
        self._keep_time(time.monotonic())

    @property
    def goes_on(self) -> bool:
        """Whether it has not come to its end."""
        if self.failure is not None or self.ended_by is not None:
            return False
        return not self._is_stopping or len(self._workers) > 0

    @property
    def timeout(self) -> float:
        """Seconds until `go_on` must be called."""
        now = time.monotonic()
        moments = [*self._comebacks.due.values(), *self._ending.due]
        moments += [self._deadline] if self._deadline is not None else []
        waits = [moment - now for moment in moments] + self._listener.waits
        return max(0.0, min([_TICK_S, self._lease_s / BEATS_PER_LEASE, *waits]))

    def _say(self, text: str) -> None:
        self._report(events.Changing(text=text))

    # --- what the gateway says ---

    def _hear(self) -> None:
        try:
            messages = self._link.hear()
        except WireError as error:
            self.failure = ConnectError(
                f"the gateway does not speak our language: {error}", where=self._serve.gateway
            )
            return
        except ConnectError as error:
            self.failure = error
            return
        for message in messages:
            self._on_message(message)

    def _on_message(self, message: agency.ToAgent) -> None:
        if isinstance(message, agency.Admitted):
            self._admitted(message)
        elif isinstance(message, agency.Heard):
            self._heard = max(self._heard, message.at or 0.0)
        elif isinstance(message, agency.TurnedAway):
            kind = ConfigError if message.is_usage else ConnectError
            self.failure = kind(message.what, where=self._serve.gateway, hint=message.hint)
        elif isinstance(message, agency.Wait):
            self._next_word = self._next_word if self._why else 0.0  # the reason is told at once
            self._why = f"{message.why}; it may serve in {message.seconds:.0f} s"
        elif isinstance(message, agency.WhoIsIt):
            self._is_admitted = False
            self._greet()
        elif isinstance(message, agency.Ended):
            self._flow_ended()
        elif isinstance(message, agency.Late):
            overdue = Overdue(message.identity.encode(), message.task, message.seconds, message.lot)
            if message.identity in self._slots:
                self._overdues.tell(overdue, self._slots[message.identity])
        elif isinstance(message, agency.TakenBack):
            if message.identity in self._slots:
                self._board.cancel(self._slots[message.identity])
        elif isinstance(message, control.WorkerReady):
            self._worker_ready(message)
        elif isinstance(message, control.Unreachable):
            self._ending.hear(message, time.monotonic())
        elif isinstance(message, control.Retired):
            worker = self._workers.get(message.identity)
            grace_s = CLOSE_GRACE_S if worker is None else worker.spec.stop_grace_s
            self._deadline = max(self._deadline or 0.0, time.monotonic() + grace_s)

    def _greet(self) -> None:
        self._greeted = time.monotonic()
        self._link.send(
            agency.Greet(
                machine=socket.gethostname(),
                pid=os.getpid(),
                node=self._serve.node,
                shard=self._serve.shard,
                replicas=self._serve.replicas,
                jina=__version__,
                msgspec=msgspec.__version__,
                numbers=self._numbers,
                identities=[worker.identity for worker in self._workers],
                is_stateful=self._serve.is_stateful,
                at=self._greeted,
            )
        )

    def _admitted(self, message: agency.Admitted) -> None:
        if time.monotonic() - message.at >= message.lease_s:
            return  # it was on its way for so long that others may serve now
        self._heard = max(self._heard, message.at)
        was_admitted, self._is_admitted = self._is_admitted, True
        self._why = ""
        self._lease_s = message.lease_s
        if was_admitted:
            return
        if self._is_stopping:  # another gateway: the workers go on retiring
            self._workers.announce()
            return
        self._admitted_at = time.monotonic()
        if self._numbers != message.numbers or not self._specs:
            self._end_workers("they belong to an earlier life of the Flow")
            self._numbers = list(message.numbers)
            specs = self._serve.specs(message.node, self._serve.shard, self._numbers)
            self._specs = {spec.name: spec for spec in specs}
            self._workers.planned = len(specs)
            for spec in specs:
                self._comebacks.add(spec.name, (spec.node, spec.shard))
        self._say(f'serving {self._serve.node} of the Flow "{message.flow}"')
        self._workers.announce()
        there = set(self._workers.names.values()) | set(self._comebacks.due)
        for name in self._specs:
            if name not in there:
                self._start(name)

    def _start(self, name: str) -> None:
        try:
            self._workers.start(self._specs[name])
        except (FlowError, OSError) as error:
            self.failure = start_failure(not_started(error))

    def _worker_ready(self, message: control.WorkerReady) -> None:
        worker = self._workers.get(message.identity)
        if worker is None:
            return
        child = worker.child
        child.python_version = message.python
        self._comebacks.is_back((worker.spec.node, worker.spec.shard))
        self._has_served = True
        if not child.is_ready:
            child.is_ready = True
            self._listener.show_held(child)
            self._hints.ready(child, worker.spec, message)

    def _flow_ended(self) -> None:
        """The gateway has told each worker to close; it may come back, and the Flow with it."""
        if self._is_admitted:
            self._is_admitted = False
            self._comebacks.due.clear()
            self._deadline = time.monotonic() + CLOSE_GRACE_S
            self._workers.end_loading()
            self._specs.clear()
            self._say("the Flow has stopped; waiting for it to come back")
        self._why = "the Flow has stopped"
        self._is_stopping |= self._serve.ends_with_flow

    # --- what the gateway is told ---

    def _tell(self, message: FromOwner) -> None:
        """Tell the gateway of a worker; a death with what its board says."""
        if isinstance(message, control.Expect):
            self._slots[message.identity] = message.slot
        elif isinstance(message, control.Died):
            slot = self._slots.pop(message.identity, None)
            begun = 0 if slot is None else self._board[slot]
            if self._overdues.forget(message.identity.encode()) or begun:
                self._blameless.add(message.identity)
            message = msgspec.structs.replace(message, begun=begun)
        self._link.send(message)

    def _overdue(self, message: control.Overdue) -> None:
        self._ending.hear(message, time.monotonic())

    def _reports(self) -> dict[str, WorkerReport]:
        return {
            worker.identity: report_of(
                worker,
                self._board.work(worker.slot),
                self._restarts.get(worker.spec.name, (0, "")),
                is_retiring=self._workers.is_retiring(worker.identity),
            )
            for worker in self._workers
        }

    # --- death ---

    def _reap(self) -> None:
        dead = list(self._workers.take_dead())
        if dead:
            end_marked(*(worker.mark for worker in dead))
        for worker in dead:
            self._worker_ended(worker)

    def _worker_ended(self, worker: WorkerProcess) -> None:
        child, spec = worker.child, worker.spec
        self._slots.pop(worker.identity, None)
        if not self._is_admitted or self._is_stopping or spec.name not in self._specs:
            self._listener.show_held(child)
            if child.is_ready and not child.was_killed and child.ending != ending(0):
                self._report(events.NotClosed(worker=child.name, reason=child.ending))
            return
        if not self._has_served and not child.is_ready and not child.was_killed:
            self.failure = start_failure(child.failure(spec.where, child.ending))
            return
        self._listener.show_held(child)
        self._restarts[spec.name] = (self._restarts.get(spec.name, (0, ""))[0] + 1, child.ending)
        delay = self._comebacks.plan(spec.name, time.monotonic())
        if worker.identity in self._blameless:
            self._blameless.discard(worker.identity)
            self._comebacks.forgive(spec.name)
        self._report(events.WorkerDied(worker=spec.name, reason=child.ending, restart_in_s=delay))
        if delay is None and self._comebacks.give_up(spec.name, child.last_words()) is not None:
            self.failure = start_failure(child.failure(spec.where, child.ending))

    # --- time ---

    def _keep_time(self, now: float) -> None:
        is_up = self._link.is_up
        if is_up and not self._was_up:
            self._is_admitted = False  # it may be another gateway, or none of what was said came
            self._greet()
        self._was_up = is_up
        if is_up and not self._is_admitted and now - self._greeted >= _AGAIN_S:
            self._greet()
        has_lease = self._is_admitted or len(self._workers) > 0
        if has_lease and now - self._beat >= self._lease_s / BEATS_PER_LEASE:
            self._beat = now
            self._link.send(agency.Beat(at=now, reports=self._reports()))
        if now - self._heard >= self._lease_s and has_lease:
            self._end_workers(f"nothing was heard of the gateway for {self._lease_s:g} s")
            self._is_admitted = False
        for name in self._comebacks.take_due(now) if self._is_admitted else ():
            self._start(name)
        self._ending.end_due(now)
        self._look_after(now)
        self._tell_waiting(now)
        if self._deadline is not None and now >= self._deadline:
            self._insist(now)

    def _look_after(self, now: float) -> None:
        """See that no worker is silent at its start."""
        loading = {each.spec.name for each in self._workers if not each.child.is_ready}
        self._hints.loading(loading, now - self._admitted_at)
        for worker, reason in self._workers.silent(now):
            self.failure = start_failure(worker.child.failure(worker.spec.where, reason))

    def _tell_waiting(self, now: float) -> None:
        if self._is_admitted or self._is_stopping or now < self._next_word:
            return
        self._next_word = now + _WORD_S
        why = self._why if self._was_up and self._why else "is the Flow up?"
        self._say(f"waiting for the gateway at {self._serve.gateway}: {why}")

    def _end_workers(self, why: str) -> None:
        """End every worker at once: the gateway has given what they had to others, or will."""
        self._comebacks.due.clear()
        self._specs.clear()
        if not self._workers:
            return
        self._say(f"ending {', '.join(self._workers.names.values())}: {why}")
        self._workers.signal(signal.SIGKILL)
        for worker in self._workers:
            worker.child.wait(KILL_GRACE_S)
        self._reap()

    # --- the end ---

    def _stop_or_kill(self, signum: signal.Signals) -> None:
        """Asked once: the workers finish what they have. Asked again: at once."""
        if self._is_stopping:
            if signum != signal.SIGHUP:
                self._report(events.Stopping(reason=signum.name, at_once=True))
                self.ended_by = signum
            return
        self._report(events.Stopping(reason=signum.name))
        self._is_stopping = True
        self._comebacks.due.clear()
        self._deadline = time.monotonic() + DRAIN_GRACE_S + CLOSE_GRACE_S
        if not self._is_admitted:
            self._workers.signal(signal.SIGTERM)
            self._deadline = time.monotonic() + KILL_GRACE_S
            return
        for worker in self._workers:
            self._workers.retire(worker.identity)

    def _insist(self, now: float) -> None:
        """Somebody has not closed in time."""
        self._deadline = None
        for worker in self._workers:
            event = events.NotClosed(worker=worker.spec.name, waited_s=worker.spec.stop_grace_s)
            self._report(event)
            worker.child.signal_group(signal.SIGKILL)

    def _end_everything(self) -> None:
        self._workers.end()
        end_marked(*(worker.mark for worker in self._workers))
        self._link.send(agency.Leave())
