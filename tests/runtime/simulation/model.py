"""What becomes of a request: where it waits, how it goes on, when it fails; and whose turn it is.

The model is told what happens before the router is, and what the router wants done must then fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime.steps import Piece
from jina.wire.batching import Batching
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo
from tests.runtime.simulation.flows import ALONE, MadeUpFlow, Place
from tests.runtime.simulation.meaning import Meaning
from tests.runtime.simulation.state import (
    Asked,
    Given,
    Job,
    Part,
    Process,
    Queue,
    Turn,
    Violation,
    rows_of,
    size_of,
)

LONG_AGO = float("-inf")


class Model:
    """The requests under way.

    Args:
        flow: where they go.

    Attributes:
        bytes: that the router is to hold.
        failed: shards that gave up.
        unsettled: requests that are to be over by the end of this step.
        resting: what raised in this step and is tried again: the delay, and the work.
    """

    def __init__(self, flow: MadeUpFlow) -> None:
        self.flow = flow
        self.now = 0.0
        self.step = 1
        self.bytes = 0
        self.failed: set[Place] = set()
        self.asked: dict[tuple[bytes, int], Asked] = {}
        self.waiting: dict[bytes, dict[int, Asked]] = {}
        self.afloat: dict[Asked, None] = {}  # what goes on although nobody waits
        self.queues: dict[tuple[Part, tuple[str, str] | None], Queue] = {}
        self.unsettled: list[Asked] = []
        self.resting: tuple[float, Job] | None = None
        self._bound: dict[str, list[str]] = {}  # as far as workers have said
        self._once: dict[str, list[str]] = {}  # likewise
        self._meanings: dict[tuple[str, tuple[str, ...] | None], Meaning] = {}

    def tick(self, now: float) -> None:
        """Time has passed."""
        self.now = now

    # --- what the graph means ---

    def meaning(self, endpoint: str, targets: Sequence[str] | None) -> Meaning:
        """What the graph means for a request that is sent now."""
        key = (endpoint, None if targets is None else tuple(targets))
        if key not in self._meanings:
            self._meanings[key] = Meaning(self.flow.nodes, dict(self._bound), endpoint, targets)
        return self._meanings[key]

    def joined(self, process: Process) -> None:
        """A worker is ready."""
        self.failed.discard(process.place)
        self._once[process.node] = process.once
        if self._bound.get(process.node) != process.bound:
            self._bound[process.node] = process.bound
            self._meanings.clear()

    def gone(self, place: Place) -> None:
        """No worker of a shard will come back: whatever waits for it goes past, or fails."""
        self.failed.add(place)
        for queue in list(self.queues.values()):
            if queue.part.node == place[0] and self._is_gone(queue.part):
                for job in queue.jobs:
                    self._leave(job)
                    self._give_up(job)

    def part(self, asked: Asked, place: Place) -> Part:
        """Whose work a worker does."""
        node, shard = place
        return Part(node, shard if node in asked.meaning.fans else None)

    def mode(self, job: Job) -> str:
        """What becomes of it after an error: its node says so, else its client."""
        return self.flow.rules[job.part.node].on_error or job.asked.event.on_error

    def is_once(self, job: Job) -> bool:
        """Whether its method must not see a Document twice."""
        node, endpoint = job.part.node, job.asked.event.endpoint
        name = endpoint if endpoint in self._bound[node] else DEFAULT_ENDPOINT
        return name in self._bound[node] and name in self._once[node]

    def _is_gone(self, part: Part) -> bool:
        """Whether nobody will come to do this."""
        shards = range(self.flow.rules[part.node].shards) if part.shard is None else [part.shard]
        return all((part.node, shard) in self.failed for shard in shards)

    # --- the way of a request ---

    def submitted(self, asked: Asked) -> None:
        """It is taken."""
        self._hold(asked, asked.event.pieces)
        self._advance(asked, GATEWAY)

    def is_over(self, asked: Asked) -> None:
        """It has its outcome, or nobody waits for one any more."""
        asked.is_waiting = False
        self.bytes -= asked.size
        self.afloat.pop(asked, None)
        for job in asked.jobs.values():
            if job.queue is not None:
                self._leave(job)

    def cancelled(self, asked: Asked) -> list[Asked]:
        """Nobody wants it any more, nor what goes on beside it; returns all that is over now."""
        beside = dict.fromkeys(other for other in asked.floating.values() if other.is_waiting)
        over = [asked, *beside]
        for each in over:
            self.is_over(each)
        return over

    def _advance(self, asked: Asked, source: str) -> None:
        """Whoever has all that it needs begins, now that there is this result."""
        if asked.is_complete:
            self.unsettled.append(asked)
            if asked.group:
                self.is_over(asked)
        for node in asked.meaning.takers[source]:
            is_ready = asked.meaning.sources[node] <= asked.results.keys()
            is_other = node in asked.meaning.floats
            is_own = node in asked.group if asked.group else True
            if is_ready and is_own and node not in asked.begun:
                asked.begun.add(node)
                if is_other:
                    self._set_afloat(asked, node)
                else:
                    self._begin(asked, node)

    def _begin(self, asked: Asked, node: str) -> None:
        shards = asked.meaning.fans.get(node)
        for shard in [None] if shards is None else range(shards):
            part = Part(node, shard)
            asked.jobs[part] = Job(asked, part)
            self._enqueue(asked.jobs[part])

    def _set_afloat(self, asked: Asked, node: str) -> None:
        """Begin what nobody waits for: it holds what it takes by itself."""
        other = Asked(asked.event, asked.meaning, asked.parameters)
        other.due = asked.due
        other.poison, other.poison_shard = asked.poison, asked.poison_shard
        other.poison_rows, other.hangs = asked.poison_rows, asked.hangs
        other.sour, other.sour_rows = asked.sour, asked.sour_rows
        other.group = asked.meaning.floats[node]
        for source in sorted(asked.meaning.sources[node]):
            other.results[source] = asked.results[source]
            self._hold(other, asked.results[source])
        for each in other.group:
            asked.floating[each] = other
        self.afloat[other] = None
        self._begin(other, node)

    def _enqueue(self, job: Job) -> None:
        if not job.asked.is_waiting or job.asked.is_doomed:
            return
        if self._is_gone(job.part):
            self._give_up(job)
        else:
            self._wait(job)

    def _give_up(self, job: Job, *, is_late: bool = False) -> None:
        """It has failed for good: so does its request, or it goes on with what it was.

        Nothing goes on whose time is over.
        """
        asked, node = job.asked, job.part.node
        if not asked.is_waiting or asked.is_doomed:
            return
        if self.mode(job) == "continue" and not is_late:
            asked.passed.add(node)
            self._finish(job, job.input)
        else:
            asked.is_doomed = True
            self.unsettled.append(asked)

    def _finish(self, job: Job, result: list[Piece]) -> None:
        """There is the whole result of a node, or of one shard of it."""
        asked, (node, shard) = job.asked, job.part
        if shard is not None:
            shares = asked.shares.setdefault(node, {})
            if shard in shares:
                raise Violation("a shard's part twice")
            shares[shard] = result
            if len(shares) < asked.meaning.fans[node]:
                return
            result = [piece for each in sorted(shares) for piece in shares[each]]
        asked.results[node] = result
        self._advance(asked, node)

    def _hold(self, asked: Asked, pieces: Sequence[Piece]) -> None:
        size = size_of(pieces)
        asked.size += size
        self.bytes += size

    # --- what workers say, and their ends ---

    def replied(self, given: Given, pieces: Sequence[Piece]) -> None:
        """A worker gave what was wanted of it."""
        job, work = given.job, given.work
        if not job.asked.is_waiting:
            return
        self._count(job, given)
        job.given = [*job.given[work.carried :], *pieces]
        job.covered = work.stop
        if not work.stop or work.stop == rows_of(job.input):
            self._hold(job.asked, job.given)
            self._finish(job, job.given)
        else:
            self._enqueue(job)

    def raised(self, given: Given, error: ErrorInfo) -> None:
        """A worker's Executor raised."""
        job = given.job
        if not job.asked.is_waiting:
            return
        self._count(job, given)
        retries = self.flow.rules[job.part.node].retries
        names = {name.rpartition(".")[2] for name in error.classes}
        is_meant = bool(names) and (not retries or not retries.on or bool(names & {*retries.on}))
        is_once = self.is_once(job)
        if retries and job.retried < retries.times and is_meant and not is_once:
            self.resting = (retries.backoff_s * 2**job.retried, job)
            job.retried += 1
            return
        is_report = given.work.blame or given.work.skip
        if names and self.mode(job) == "split" and job.can_narrow and not (is_once or is_report):
            self._narrow(job, (given.work.first, given.work.stop))
            return
        job.raised.add(error.type)
        self._give_up(job, is_late=error.type == REQUEST_TIMEOUT)

    def _narrow(self, job: Job, rows: tuple[int, int]) -> None:
        """Half of what raised is done next, or the one row is the culprit."""
        job.raisers.add(rows)
        job.asked.is_blamed |= rows[1] - rows[0] == 1
        if job.asked.group and rows[1] - rows[0] == 1:
            job.asked.skipped.add(job.part.node)  # nobody waits: it is told at once
        self._enqueue(job)

    def _count(self, job: Job, given: Given) -> None:
        """A call came to its end: halves are not done more often than there are any."""
        job.calls += not (given.work.blame or given.work.skip)
        if job.calls > max(1, 2 * rows_of(job.input) - 1) + job.retried:
            raise Violation("more calls than halves")

    def rested(self, job: Job) -> None:
        """What raised may be tried again."""
        self._enqueue(job)

    def lost(self, process: Process, begun: int) -> None:
        """A worker has died; what it had begun is charged, and all of it waits again."""
        for task, given in process.given.items():
            job, work = given.job, given.work
            if not job.asked.is_waiting:
                continue
            is_begun = begun and begun in (task, work.lot)
            if (is_begun and self._charge(job, given)) or self._is_gone(job.part):
                self._give_up(job)
            else:
                self._wait(job, is_back=True)
        process.given.clear()

    def _charge(self, job: Job, given: Given) -> bool:
        """Count a death; whether it is the last one: nothing of it can be left out."""
        work = given.work
        job.charges += 1
        job.is_once = self.is_once(job)
        if job.is_once:
            return True
        if job.charges >= self.flow.max_attempts:
            job.killers.add((work.first, work.stop))
        job.is_blamed = bool(work.blame or work.skip)
        if job.charges < self.flow.max_attempts:
            return False
        if job.is_blamed or not job.can_narrow:
            return True
        if work.stop - work.first == 1 and self.mode(job) == "continue":
            job.asked.skipped.add(job.part.node)
        return False

    # --- whose turn it is ---

    def batched(self, job: Job) -> Batching | None:
        """The settings by which it waits for others; None for alone."""
        node, asked = job.part.node, job.asked
        settings, endpoint = self.flow.batching[node], asked.event.endpoint
        if (
            not settings
            or asked.parameters == repr(ALONE)
            or job.charges
            or job.retried
            or job.raisers
        ):
            return None
        known = settings.get(DEFAULT_ENDPOINT) if endpoint not in self._bound[node] else None
        branches = asked.meaning.branches[node]
        is_join = node in asked.meaning.gathers or sum(map(len, branches)) > 1
        return None if is_join or not rows_of(job.input) else settings.get(endpoint, known)

    def _wait(self, job: Job, *, is_back: bool = False) -> None:
        """It waits for a worker; `is_back`: it has had its turn, and goes first."""
        batching = self.batched(job)
        group = (job.asked.event.endpoint, job.asked.parameters) if batching else None
        queue = self.queues.setdefault((job.part, group), Queue(job.part, batching))
        queue.turns.setdefault(job.asked.client, Turn()).jobs[job] = None
        job.queue = queue
        job.step = self.step
        job.since = LONG_AGO if is_back else self.now
        if is_back:
            for turn in queue.turns.values():
                turn.others[job.asked.client] -= 1

    def _leave(self, job: Job) -> None:
        """It waits no more."""
        queue, client = job.queue, job.asked.client
        assert queue is not None
        job.queue = None
        del queue.turns[client].jobs[job]
        if not queue.turns[client].jobs:
            del queue.turns[client]
        if not queue.turns:
            queue.passed_by.clear()

    def take_lot(self, queue: Queue, place: Place) -> None:
        """A worker gets something, alone or as a lot.

        What waits alone waits for a worker only. Meanwhile lots of its own part have their turn
        once, and so does each other part of the node that could take the same worker.
        """
        queue.passed_by.clear()
        kind = queue.part if queue.batching is None else (queue.part, "lots")
        for part in {queue.part, Part(place[0], None), Part(*place)}:
            other = self.queues.get((part, None))
            if other is None or other is queue or not other.turns:
                continue
            if any(job.step < self.step for job in other.jobs):
                told = kind if part == queue.part else queue.part
                other.passed_by[told] += 1
                if other.passed_by[told] > 1 + (part != queue.part):
                    raise Violation(f"{other.part} waits, and {told} had its turn again")

    def take_turn(self, job: Job) -> Queue:
        """A worker gets it. While a client waits, each other one has its turn once.

        What comes back, after a death or in halves, has had its turn already.

        Returns:
            where it waited.
        """
        queue, client = job.queue, job.asked.client
        if queue is None:
            raise Violation("the same work twice at a time, or too early")
        self._leave(job)
        if client in queue.turns:
            queue.turns[client].others.clear()  # it waits anew
        for other, turn in queue.turns.items():
            # In this step, others may only be about to wait.
            if other != client and any(each.step < self.step for each in turn.jobs):
                turn.others[client] += 1
                if turn.others[client] > 1:
                    raise Violation(f"{other!r} waits at {job.part}, and another had two turns")
        return queue
