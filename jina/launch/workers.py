"""A Flow's workers, as their supervisor sees them: their processes, and what the gateway is told.

It does not decide who is started again, nor when; the supervisor does.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from jina.defaults import KILL_GRACE_S
from jina.graph.plan import WorkerSpec
from jina.launch.boxes import spawn_contained
from jina.launch.child import Child, spawn_worker
from jina.launch.listener import Listener
from jina.launch.rundir import FlowRecord, started_at_ticks
from jina.launch.threads import thread_variables, threads_in
from jina.names import DEVICES
from jina.runtime import control
from jina.runtime.board import next_slot
from jina.runtime.descendants import mark_of

FromOwner: TypeAlias = control.Expect | control.Started | control.Retire | control.Died


class Home(Protocol):
    """Where workers are started: the directory of a Flow, or what an agent has instead."""

    record: FlowRecord

    @property
    def back(self) -> str:
        """Address of the gateway for workers."""

    @property
    def board(self) -> Path:
        """The begin board."""

    def save(self) -> None:
        """Keep the record."""


class WorkerProcess(NamedTuple):
    """One incarnation of a worker.

    Attributes:
        identity: on the gateway's socket; no other incarnation has it.
        spec: what it runs.
        child: its process.
        slot: its place on the begin board.
        threads: that its numerical libraries may use; 0 if that is not known.
    """

    identity: str
    spec: WorkerSpec
    child: Child
    slot: int
    threads: int = 0

    @property
    def mark(self) -> str:
        """What everything that it started carries."""
        return mark_of(os.getpid(), self.slot)


class Workers:
    """The worker processes of one supervisor that are there now.

    Args:
        directory: of the Flow; its record names their process groups.
        listener: hears what they print.
        tell: sends the gateway a message.
        keys: folder of the keys that the gateway is shown; "" where it is on this machine.
        first_slot: numbers of incarnations begin behind it; those of one process must differ.
    """

    def __init__(
        self,
        directory: Home,
        listener: Listener,
        tell: Callable[[FromOwner], None],
        keys: str = "",
        first_slot: int = 0,
    ) -> None:
        self._keys = keys
        self._directory = directory
        self._listener = listener
        self._tell = tell
        self._running: dict[str, WorkerProcess] = {}  # by identity
        self._retiring: set[str] = set()  # identities
        self._last_slot = first_slot
        self.planned = 1
        """How many the Flow has, or is to have; they share the cores."""

    def __len__(self) -> int:
        return len(self._running)

    def __iter__(self) -> Iterator[WorkerProcess]:
        return iter(list(self._running.values()))

    def get(self, identity: str) -> WorkerProcess | None:
        """The worker with this identity; None when it is gone."""
        return self._running.get(identity)

    @property
    def names(self) -> dict[str, str]:
        """Identity -> name of each."""
        return {worker.identity: worker.spec.name for worker in self}

    def is_retiring(self, identity: str) -> bool:
        """Whether it was told to end once it has done what it has."""
        return identity in self._retiring

    def start(self, spec: WorkerSpec) -> None:
        """Start a worker.

        Raises:
            OSError: it cannot be started; the gateway expects it no longer.
        """
        slot = next_slot(self._last_slot, [worker.slot for worker in self])
        self._last_slot = slot
        identity = f"{spec.name}/{slot}-{os.urandom(4).hex()}"
        self._expect(identity, spec, slot, is_running=False)
        assignment = control.Assignment(
            identity=identity,
            spec=spec,
            back=self._directory.back,
            board=str(self._directory.board),
            slot=slot,
            keys=self._keys,
        )
        threads = thread_variables(spec, self.planned)
        try:
            spawn = spawn_worker if spec.container is None else spawn_contained
            child = spawn(assignment, threads)
        except OSError as error:
            self._tell(control.Died(identity=identity, reason=f"could not be started: {error}"))
            raise
        self._running[identity] = WorkerProcess(
            identity, spec, child, slot, threads_in({**os.environ, **spec.env, **threads})
        )
        self._listener.watch(child)
        self._directory.record.groups[child.pid] = started_at_ticks(child.pid)
        with contextlib.suppress(OSError):  # a full disk: what is there finds the others
            self._directory.save()
        self._tell(control.Started(identity=identity, pid=child.pid))

    def retire(self, identity: str) -> None:
        """Let a worker finish what it has, close and end; one that is not ready ends at once."""
        worker = self._running[identity]
        self._retiring.add(identity)
        self._tell(control.Retire(identity=identity))
        if not worker.child.is_ready:
            worker.child.signal_group(signal.SIGTERM)

    def announce(self) -> None:
        """Tell a gateway that replaces another one which workers run."""
        for worker in self:
            self._expect(worker.identity, worker.spec, worker.slot, is_running=True)
            self._tell(control.Started(identity=worker.identity, pid=worker.child.pid))

    def silent(self, now: float) -> Iterator[tuple[WorkerProcess, str]]:
        """Those that are not ready and have been silent for too long, and in words, for how long.

        What the others hold back for too long is shown.
        """
        for worker in self:
            child, limit = worker.child, worker.spec.timeout_ready_s
            self._listener.show_held(child, if_late=True)
            # Below zero waits for ever.
            if not child.is_ready and 0 <= limit < now - child.last_sign_of_life:
                yield worker, f"was not ready, and gave no sign of life for {limit:g} s"

    def take_dead(self) -> Iterator[WorkerProcess]:
        """Each worker that has ended, one after the other; what is left in its group is killed."""
        for worker in self:
            child = worker.child
            if not child.has_ended():
                continue
            self._listener.hear_out(child)
            del self._running[worker.identity]
            self._retiring.discard(worker.identity)
            child.signal_group(signal.SIGKILL)  # whatever it left behind
            self._directory.record.groups.pop(child.pid, None)
            self._tell(control.Died(identity=worker.identity, reason=child.last_words()))
            yield worker

    def signal(self, signum: signal.Signals) -> None:
        """Signal every worker and whatever it started."""
        for worker in self:
            worker.child.signal_group(signum)

    def end_loading(self) -> None:
        """Ask those that are not ready to end."""
        for worker in self:
            if not worker.child.is_ready:
                worker.child.signal_group(signal.SIGTERM)

    def end(self) -> None:
        """Kill those that are left."""
        for worker in self:
            worker.child.signal_group(signal.SIGKILL)
            worker.child.wait(KILL_GRACE_S)
            worker.child.close()

    def _expect(self, identity: str, spec: WorkerSpec, slot: int, *, is_running: bool) -> None:
        self._tell(
            control.Expect(
                identity=identity,
                node=spec.node,
                replica=spec.replica,
                slot=slot,
                is_running=is_running,
                shard=spec.shard,
                is_retiring=identity in self._retiring,
                devices=spec.env.get(DEVICES, ""),
            )
        )
