"""A change of a running Flow, step by step: which workers start, which retire, in which order.

Pure: it knows no process and no clock. It is told what happens and says what to do next. A worker
is known by its name, such as "encoder/0", and each incarnation of it by an identity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from jina.graph.plan import PlannedNode, WorkerSpec, with_device


class Start(NamedTuple):
    """Start workers, and wait until all of them are ready."""

    specs: tuple[WorkerSpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the workers."""
        return tuple(spec.name for spec in self.specs)


class Retire(NamedTuple):
    """Let workers end, and wait until all of them are gone.

    With `is_final` no others of these names follow.
    """

    names: tuple[str, ...]
    is_final: bool = False


Step: TypeAlias = Start | Retire


# --- which steps a change takes ----------------------------------------------------------------


def scaled(specs: Sequence[WorkerSpec], replicas: int) -> list[WorkerSpec]:
    """The workers of a node once it has so many replicas (of each of its shards).

    Args:
        specs: of one node, at least one for each shard. Those that stay are left as they are: their
            runtime_args decide where they keep their files.
        replicas: how many.
    """
    shards: dict[int | None, list[WorkerSpec]] = {}
    for spec in specs:
        shards.setdefault(spec.shard, []).append(spec)
    wanted = []
    for own in shards.values():
        by_replica = {spec.replica: spec for spec in own}
        for replica in range(replicas):
            wanted.append(by_replica.get(replica) or _one_more(own[-1], replica, replicas))
    return wanted


def _one_more(like: WorkerSpec, replica: int, replicas: int) -> WorkerSpec:
    told = {"replicas": replicas, "replica_id": replica}
    return msgspec.structs.replace(
        like,
        replica=replica,
        runtime_args={**like.runtime_args, **told},
        env=with_device(like.env, like.devices, (like.shard or 0) * replicas + replica),
    )


def new_graph(running: Sequence[PlannedNode], wanted: Sequence[PlannedNode]) -> str:
    """Why a Flow cannot get from one graph to another while it runs; "" if they are the same.

    Requests under way have their course through the old one, and the gateway keeps to what it was
    told of each node. The number of replicas is no matter of the graph.
    """
    before = {node.name: node for node in running}
    after = {node.name: node for node in wanted}
    if list(before) != list(after):
        return "the Executors of the Flow have changed; stop and start it to apply this"
    for name, node in after.items():
        if msgspec.structs.replace(before[name], replicas=node.replicas) != node:
            return f'"{name}" has new needs or options; stop and start the Flow to apply this'
    return ""


def does_the_same(one: WorkerSpec, other: WorkerSpec) -> bool:
    """Whether a worker may stay as it is although it is to run the other spec.

    How many replicas there are, and where the YAML names it, makes no difference to it.
    """
    return _work_of(one) == _work_of(other)


def _work_of(spec: WorkerSpec) -> WorkerSpec:
    args = {
        key: value
        for key, value in spec.runtime_args.items()
        if key not in ("replicas", "replica_id")
    }
    executor = msgspec.structs.replace(spec.executor, file="", line=0, column=0)
    return msgspec.structs.replace(
        spec,
        executor=executor,
        runtime_args=args,
        entry="",
        python_place="",
        timeout_ready_s=0.0,
        stop_grace_s=0.0,
    )


def steps_between(
    running: Sequence[WorkerSpec],
    wanted: Sequence[WorkerSpec],
    *,
    is_surge: bool = False,
    keep: bool = False,
) -> list[Step]:
    """How one node gets from the workers that it has to those that it is to have.

    First those that are added, so that there is never less room than need be; then each of the
    others in its turn; at last those that are too many.

    Args:
        running: what runs.
        wanted: what is to run.
        is_surge: a new worker starts before the one of its name ends.
        keep: those that have a name in both stay.
    """
    names = {spec.name for spec in running}
    steps: list[Step] = []
    if added := tuple(spec for spec in wanted if spec.name not in names):
        steps.append(Start(added))
    for spec in wanted:
        if spec.name in names and not keep:
            turn: list[Step] = [Retire((spec.name,)), Start((spec,))]
            steps += reversed(turn) if is_surge else turn
    left = {spec.name for spec in wanted}
    if surplus := tuple(spec.name for spec in running if spec.name not in left):
        steps.append(Retire(surplus, is_final=True))
    return steps


# --- the way through them ----------------------------------------------------------------------


class StartWorker(NamedTuple):
    """Start a worker; from now on this is what its name stands for."""

    spec: WorkerSpec


class RetireWorker(NamedTuple):
    """Let this incarnation finish what it has, close and end."""

    identity: str


class Cancel(NamedTuple):
    """Start no worker of this name again, if one is due; with `is_final` forget the name."""

    name: str
    is_final: bool


Order: TypeAlias = StartWorker | RetireWorker | Cancel


class Rollout:
    """The way of one change.

    Args:
        steps: done one after the other.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._ahead = deque(steps)
        self._step: Step | None = None
        self._begun: set[str] = set()  # names that this change has started
        self._outgoing: set[str] = set()  # identities that are to end, now or later
        self._waits_for: set[str] = set()  # names that are to be ready, identities to be gone

    @property
    def is_over(self) -> bool:
        """Whether every step is done."""
        return not self._ahead and not self._waits_for

    def orders(self, running: Mapping[str, str]) -> list[Order]:
        """What is to be done now: the next steps, up to one that waits for something.

        Args:
            running: identity -> name of every worker that is there.
        """
        orders: list[Order] = []
        while self._ahead and not self._waits_for:
            step = self._step = self._ahead.popleft()
            orders += (
                self._start(step, running)
                if isinstance(step, Start)
                else self._retire(step, running)
            )
        return orders

    def _start(self, step: Start, running: Mapping[str, str]) -> list[Order]:
        self._begun.update(step.names)
        self._outgoing.update(each for each, name in running.items() if name in step.names)
        self._waits_for = set(step.names)
        return [StartWorker(spec) for spec in step.specs]

    def _retire(self, step: Retire, running: Mapping[str, str]) -> list[Order]:
        going = [each for each, name in running.items() if self._goes(each, name, step)]
        self._outgoing.update(going)
        self._waits_for = set(going)
        names = [name for name in step.names if step.is_final or name not in self._begun]
        return [
            *(RetireWorker(identity) for identity in going),
            *(Cancel(name, step.is_final) for name in names),
        ]

    def _goes(self, identity: str, name: str, step: Retire) -> bool:
        if name not in step.names:
            return False
        # Of a name that this change has started, the predecessor goes.
        return step.is_final or name not in self._begun or identity in self._outgoing

    def ready(self, identity: str, name: str) -> None:
        """A worker is ready, or was and is heard of again."""
        if isinstance(self._step, Start) and identity not in self._outgoing:
            self._waits_for.discard(name)

    def ended(self, identity: str) -> bool:
        """A worker is gone; whether it was to go."""
        self._waits_for.discard(identity)
        return identity in self._outgoing

    def is_starting(self, identity: str, name: str) -> bool:
        """Whether the change waits for this worker to be ready."""
        waits = isinstance(self._step, Start) and name in self._waits_for
        return waits and identity not in self._outgoing

    def undo(self, known: Iterable[str]) -> list[str]:
        """Give up: a worker could not be started. What was added is to retire again.

        Args:
            known: names of the workers that the Flow had before.

        Returns:
            the names of those that the step would have put in the place of others.
        """
        before = set(known)
        names = self._step.names if isinstance(self._step, Start) else ()
        added = tuple(sorted(self._begun - before))
        self._waits_for.clear()
        self._ahead.clear()
        if added:
            self._ahead.append(Retire(added, is_final=True))
        return [name for name in names if name in before]
