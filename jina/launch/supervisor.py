"""The supervisor: starts the gateway and the workers, watches them, brings them back, ends them.

It runs no user code and opens no body. One poll loop on the main thread owns everything: signals
set a flag, the loop acts. Its parts:

    jina/launch/child.py     one process: spawn, output, signals
    jina/launch/restarts.py  when a dead worker may come back
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable

from jina.defaults import CLOSE_GRACE_S, DRAIN_GRACE_S, KILL_GRACE_S
from jina.graph.plan import Plan, WorkerSpec
from jina.launch import events
from jina.launch.child import Child, spawn_gateway, spawn_worker
from jina.launch.restarts import Restarts
from jina.launch.rundir import RunDirectory, started_at_ticks
from jina.runtime import control
from jina.runtime.board import create_board
from jina.runtime.control import Assignment

_TICK_S = 1.0  # the longest time without a look at the deadlines
_HOLD_S = 2.0  # how long the first lines of a starting worker are held back

STARTING, UP, DRAINING, CLOSING, KILLING = range(5)


class Supervisor:
    """One Flow's processes.

    Args:
        plan: what to run.
        directory: claimed for this Flow; removed at the end.
        report: told about everything that happens, on this thread.
        owner: when given, the Flow ends as soon as this channel closes or says Drain.
    """

    def __init__(
        self,
        plan: Plan,
        directory: RunDirectory,
        report: Callable[[events.Event], None],
        owner: control.Channel | None = None,
    ) -> None:
        self._plan = plan
        self._directory = directory
        self._report = report
        self._owner = owner
        self._state = STARTING
        self._failed = False
        self._specs = {spec.name: spec for spec in plan.workers}
        self._workers: dict[str, tuple[Child, int]] = {}  # identity -> process, slot on the board
        self._restarts = {spec.name: Restarts() for spec in plan.workers}
        self._due: dict[str, float] = {}  # worker name -> when it is started again
        self._waiting = set(self._specs)  # workers that have not been ready yet
        self._lost_nodes: dict[str, set[str]] = {}
        self._given_up: dict[str, str] = {}  # node -> why it serves no more
        self._endpoints: dict[str, list[str]] = {}  # node -> what its workers bind
        self._gateway: Child | None = None
        self._gateway_restarts = Restarts()
        self._gateways = 0
        self._channel: control.Channel | None = None
        self._fronts: list[str] = []
        self._incarnation = 0
        self._deadline: float | None = None
        self._signals: list[int] = []
        self._began = time.monotonic()
        self._selector = selectors.DefaultSelector()

    # --- the loop ---

    def run(self) -> bool:
        """Start everything and supervise it until it is stopped.

        Returns:
            True when it was up and was stopped; False when it failed.
        """
        with contextlib.ExitStack() as stack:
            # Outermost: a signal that comes while everything is being ended interrupts nothing.
            stack.enter_context(self._signal_handling())
            stack.callback(self._directory.remove)
            stack.callback(self._selector.close)
            stack.callback(self._end_everything)
            if self._owner:
                self._selector.register(self._owner, selectors.EVENT_READ, self._on_owner)
            self._start()
            while self._workers or self._due or self._state in (STARTING, UP):
                for key, _ in self._selector.select(self._timeout()):
                    key.data()
                self._on_signals()
                self._reap()
                self._keep_time()
        clean = not self._failed
        self._report(events.Stopped(clean=clean))
        return clean

    def _timeout(self) -> float:
        now = time.monotonic()
        moments = [*self._due.values()]
        if self._deadline is not None:
            moments.append(self._deadline)
        return max(0.0, min([_TICK_S, *(moment - now for moment in moments)]))

    @contextlib.contextmanager
    def _signal_handling(self):  # type: ignore[no-untyped-def]  # a generator for `with`
        """Signals wake the loop through a socket pair; the loop acts on them."""
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        woken.setblocking(False)

        def drain() -> None:
            with contextlib.suppress(BlockingIOError):
                while woken.recv(4096):
                    pass

        def note(signum: int, frame: object) -> None:
            self._signals.append(signum)

        watched = [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as `nohup` wants it
            watched.append(signal.SIGHUP)
        before = [signal.signal(signum, note) for signum in watched]
        before_wake = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(woken, selectors.EVENT_READ, drain)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before_wake)
            for signum, handler in zip(watched, before, strict=True):
                signal.signal(signum, handler)
            wake.close()
            woken.close()

    def _on_signals(self) -> None:
        while self._signals:
            signum = self._signals.pop(0)
            if signum == signal.SIGCHLD:
                continue  # it woke the loop; _reap looks
            if self._state in (STARTING, UP):
                self._stop(signal.Signals(signum).name)
            else:
                self._kill()

    def _on_owner(self) -> None:
        owner = self._owner
        if owner is None:
            return
        messages = owner.receive()
        if not owner.is_open:
            self._selector.unregister(owner)
            self._owner = None
            self._kill()  # whoever wanted this Flow is gone
        elif any(isinstance(message, control.Release) for message in messages):
            self._selector.unregister(owner)
            self._owner = None
            self._log_to_file()
        elif any(isinstance(message, control.Drain) for message in messages):
            if self._state in (STARTING, UP):
                self._stop("closed")
            else:
                self._kill()

    def _log_to_file(self) -> None:
        """Whoever started us leaves, and may wait for the end of our standard error."""
        log = os.open(
            self._directory.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        os.dup2(log, 2)
        os.close(log)

    # --- start ---

    def _start(self) -> None:
        create_board(self._directory.board)
        self._start_gateway()
        for spec in self._plan.workers:
            self._spawn(spec)

    def _start_gateway(self) -> None:
        """Start the gateway, or another one in the place of one that died."""
        ours, theirs = socket.socketpair()
        self._channel = control.Channel(ours, control.ToSupervisor)
        with theirs:
            self._gateway = spawn_gateway(theirs)
        self._watch(self._gateway)
        self._selector.register(self._channel, selectors.EVENT_READ, self._on_channel)
        front = self._fronts or [self._directory.front, *filter(None, [self._plan.listen])]
        self._gateways += 1
        self._channel.send(
            control.Configure(
                flow=self._plan.name,
                directory=str(self._directory.path),
                nodes=self._plan.nodes,
                front=front,
                back=self._directory.back,
                board=str(self._directory.board),
                endpoints=self._endpoints,
                first_task=self._gateways << 48,
            )
        )
        for identity, (child, slot) in self._workers.items():
            self._expect(identity, child.name, slot, is_running=True)
            self._channel.send(control.Started(identity=identity, pid=child.pid))
        for node, reason in self._given_up.items():
            self._channel.send(control.GaveUp(node=node, reason=reason))

    def _expect(self, identity: str, name: str, slot: int, *, is_running: bool) -> None:
        spec = self._specs[name]
        self._tell(
            control.Expect(
                identity=identity,
                node=spec.node,
                replica=spec.replica,
                slot=slot,
                is_running=is_running,
            )
        )

    def _spawn(self, spec: WorkerSpec) -> None:
        self._incarnation += 1
        slot = self._incarnation
        identity = f"{spec.name}/{slot}-{os.urandom(4).hex()}"
        self._expect(identity, spec.name, slot, is_running=False)
        assignment = Assignment(
            identity=identity,
            spec=spec,
            back=self._directory.back,
            board=str(self._directory.board),
            slot=slot,
        )
        try:
            child = spawn_worker(assignment)
        except OSError as error:
            self._tell(control.Died(identity=identity, reason=f"could not be started: {error}"))
            raise
        self._workers[identity] = (child, slot)
        self._watch(child)
        self._directory.record.groups[child.pid] = started_at_ticks(child.pid)
        with contextlib.suppress(OSError):  # a full disk: what is there finds the others
            self._directory.save()
        self._tell(control.Started(identity=identity, pid=child.pid))

    def _watch(self, child: Child) -> None:
        self._selector.register(child.output, selectors.EVENT_READ, lambda: self._on_output(child))

    def _on_output(self, child: Child) -> None:
        lines = child.read_output()
        if lines is None:
            self._unwatch(child)
            return
        child.held += lines
        # What a worker prints at its start is held for a moment: if it fails, it is in the report.
        if child.is_ready or time.monotonic() - child.started > _HOLD_S:
            self._show_held(child)

    def _show_held(self, child: Child) -> None:
        for line in child.held:
            self._report(events.Output(worker=child.name, text=line))
        child.held.clear()

    def _unwatch(self, child: Child) -> None:
        with contextlib.suppress(KeyError):  # a child that has closed its output is not watched
            self._selector.unregister(child.output)

    # --- the gateway's messages ---

    def _tell(self, message: control.ToGateway) -> None:
        if self._channel:
            self._channel.send(message)

    def _on_channel(self) -> None:
        channel = self._channel
        if channel is None:
            return
        for message in channel.receive():
            if isinstance(message, control.WorkerReady):
                self._worker_ready(message)
            elif isinstance(message, control.Listening):
                self._fronts = message.front
                self._perhaps_up()
            elif isinstance(message, control.Charged):
                self._restarts[message.identity.rpartition("/")[0]].forgive()
            elif isinstance(message, control.Drained):
                self._state = max(self._state, CLOSING)
                self._deadline = time.monotonic() + CLOSE_GRACE_S
        if not channel.is_open:
            self._selector.unregister(channel)  # the gateway died, or is about to; _reap looks

    def _worker_ready(self, message: control.WorkerReady) -> None:
        if message.identity not in self._workers:
            return
        child, _ = self._workers[message.identity]
        self._endpoints[self._specs[child.name].node] = message.endpoints
        if not child.is_ready:
            child.is_ready = True
            self._show_held(child)
            self._report(events.WorkerUp(worker=child.name, endpoints=message.endpoints))
        self._waiting.discard(child.name)
        self._perhaps_up()

    def _perhaps_up(self) -> None:
        if self._state != STARTING or self._waiting or not self._fronts:
            return
        self._state = UP
        record = self._directory.record
        record.is_ready = True
        record.addresses = self._fronts
        self._directory.save()
        self._report(
            events.Up(
                flow=self._plan.name,
                addresses=self._fronts,
                directory=str(self._directory.path),
                seconds=time.monotonic() - self._began,
            )
        )

    # --- death ---

    def _reap(self) -> None:
        for identity, (child, _) in list(self._workers.items()):
            if child.has_ended():
                self._collect_output(child)
                del self._workers[identity]
                self._worker_ended(identity, child)
        gateway = self._gateway
        if gateway and self._state < KILLING and gateway.has_ended():
            self._collect_output(gateway)
            self._gateway = None
            self._gateway_ended(gateway)

    def _gateway_ended(self, gateway: Child) -> None:
        """Put another gateway in its place: the workers keep what they have in memory."""
        if self._channel:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._channel)
            self._channel.close()
        if self._state in (DRAINING, CLOSING):
            self._terminate()  # nobody is left who could tell the workers to close
            return
        delay = self._gateway_restarts.delay_s(time.monotonic())
        if self._state == STARTING or delay is None:
            self._fail(gateway, "", gateway.ending)
            return
        self._report(events.WorkerDied(worker="gateway", reason=gateway.ending, restart_in_s=0.0))
        self._start_gateway()

    def _collect_output(self, child: Child) -> None:
        """Read what a dead child still had to say; its own children may keep the pipe open."""
        self._on_output(child)
        self._unwatch(child)
        child.close()

    def _worker_ended(self, identity: str, child: Child) -> None:
        child.signal_group(signal.SIGKILL)  # whatever it left behind
        self._directory.record.groups.pop(child.pid, None)
        self._tell(control.Died(identity=identity, reason=child.last_words()))
        spec = self._specs[child.name]
        if self._state == DRAINING:
            self._give_up(spec, child.last_words())  # nobody is started again now
        if self._state not in (STARTING, UP):
            return
        if self._state == STARTING and not child.is_ready:
            self._fail(child, spec.where, child.ending)
            return
        self._show_held(child)
        self._start_later(spec, child.ending, child.last_words())

    def _start_later(self, spec: WorkerSpec, reason: str, words: str) -> None:
        """Plan the next start of a worker that is gone, or give it up."""
        delay = self._restarts[spec.name].delay_s(time.monotonic())
        if delay is None:
            self._give_up(spec, words)
        else:
            self._due[spec.name] = time.monotonic() + delay
        self._report(events.WorkerDied(worker=spec.name, reason=reason, restart_in_s=delay))

    def _give_up(self, spec: WorkerSpec, words: str) -> None:
        """A worker will not come back; a node whose workers are all given up serves no more."""
        lost = self._lost_nodes.setdefault(spec.node, set())
        lost.add(spec.name)
        if all(name in lost for name, other in self._specs.items() if other.node == spec.node):
            reason = f"no worker of it is left; the last one {words}"
            self._given_up[spec.node] = reason
            self._tell(control.GaveUp(node=spec.node, reason=reason))

    def _fail(self, child: Child, where: str, reason: str) -> None:
        self._failed = True
        self._report(
            events.StartFailed(
                worker=child.name,
                where=where,
                reason=reason,
                output=child.held or list(child.last_lines),
            )
        )
        self._terminate()

    # --- time ---

    def _keep_time(self) -> None:
        now = time.monotonic()
        for name in [name for name, moment in self._due.items() if moment <= now]:
            del self._due[name]
            try:
                self._spawn(self._specs[name])
            except OSError as error:  # no process, descriptor or disk space is left just now
                reason = f"could not be started: {error}"
                self._start_later(self._specs[name], reason, reason)
        if self._state in (STARTING, UP):
            for child, _ in self._workers.values():
                if child.held and now - child.started > _HOLD_S:
                    self._show_held(child)
                limit = self._specs[child.name].timeout_ready_s
                if not child.is_ready and now - child.last_sign_of_life > limit:
                    where = self._specs[child.name].where
                    self._fail(child, where, f"not ready and silent for {limit:g} s")
                    break
        if self._deadline is None or now < self._deadline:
            return
        if self._state in (DRAINING, CLOSING):
            self._terminate()
        else:
            self._kill()

    # --- the end ---

    def _stop(self, reason: str) -> None:
        """Drain: finish what is under way, close the Executors, leave."""
        if self._state == STARTING:
            self._failed = reason == "closed" or self._failed
            self._report(events.Stopping(reason=reason))
            self._terminate()
            return
        self._state = DRAINING
        for name in self._due:
            self._give_up(self._specs[name], "had died and is not started again: the Flow stops")
        self._due.clear()
        for child, _ in self._workers.values():
            if not child.is_ready:
                child.signal_group(signal.SIGTERM)
        self._deadline = time.monotonic() + DRAIN_GRACE_S + CLOSE_GRACE_S
        self._report(events.Stopping(reason=reason))
        self._tell(control.Drain())

    def _terminate(self) -> None:
        """Ask every worker to end, by SIGTERM; insist after a grace."""
        self._state = KILLING
        self._due.clear()
        self._deadline = time.monotonic() + KILL_GRACE_S
        for child, _ in self._workers.values():
            child.signal_group(signal.SIGTERM)

    def _kill(self) -> None:
        """End every worker at once."""
        self._state = KILLING
        self._due.clear()
        self._deadline = time.monotonic() + _TICK_S
        for child, _ in self._workers.values():
            child.signal_group(signal.SIGKILL)

    def _end_everything(self) -> None:
        """Whatever happened: nobody is left behind."""
        for child, _ in self._workers.values():
            child.signal_group(signal.SIGKILL)
            child.wait(KILL_GRACE_S)
            child.close()
        if self._channel:
            self._channel.close()  # tells the gateway to leave
        if self._gateway:
            if not self._gateway.wait(KILL_GRACE_S):
                self._gateway.signal_group(signal.SIGKILL)
                self._gateway.wait(KILL_GRACE_S)
            self._gateway.close()
