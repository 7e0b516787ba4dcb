"""The supervisor: starts the gateway and the workers, watches them, brings them back, ends them.

It runs no user code and opens no body. One poll loop on the main thread owns everything: signals
set a flag, the loop acts. Its parts are listed in `jina/launch/__init__.py`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time

from jina.defaults import CLOSE_GRACE_S, DELIVERY_GRACE_S, DRAIN_GRACE_S, KILL_GRACE_S
from jina.excepts import FlowError
from jina.graph.plan import Plan, WorkerSpec
from jina.launch import events
from jina.launch.changing import Changing
from jina.launch.child import Child, not_started
from jina.launch.control_socket import Asker, ControlSocket, Question
from jina.launch.ending import ending
from jina.launch.fronts import Fronts
from jina.launch.gateway_process import GatewayProcess
from jina.launch.health import Health
from jina.launch.hints import Hints
from jina.launch.listener import Listener
from jina.launch.overdue import OverdueWorkers
from jina.launch.remote import RemoteNodes
from jina.launch.restarts import Comebacks
from jina.launch.rundir import RunDirectory
from jina.launch.signals import Signals
from jina.launch.workers import WorkerProcess, Workers
from jina.runtime import control
from jina.runtime.board import create_board
from jina.runtime.descendants import end_marked, mark_of
from jina.runtime.facts import Look, Seen

_TICK_S = 1.0  # the longest time without a look at the deadlines

STARTING, UP, DRAINING, CLOSING, DELIVERING, ENDING, KILLED = range(7)


class Supervisor:
    """One Flow's processes.

    Args:
        plan: what to run.
        directory: claimed for this Flow; removed at the end.
        report: called with everything that happens, on this thread.
        owner: when given, the Flow ends as soon as this channel closes or says Drain.
    """

    def __init__(
        self,
        plan: Plan,
        directory: RunDirectory,
        report: events.Reporter,
        owner: control.Channel | None = None,
    ) -> None:
        self._plan = plan = RemoteNodes.with_keys(plan, directory.path)
        self._directory = directory
        self._report = report
        self._owner = owner
        self._state, self._failed = STARTING, False
        self.ended_by: signal.Signals | None = None
        """The second signal, which ended it at once; or Ctrl-C before it was up."""
        self._comebacks = Comebacks({spec.name: (spec.node, spec.shard) for spec in plan.workers})
        self._waiting = {spec.name for spec in plan.workers}  # workers that have not been ready yet
        self._endpoints: dict[str, list[str]] = {}  # node -> what its workers bind
        self._fronts: list[str] = []
        self._deadline: float | None = None
        self._signals = Signals()
        self._began = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._listener = Listener(self._selector, report)
        self._gateway = GatewayProcess(self._selector, self._listener, self._on_gateway)
        self._remote = RemoteNodes(plan, report, self._serves, self._selector, self._listener)
        self._workers = Workers(directory, self._listener, self._gateway.tell)
        self._workers.planned = len(plan.workers)
        self._http = Fronts(plan.http, self._selector, self._listener, report, self._perhaps_up)
        self._overdue = OverdueWorkers(self._workers, str(directory.board), report)
        self._changing = Changing(
            plan, self._workers, self._comebacks, report, self._start_later, directory.runs
        )
        parts = (self._gateway, self._http, self._workers, self._comebacks, self._changing)
        self._health = Health(*parts, self._words, report)
        self._hints = Hints(report)
        self._control = ControlSocket(self._selector, self._on_question)

    # --- the loop ---

    def run(self) -> bool:
        """Start everything and supervise it until it is stopped.

        Returns:
            True when it was stopped; False when it failed, or one of its Executors did at the end.
        """
        with contextlib.ExitStack() as stack:
            # Outermost: a signal that comes while everything is being ended interrupts nothing.
            stack.enter_context(self._signals)
            self._selector.register(self._signals, selectors.EVENT_READ, lambda: None)
            stack.callback(self._directory.remove)
            stack.callback(self._selector.close)
            stack.callback(self._control.close)
            stack.callback(self._end_everything)
            if self._owner:
                self._selector.register(self._owner, selectors.EVENT_READ, self._on_owner)
            self._start()
            while self._goes_on():
                for key, _ in self._selector.select(self._timeout()):
                    key.data()
                self._listener.go_on()
                for signum in self._signals.take():
                    if signum != signal.SIGCHLD:  # that woke the loop; _reap looks
                        self._stop_or_kill(signum.name, signum)
                self._reap()
                self._keep_time()
                self._gateway.hear()
        clean = not self._failed
        self._report(events.Stopped(clean=clean))
        return clean

    def _goes_on(self) -> bool:
        if self._workers or self._comebacks.due or self._state in (STARTING, UP):
            return True
        # In order: the gateway outlives the workers until clients have their answers.
        return self._state <= DELIVERING and bool(self._gateway.child or self._http)

    def _timeout(self) -> float:
        now = time.monotonic()
        moments = [self._changing.due, self._gateway.due, self._deadline, *self._http.due]
        moments += [*self._comebacks.due.values(), *self._overdue.due, *self._health.due]
        waits = [moment - now for moment in moments if moment is not None] + self._listener.waits
        return max(0.0, min([_TICK_S, *waits]))

    def _words(self) -> str:
        return {STARTING: "starting", UP: "up"}.get(self._state, "stopping")

    def _on_owner(self) -> None:
        if (owner := self._owner) is None:
            return
        messages = owner.receive()
        is_released = any(isinstance(message, control.Release) for message in messages)
        if is_released or not owner.is_open:
            self._selector.unregister(owner)
            self._owner = None
        if is_released:
            self._report(events.Released(log=self._directory.record.log))
        elif not owner.is_open:
            self._kill()  # whoever wanted this Flow is gone
        elif any(isinstance(message, control.Drain) for message in messages):
            self._stop_or_kill("closed")

    def _on_question(self, question: Question, asker: Asker) -> None:
        if isinstance(question, Look):
            self._health.ask(question, asker)
            return
        busy = {STARTING: "the Flow is still starting", UP: ""}.get(self._state, "the Flow stops")
        self._changing.begin(question, asker, busy=busy)

    # --- start ---

    def _start(self) -> None:
        try:
            self._remote.open()
            self._http.open()
            self._directory.record.http = self._http.url
            create_board(self._directory.board)
            self._control.open(self._directory.control)
            self._start_gateway()
            self._http.start(self._plan.name, self._directory.front, str(self._directory.path))
            for spec in self._plan.workers:
                self._workers.start(spec)
        except (FlowError, OSError) as error:  # no port, process, descriptor, memory, disk space
            self._fail(not_started(error))

    def _start_gateway(self) -> None:
        """Start the gateway, or a replacement for one that died, and tell it all that it needs."""
        self._gateway.start()
        known = (self._endpoints, self._fronts, self._remote.address, self._remote.known)
        self._gateway.configure(self._plan, self._directory, self._changing.nodes, *known)
        self._workers.announce()
        self._health.announce()

    # --- the gateway's messages ---

    def _on_gateway(self, message: control.ToSupervisor) -> None:
        if isinstance(message, control.WorkerReady):
            self._worker_ready(message)
        elif isinstance(message, control.Listening):
            self._fronts, self._remote.address = message.front, message.workers
            if (gateway := self._gateway.child) is not None:
                gateway.is_ready = True  # what it says from now on is shown at once
                self._listener.show_held(gateway)
            self._perhaps_up()
        elif isinstance(message, control.AgentNews | control.RemoteReady | control.Holders):
            self._remote.hear(message)
        elif isinstance(message, control.Charged):
            self._comebacks.forgive(message.identity.rpartition("/")[0])
        elif isinstance(message, control.Overdue | control.Unreachable):
            self._overdue.hear(message, time.monotonic())
        elif isinstance(message, Seen | control.RequestFailed):
            self._health.hear(message)
        elif isinstance(message, control.Retired):
            self._changing.retired(message.identity)
        elif self._state == DRAINING:  # Drained
            if message.given_up:
                self._failed = True
                self._report(events.GivenUp(requests=message.given_up, waited_s=DRAIN_GRACE_S))
            self._state = CLOSING
            grace_s = max(self._changing.close(), self._remote.placer.finish())
            self._deadline = time.monotonic() + grace_s + 2 * KILL_GRACE_S

    def _worker_ready(self, message: control.WorkerReady) -> None:
        worker = self._workers.get(message.identity)
        if worker is None:
            return
        child = worker.child
        child.python_version = message.python
        self._serves(worker.spec.node, message.endpoints)
        self._comebacks.is_back((worker.spec.node, worker.spec.shard))
        if not child.is_ready and self._state in (STARTING, UP):  # else it was told to end
            child.is_ready = True
            self._listener.show_held(child)
            self._hints.ready(child, worker.spec, message)
        self._waiting.discard(child.name)
        self._changing.ready(worker)
        self._perhaps_up()

    def _serves(self, node: str, endpoints: list[str]) -> None:
        self._endpoints[node] = endpoints
        self._directory.is_serving(self._endpoints)
        self._perhaps_up()

    def _perhaps_up(self) -> None:
        waits = self._waiting or self._remote.waiting or not self._http.have_met
        if self._state != STARTING or waits or not self._fronts:
            return
        self._state = UP
        try:
            self._directory.is_up_at(self._fronts, self._plan)
        except OSError as error:  # nobody could find it
            self._fail_as_whole(f"flow.json cannot be written: {error}")
            return
        directory, seconds = self._directory, time.monotonic() - self._began
        self._report(events.Up.of(directory.path, directory.record, seconds))

    # --- death ---

    def _reap(self) -> None:
        dead = list(self._workers.take_dead())
        if dead and self._state in (STARTING, UP):
            # One look for all, before the next one starts: what left its group would run beside it.
            end_marked(*(worker.mark for worker in dead))
        for worker in dead:
            self._worker_ended(worker)
        for failure in [*self._http.keep(time.monotonic()), *self._remote.keep()]:
            self._fail(failure)
        if self._state < ENDING and (gateway := self._gateway.take_dead()):
            self._gateway_ended(gateway)
        if self._state == CLOSING and not (self._workers or self._remote.placer.runs):
            self._failed = self._failed or self._changing.has_insisted
            self._state = DELIVERING
            self._deadline = time.monotonic() + DELIVERY_GRACE_S + KILL_GRACE_S
            self._gateway.let_leave()

    def _gateway_ended(self, gateway: Child) -> None:
        """Replace the gateway; the workers keep what they have in memory."""
        if self._state in (DRAINING, CLOSING):
            self._terminate()  # nobody can tell the workers to close now
            return
        if self._state == DELIVERING:
            self._closed(gateway)
            return
        delay = self._gateway.delay_s(time.monotonic())
        if self._state == STARTING or delay is None:
            self._fail(gateway.failure("", gateway.ending))
            return
        self._report(events.WorkerDied(worker="gateway", reason=gateway.ending, restart_in_s=0.0))
        self._replace_gateway()

    def _replace_gateway(self) -> None:
        """Start another gateway; if that fails, try again a little later, but not for ever."""
        self._gateway.due = None
        try:
            self._start_gateway()
        except OSError as error:
            reason = f"could not be started: {error}"
            delay = self._gateway.delay_s(time.monotonic())
            if delay is None:
                self._fail_as_whole(f"the gateway {reason}")
                return
            self._report(events.WorkerDied(worker="gateway", reason=reason, restart_in_s=delay))
            self._gateway.due = time.monotonic() + delay

    def _worker_ended(self, worker: WorkerProcess) -> None:
        child, spec = worker.child, worker.spec
        if self._state == DRAINING:
            self._gateway.hear()  # its Drained is here before a worker that was told to close ends
        if self._state == DRAINING:
            if child.name not in self._workers.names.values():  # nobody is started again now
                self._give_up(child.name, child.last_words())
        elif self._state == CLOSING and child.is_ready:
            self._closed(child)
        if self._state not in (STARTING, UP):
            return
        if self._state == STARTING and not child.is_ready:
            self._fail(child.failure(spec.where, child.ending))
            return
        was_asked = self._changing.ended(worker)
        self._listener.show_held(child)
        if not was_asked:
            self._start_later(spec, child.ending, child.last_words())

    def _closed(self, child: Child) -> None:
        if child.ending != ending(0):
            self._failed = True
            self._report(events.NotClosed(worker=child.name, reason=child.ending))

    def _start_later(self, spec: WorkerSpec, reason: str, words: str) -> None:
        """Plan the next start of a worker that is gone, or give it up."""
        self._health.died(spec, reason)
        delay = self._comebacks.plan(spec.name, time.monotonic())
        if delay is None:
            self._give_up(spec.name, words)
        self._report(events.WorkerDied(worker=spec.name, reason=reason, restart_in_s=delay))
        if delay is None:
            self._changing.given_up(spec, words)

    def _give_up(self, name: str, words: str) -> None:
        """Start a worker no more; a node with no worker left serves no more."""
        if (part := self._comebacks.give_up(name, words)) is not None:
            reason = self._comebacks.given_up[part]
            self._gateway.tell(control.GaveUp(node=part[0], shard=part[1], reason=reason))

    def _fail(self, failure: events.StartFailed) -> None:
        self._failed = True
        self._report(failure)
        self._terminate()

    def _fail_as_whole(self, reason: str) -> None:
        """No single process is to blame."""
        self._fail(events.StartFailed.of(FlowError(reason)))

    # --- time ---

    def _keep_time(self) -> None:
        now = time.monotonic()
        self._restart_due(now)
        self._overdue.end_due(now)
        self._health.keep_time(now)
        if self._state in (STARTING, UP):
            self._look_after(now)
        if self._state in (STARTING, UP, CLOSING):
            self._changing.keep_time(now)
        if self._deadline is not None and now >= self._deadline:
            self._deadline_passed()

    def _restart_due(self, now: float) -> None:
        """Start again those whose time has come."""
        for name in self._comebacks.take_due(now):
            try:
                self._workers.start(self._changing.specs[name])
            except OSError as error:  # no process, descriptor or disk space is left just now
                reason = f"could not be started: {error}"
                self._start_later(self._changing.specs[name], reason, reason)
        if self._gateway.due is not None and self._gateway.due <= now:
            self._replace_gateway()

    def _look_after(self, now: float) -> None:
        """See that the run directory is there, and that no worker is silent at its start."""
        self._hints.loading(self._waiting | self._http.waiting, now - self._began)
        self._remote.tell_missing(now - self._began)
        if not self._directory.keep():  # no command finds this Flow any more
            self._failed = True
            self._stop(f"its run directory {self._directory.path} was removed")
        for worker, reason in self._workers.silent(now):
            if not self._changing.silent(worker, reason):
                self._fail(worker.child.failure(worker.spec.where, reason))
                return

    def _deadline_passed(self) -> None:
        """Somebody has not ended in time: ask with a signal, or insist."""
        self._failed = self._failed or (self._state <= CLOSING and len(self._workers) > 0)
        if self._state != DRAINING:  # those that close have had a time of their own
            self._kill()
            return
        for name in self._workers.names.values():
            self._report(events.NotClosed(worker=name, waited_s=CLOSE_GRACE_S + DRAIN_GRACE_S))
        self._terminate()

    # --- the end ---

    def _stop_or_kill(self, reason: str, signum: signal.Signals | None = None) -> None:
        """Asked once: in order. Asked again: at once."""
        if self._state in (STARTING, UP):
            if self._state == STARTING and signum == signal.SIGINT:
                self.ended_by = signum  # what was asked for was not reached
            self._stop(reason)
        elif signum != signal.SIGHUP:  # a terminal that is closed sends several
            if self._state != KILLED:
                self.ended_by = signum
                self._report(events.Stopping(reason=reason, at_once=True))
            self._kill()

    def _stop(self, reason: str) -> None:
        """Drain: finish what is under way, close the Executors, leave."""
        self._report(events.Stopping(reason=reason))
        if self._state == STARTING:
            self._failed = reason == "closed" or self._failed
            self._terminate()
            return
        self._state = DRAINING
        self._changing.cancel()
        self._comebacks.due.clear()
        for name in set(self._changing.specs) - set(self._workers.names.values()):
            self._give_up(name, "is gone and cannot be restarted: stopping the Flow")
        self._workers.end_loading()
        self._deadline = time.monotonic() + DRAIN_GRACE_S + CLOSE_GRACE_S
        self._http.stop()
        self._gateway.tell(control.Drain(grace_s=DRAIN_GRACE_S))
        if self._gateway.child is None:
            self._terminate()  # nobody can tell the workers to close now

    def _terminate(self) -> None:
        """Ask every worker to end; insist after a grace."""
        self._signal_everyone(signal.SIGTERM, ENDING, KILL_GRACE_S)

    def _kill(self) -> None:
        """End every worker at once."""
        self._signal_everyone(signal.SIGKILL, KILLED, _TICK_S)

    def _signal_everyone(self, signum: signal.Signals, state: int, grace_s: float) -> None:
        self._state = state
        self._changing.cancel()
        self._comebacks.due.clear()
        self._gateway.due = None
        self._deadline = time.monotonic() + grace_s
        self._workers.signal(signum)
        self._http.signal(signum)

    def _end_everything(self) -> None:
        """Leave nobody behind, whatever happened."""
        self._workers.end()
        self._http.end()
        self._remote.placer.end(at_once=self._state == KILLED)
        end_marked(mark_of(os.getpid()))
        self._gateway.end(at_once=self._state == KILLED)
        self._remote.known.end()
