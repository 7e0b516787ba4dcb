"""Lanes on a cluster of Ray: each an actor with a whole Flow, which works through parts of a post.

This is the driver. It hands out parts in order, notes which are complete, and gives the part of a
lane that was lost to another one, which resumes it from its last request.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from jina.client.resume import Place
from jina.excepts import ConnectError, ExecutorError, FlowError
from jina.graph.plan import RayAsk
from jina.ray.job import Job, Part, Report, Started
from jina.ray.lane import Lane
from jina.ray.ledger import Ledger
from jina.ray.place_room import cluster, told
from jina.ray.sending import Sent

STEP_S = 0.5
"""How long a lane posts before it says how far it is."""

_LOOK_S = 0.2
_MOST_LOST = 3  # lanes, one after the other, without a result between them
_STOP_S = 10.0


class Told(msgspec.Struct, frozen=True):
    """Something that people should know: that a lane was lost, or waits."""

    text: str


class Parts:
    """Hands out parts: those that were lost first, then what the ledger has, then what is cut.

    Args:
        ledger: of the folder.
        cut: makes the parts that the ledger does not have.
    """

    def __init__(self, ledger: Ledger, cut: Iterator[Part]) -> None:
        self._ledger = ledger
        self._cut = cut
        self._ready = [part for part in ledger.parts if part.number not in ledger.done]
        self._parts = [(part.number, part) for part in self._ready]
        heapq.heapify(self._parts)
        self._left = len(self._parts)

    @property
    def is_done(self) -> bool:
        """Whether every part is complete."""
        return self._ledger.is_all and not self._left

    @property
    def waiting(self) -> int:
        """How many parts are ready to be handed out."""
        return len(self._parts)

    def ahead(self, count: int) -> None:
        """Cut parts until some are ready."""
        while len(self._parts) < count and not self._ledger.is_all:
            part = next(self._cut, None)
            if part is None:
                self._ledger.end()
                return
            self._ledger.add(part)
            self._left += 1
            self.back(part)

    def next(self) -> Part | None:
        """The next part; None if there are no more."""
        self.ahead(1)
        return heapq.heappop(self._parts)[1] if self._parts else None

    def back(self, part: Part) -> None:
        """A part must be handed out again."""
        heapq.heappush(self._parts, (part.number, part))

    def complete(self, report: Report) -> None:
        """A part is complete."""
        self._left -= 1
        self._ledger.complete(report.number, report.place)


class _Actor:
    """One actor and what it does."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.host = ""  # unknown until its Flow runs
        self.part: Part | None = None
        self.reached = 0  # lines of the part


class Lanes:
    """Runs a post on lanes.

    Args:
        ray: the module, connected.
        job: of the post.
        sent: see `packed`.
        parts: to post.
        count: of lanes.
        size: of each.
        lanes_here: how many share a machine, about.
    """

    def __init__(
        self,
        ray: Any,
        job: Job,
        sent: Sent,
        parts: Parts,
        count: int,
        size: RayAsk,
        lanes_here: float,
    ) -> None:
        self._ray = ray
        self._parts = parts
        self._class = ray.remote(Lane).options(
            num_cpus=size.num_cpus,
            num_gpus=size.num_gpus,
            resources=size.resources,
            max_restarts=0,
            scheduling_strategy="SPREAD",
        )
        self._args = (ray.put(job), sent.names, ray.put(sent.bundles), lanes_here)
        self._actors: dict[Any, _Actor] = {}  # by what is awaited of it
        self._idle: list[_Actor] = []
        self._lost: Counter[int] = Counter()  # by number of the part; -1 while they start
        self._count = count
        self._began = time.monotonic()
        self._is_told = False

    def run(self) -> Iterator[Started | Report | Told | None]:
        """Post everything; yields what there is to say, and None when nothing has happened.

        Raises:
            JinaError: what ends the post; it can be resumed.
        """
        for _ in range(self._count):
            self._start_one()
        while not self._parts.is_done:
            ready, _ = self._ray.wait(list(self._actors), num_returns=1, timeout=_LOOK_S)
            if not ready:
                self._parts.ahead(self._count)
                yield self._waiting()
            for reference in ready:
                yield from self._heard(self._actors.pop(reference), reference)

    def stop(self) -> None:
        """End all Flows in order, then the actors."""
        actors = [*self._actors.values(), *self._idle]
        ended = [actor.handle.stop.remote() for actor in actors if actor.host]
        if ended:
            self._ray.wait(ended, num_returns=len(ended), timeout=_STOP_S)
        for actor in actors:
            self._ray.kill(actor.handle)
        self._actors.clear()
        self._idle.clear()

    def _start_one(self) -> None:
        actor = _Actor(self._class.remote())
        self._actors[actor.handle.start.remote(*self._args)] = actor

    def _heard(self, actor: _Actor, reference: Any) -> Iterator[Started | Report | Told]:
        exceptions = self._ray.exceptions
        try:
            found: Started | Report = self._ray.get(reference)
        except exceptions.RayTaskError as error:
            raise ExecutorError(f"a lane failed: {error.cause}") from error
        except exceptions.RayError as error:
            yield self._lose(actor, str(error))
            return
        if isinstance(found, Started):
            if found.error is not None:
                raise found.error
            actor.host = found.host
            yield found
            self._give(actor)
            return
        yield found
        if isinstance(found.error, ConnectError):  # its Flow has ended
            yield self._lose(actor, str(found.error))
            return
        if found.error is not None:
            self._idle.append(actor)
            raise found.error
        self._note(actor, found)

    def _note(self, actor: _Actor, report: Report) -> None:
        assert actor.part is not None
        if report.place.lines > actor.reached or report.is_done:
            actor.reached = report.place.lines
            self._lost.pop(report.number, None)
        if report.is_done:
            self._parts.complete(report)
            self._give(actor)
        else:
            self._actors[actor.handle.work.remote(None, STEP_S)] = actor

    def _give(self, actor: _Actor) -> None:
        """Give a lane its next part."""
        actor.part = self._parts.next()
        actor.reached = 0
        if actor.part is None:
            self._idle.append(actor)
            return
        self._actors[actor.handle.work.remote(actor.part, STEP_S)] = actor

    def _lose(self, actor: _Actor, why: str) -> Told:
        """A lane was lost: another takes its place, and somebody its part.

        Raises:
            JinaError: it happens again and again.
        """
        number = -1 if actor.part is None else actor.part.number
        self._lost[number] += 1
        self._ray.kill(actor.handle)
        if actor.part is not None:
            self._parts.back(actor.part)
        where = f" on {actor.host}" if actor.host else ""
        reason = " ".join(why.split()).partition(". ")[0]  # Ray says much more
        if self._lost[number] >= _MOST_LOST:
            at = f"at part {number}" if actor.part is not None else "while they started"
            raise ExecutorError(
                f"{_MOST_LOST} lanes were lost {at}, without a result between them; the last: "
                f"{reason}",
                hint="is there enough memory for the Flow? rerun the same command to resume",
            )
        if self._idle:
            self._give(self._idle.pop())
        self._start_one()
        part = f"; part {number} is resumed" if actor.part is not None else ""
        return Told(f"note: a lane{where} was lost{part}: {reason}")

    def _waiting(self) -> Told | None:
        """That no lane has started for a while, once."""
        waits = all(not actor.host for actor in self._actors.values()) and not self._idle
        if self._is_told or not waits or time.monotonic() - self._began < 10:
            return None
        self._is_told = True
        free = self._ray.available_resources().get("CPU", 0)
        return Told(
            f"note: no lane has started yet; {free:g} CPUs of the cluster are free, and a lane "
            "waits until it has its share"
        )


def earlier_of(ledger: Ledger, places: Mapping[int, Place]) -> Place:
    """How far a post is already, all parts together."""
    all_places = [*ledger.done.values(), *places.values()]
    return Place(
        lines=sum(place.lines for place in all_places),
        outcomes=sum(place.outcomes for place in all_places),
        failed=sum(place.failed for place in all_places),
        went_on=sum(place.went_on for place in all_places),
    )


def size_of(
    ray: Any, ask: RayAsk, *, is_said: bool, names: Sequence[str]
) -> tuple[int, RayAsk, float]:
    """How many lanes a cluster has room for, what each asks for, and how many share a machine.

    Args:
        ray: the module, connected.
        ask: what the Flow asks for in all.
        is_said: the YAML says so; else a lane is content with the largest node.
        names: of the Executors that ask for it.

    Raises:
        FlowError: no node has as much.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    most = max((node["Resources"].get("CPU", 0.0) for node in nodes), default=0.0)
    if not is_said and ask.num_cpus > most > 0:
        ask = structs.replace(ask, num_cpus=most)
    fit = [_times(ask, node["Resources"]) for node in nodes]
    if not any(fit):
        raise FlowError(
            f"a lane can never be placed: its Executors ({', '.join(names)}) ask for "
            f"{told(ask.amounts)}, and no node of the cluster has that; it has {cluster(nodes)}",
            hint="change `ray` or `replicas` of the executors, or add a node to the cluster",
        )
    return sum(fit), ask, float(max(fit))


def _times(ask: RayAsk, node: Mapping[str, float]) -> int:
    """How many lanes fit on a node."""
    wanted = ask.amounts or {"CPU": 1.0}
    return int(min(node.get(name, 0.0) / amount for name, amount in wanted.items()))
