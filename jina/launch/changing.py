"""Change a Flow that is up: the supervisor's part that starts and retires workers for it.

`rollout.py` says in which order; here it is done, one change at a time. Who asked is told each step
and how it ended.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import msgspec

from jina.defaults import CLOSE_GRACE_S, KILL_GRACE_S
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.launch import events
from jina.launch.child import Child
from jina.launch.control_socket import Asker
from jina.launch.ending import ending
from jina.launch.local import reason_of, start_failure
from jina.launch.restarts import Comebacks
from jina.launch.rollout import (
    Order,
    RetireWorker,
    Rollout,
    StartWorker,
    does_the_same,
    new_graph,
    scaled,
    steps_between,
)
from jina.launch.workers import WorkerProcess, Workers
from jina.launch.workspaces import notes_of
from jina.runtime import control
from jina.suggest import nearest

_EACH_S = 1.0  # between two words about what is waited for


class _CannotChange(Exception):
    """A change that is not begun; it says why."""

    def __init__(self, what: str, hint: str = "", *, is_usage: bool = True) -> None:
        super().__init__(what)
        self.refusal = control.Refused(what=what, hint=hint, is_usage=is_usage)


class Changing:
    """What the workers of one Flow run, and the change that is being made to that.

    Args:
        plan: what was started.
        workers: the processes.
        comebacks: which of them are to be started again.
        report: told what happens.
        start_later: starts a worker again that could not be replaced, after a delay.
        keep: told what the Flow runs, after each change.
    """

    def __init__(
        self,
        plan: Plan,
        workers: Workers,
        comebacks: Comebacks,
        report: events.Reporter,
        start_later: Callable[[WorkerSpec, str, str], None],
        keep: Callable[[Plan], None],
    ) -> None:
        self._runs = plan
        self._keep = keep
        self.nodes: list[PlannedNode] = list(plan.nodes)
        self.specs = {spec.name: spec for spec in plan.workers}
        """Worker's name -> what it runs, or will run once it is started again."""
        self._written = {node.name: node.replicas for node in plan.nodes}  # in the Flow's YAML
        self._workers = workers
        self._comebacks = comebacks
        self._report = report
        self._start_later = start_later
        self._rollout: Rollout | None = None
        self._asker: Asker | None = None
        self._before: dict[str, WorkerSpec] = {}  # what ran when the change began
        self._title = ""
        self._failure: events.StartFailed | None = None
        self._plan: Plan | None = None
        self._changed: list[str] = []  # nodes that the change is about
        self._deadlines: dict[str, float] = {}  # identity of one that closes -> when to insist
        self._is_closing = False
        self._insisted: set[str] = set()  # identities of those that got a signal
        self._next_word = 0.0  # when to tell what is waited for
        self._silent: dict[str, str] = {}  # identity of one that is killed for it -> in words

    @property
    def due(self) -> float | None:
        """When `keep_time` must be called; None when it need not be."""
        return min(self._deadlines.values(), default=None)

    @property
    def has_insisted(self) -> bool:
        """Whether a worker that was told to close did not do so in time."""
        return bool(self._insisted)

    # --- begin ---

    def begin(self, change: control.Change, asker: Asker, *, busy: str = "") -> None:
        """Begin a change, or refuse it.

        Args:
            change: what is wanted.
            asker: told how it goes.
            busy: why none can be made now; "" if one can.
        """
        if self._rollout is not None:
            busy = f"another change is in progress: {self._title}"
        try:
            if busy:
                raise _CannotChange(busy, "try again later", is_usage=False)
            nodes = self._nodes_of(change)
            wanted = {node: self._wanted(node, change) for node in nodes}
        except _CannotChange as no:
            asker.tell(no.refusal)
            return
        self._asker = asker
        self._title = _title(change)
        self._before = dict(self.specs)
        self._failure = None
        self._plan = change.plan
        self._changed = nodes
        others = sum(spec.node not in wanted for spec in self.specs.values())
        self._workers.planned = others + sum(map(len, wanted.values()))
        self._say(f"changing {self._title}")
        for node in nodes:
            for note in notes_of(self._of(node), wanted[node]):
                self._say(f"note: {note}")
        self._rollout = Rollout(
            step
            for node in nodes
            for step in steps_between(
                self._of(node),
                wanted[node],
                is_surge=change.is_surge,
                keep=change.replicas > 0,
            )
        )
        self._go_on()

    def _nodes_of(self, change: control.Change) -> list[str]:
        """Which nodes a change is about.

        Raises:
            _CannotChange: the Flow has no such node, or other ones than the plan.
        """
        known = [node.name for node in self.nodes if not node.is_external]
        for name in change.nodes:
            if self._runs.placing and name in self._runs.placing.asks:
                what = f'"{name}" runs on the cluster, as it was placed at the start'
                raise _CannotChange(what, "change the YAML, and start the Flow again")
            if name in [node.name for node in self.nodes if node.is_external]:
                raise _CannotChange(f'"{name}" is external', "change it where it is served")
            if name not in known:
                near = nearest(name, known)
                raise _CannotChange(
                    f'the Flow has no Executor "{name}"',
                    f'did you mean "{near}"?' if near else f"it has: {', '.join(known)}",
                )
            owner, slash, _ = name.partition("/")
            if slash and change.replicas:
                raise _CannotChange(f'"{name}" always has one worker', f'scale "{owner}" itself')
        if change.plan is not None and (other := new_graph(self.nodes, change.plan.nodes)):
            raise _CannotChange(other, "`jina flow down`, then `jina flow up`")
        if change.replicas:
            return change.nodes or known
        # With what belongs to them: "encoder/head" to "encoder".
        owners = {name: name.partition("/")[0] for name in known}
        return [
            name for name in known if not {name, owners[name]}.isdisjoint(change.nodes or known)
        ]

    def _wanted(self, node: str, change: control.Change) -> list[WorkerSpec]:
        """What the workers of a node are to run."""
        specs = running = self._of(node)
        replicas = change.replicas or len({spec.replica for spec in running})
        if change.plan is not None:
            specs = [spec for spec in change.plan.workers if spec.node == node]
            written = _replicas(change.plan.nodes)[node]
            # What was scaled stays so, until somebody writes another number.
            if written != self._written[node] and not change.replicas:
                replicas = written
        wanted = scaled(specs, replicas)
        if not wanted:
            raise _CannotChange(f'"{node}" would have no worker left', "use 1 or more")
        return wanted

    def _of(self, node: str) -> list[WorkerSpec]:
        return [spec for spec in self.specs.values() if spec.node == node]

    # --- go on ---

    def _go_on(self) -> None:
        """Do what can be done now."""
        rollout = self._rollout
        if rollout is None:
            return
        while orders := rollout.orders(self._workers.names):
            for order in orders:
                if not self._obey(order):
                    break  # what was to follow is undone instead
        if rollout.is_over:
            self._finish()

    def _obey(self, order: Order) -> bool:
        """Carry out an order; False when a worker could not be started."""
        if isinstance(order, RetireWorker):
            self._retire(order.identity)
        elif isinstance(order, StartWorker):
            return self._start(order.spec)
        elif order.is_final:
            self.specs.pop(order.name, None)
            self._comebacks.remove(order.name)
        else:
            self._comebacks.due.pop(order.name, None)
        return True

    def _start(self, spec: WorkerSpec) -> bool:
        self.specs[spec.name] = spec
        self._comebacks.add(spec.name, (spec.node, spec.shard))
        try:
            self._workers.start(spec)
        except OSError as error:  # no process, descriptor or disk space is left just now
            reason = f"could not be started: {error}"
            self._undo(spec, reason, reason)
            return False
        return True

    def _retire(self, identity: str) -> None:
        worker = self._workers.get(identity)
        if worker is None:
            return
        self._workers.retire(identity)
        if not worker.child.is_ready:
            self._deadlines[identity] = time.monotonic() + KILL_GRACE_S

    def _finish(self) -> None:
        self._rollout = None
        self._workers.planned = len(self.specs)
        if self._failure is None and self._plan is not None:
            self._written = _replicas(self._plan.nodes)
            self._adopt(self._plan)
        self.nodes = [
            node
            if node.is_external
            else msgspec.structs.replace(
                node, replicas=len({spec.replica for spec in self._of(node.name)})
            )
            for node in self.nodes
        ]
        self._runs = msgspec.structs.replace(
            self._runs, nodes=self.nodes, workers=list(self.specs.values())
        )
        self._keep(self._runs)
        counts = ", ".join(f"{node.name} x{node.replicas}" for node in self.nodes)
        if self._failure is None:
            self._report(events.Changing(text=f"changed {self._title}"))
            text = f"changed {self._title}; now {counts}"
            self._answer(control.Done(text=text, workers=len(self.specs)))
        else:
            self._report(_failed(self._title, self._failure))
            self._answer(self._failure)

    def _adopt(self, plan: Plan) -> None:
        """Remember what the Flow is made from now."""
        origins = self._runs.origins
        if plan.origins is None or origins is None:
            return
        same = [
            spec.name in self.specs and does_the_same(self.specs[spec.name], spec)
            for spec in plan.workers
        ]
        origins = origins.after(plan.origins, self._changed, is_whole=all(same))
        self._runs = msgspec.structs.replace(self._runs, origins=origins)

    def _answer(self, message: msgspec.Struct) -> None:
        if self._asker is not None:
            self._asker.tell(message)
        self._asker = None

    def _say(self, text: str) -> None:
        self._report(events.Changing(text=text))
        if self._asker is not None:
            self._asker.tell(control.Told(text=text))

    # --- what happens ---

    def ready(self, worker: WorkerProcess) -> None:
        """A worker is ready."""
        rollout, identity, name = self._rollout, worker.identity, worker.spec.name
        if rollout is not None and rollout.is_starting(identity, name):
            rollout.ready(identity, name)
            if self._asker is not None:  # the others are told of each worker that is ready
                self._asker.tell(control.Told(text=f"{name} is ready"))
            self._go_on()

    def retired(self, identity: str) -> None:
        """A worker has nothing left to do and is told to close."""
        worker = self._workers.get(identity)
        grace_s = CLOSE_GRACE_S if worker is None else worker.spec.stop_grace_s
        self._deadlines[identity] = time.monotonic() + grace_s

    def close(self) -> float:
        """All workers are told to close; returns how long the slowest may take, in s."""
        self._is_closing = True
        self._insisted.clear()
        for worker in self._workers:
            self.retired(worker.identity)
        return max((worker.spec.stop_grace_s for worker in self._workers), default=0.0)

    def ended(self, worker: WorkerProcess) -> bool:
        """A worker is gone.

        Returns:
            True if it need not be started again: it was to end, or its change is undone, maybe
            because of another one that ended at the same time.
        """
        rollout, child = self._rollout, worker.child
        identity, name = worker.identity, worker.spec.name
        self._deadlines.pop(identity, None)
        self._insisted.discard(identity)
        if rollout is None:
            return name not in self.specs
        was_starting = rollout.is_starting(identity, name)
        if rollout.ended(identity):
            if child.ending != ending(0) and child.is_ready:
                self._say(events.NotClosed(worker=name, reason=child.ending).as_text())
            else:
                self._say(f"{name} has ended")
        elif was_starting and (identity in self._silent or not child.was_killed):
            self._undo(
                worker.spec, self._silent.pop(identity, child.ending), child.last_words(), child
            )
        else:
            return name not in self.specs  # else killed at its start, or no matter of this change
        self._go_on()
        return True

    def given_up(self, spec: WorkerSpec, words: str) -> None:
        """A worker that was started again and again will not be once more."""
        rollout = self._rollout
        if rollout is not None and rollout.is_starting("", spec.name):
            self._undo(spec, words, "")
            self._go_on()

    def silent(self, worker: WorkerProcess, reason: str) -> bool:
        """A worker was silent for too long at its start; returns whether the change started it."""
        rollout = self._rollout
        if rollout is None or not rollout.is_starting(worker.identity, worker.spec.name):
            return False
        self._silent[worker.identity] = reason
        worker.child.signal_group(signal.SIGKILL)
        return True

    def keep_time(self, now: float) -> None:
        """Insist where a worker has not closed in time, and tell what is waited for."""
        self._tell_loading(now)
        for identity in [each for each, moment in self._deadlines.items() if moment <= now]:
            worker = self._workers.get(identity)
            if worker is None or identity in self._insisted or not worker.child.is_ready:
                del self._deadlines[identity]
                if worker is not None:
                    worker.child.signal_group(signal.SIGKILL)
                continue
            spec = worker.spec
            event = events.NotClosed(worker=spec.name, waited_s=spec.stop_grace_s)
            self._report(event)
            if self._asker is not None:
                self._asker.tell(control.Told(text=event.as_text()))
            worker.child.signal_group(signal.SIGTERM)
            worker.child.is_ready = not self._is_closing  # then how it ends is told already
            self._insisted.add(identity)
            self._deadlines[identity] = now + KILL_GRACE_S

    def _tell_loading(self, now: float) -> None:
        """Tell which workers the change waits for, about once a second."""
        rollout = self._rollout
        if rollout is None or now < self._next_word:
            return
        self._next_word = now + _EACH_S
        late = [
            worker
            for worker in self._workers
            if not worker.child.is_ready and rollout.is_starting(worker.identity, worker.spec.name)
        ]
        if late:
            names = [worker.spec.name for worker in late]
            seconds = now - min(worker.child.started for worker in late)
            self._report(events.Loading(workers=names, seconds=seconds))
            if self._asker is not None:
                self._asker.tell(control.Told(text="", loading=names, seconds=seconds))

    def cancel(self) -> None:
        """The Flow stops: nothing more is started."""
        if self._rollout is not None:
            what = f"the Flow is stopping; this change was not completed: {self._title}"
            self._answer(control.Refused(what=what))
        self._rollout = None
        self._deadlines.clear()

    def _undo(self, spec: WorkerSpec, reason: str, words: str, child: Child | None = None) -> None:
        """A worker could not be started: its predecessor comes back, what was added goes."""
        rollout = self._rollout
        if rollout is None:
            return
        if child is None:
            self._failure = events.StartFailed(
                worker=spec.name, where=spec.where, reason=reason, output=[]
            )
        else:
            self._failure = child.failure(spec.where, reason)
            child.held.take()  # these lines are in the report
        for name in rollout.undo(self._before):
            self.specs[name] = self._before[name]
            if name not in self._workers.names.values():
                self._start_later(self.specs[name], reason, words)


def _failed(title: str, failure: events.StartFailed) -> events.Changing:
    """What is reported of a change that did not succeed."""
    summary = f"error: changing {title} failed: {failure.worker} did not start: "
    summary += reason_of(failure)
    details = getattr(start_failure(failure), "details", "")
    whole = failure.error.whole.rstrip() if failure.error else ""
    return events.Changing(
        text="\n".join(filter(None, [details, summary])),
        whole="\n".join([whole, summary]) if whole else "",
    )


def _replicas(nodes: list[PlannedNode]) -> dict[str, int]:
    return {node.name: node.replicas for node in nodes}


def _title(change: control.Change) -> str:
    named = ", ".join(f'"{name}"' for name in change.nodes) or "every Executor"
    if not change.replicas:
        return f"{named}: restart"
    return f"{named}: {change.replicas} replica{'s' if change.replicas > 1 else ''}"
