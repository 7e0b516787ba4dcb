"""Decide what happens next to a request.

The router holds the graph and the requests under way. It does no I/O and knows no clock: the
gateway tells it what came in and carries out the actions it returns, so that every rule here can be
tested with a table and driven by a simulator. It never opens a body: parts are opaque frames.

    a request   is what a client posted; it has exactly one answer
    a task      is a request at one node, or at one of its shards; it is at one worker at a time,
                and counts there as a credit until the worker replies or dies
    a lot       is several tasks that one worker makes one call of; together they count as a credit

A request that was begun in two deaths is narrowed down: its task is done again in halves, one after
the other, and a half that kills is halved again, until the Document is found that kills alone. That
one is reported as an error; what the others gave is put together in order. With `split`, one that
raised is narrowed down too, which costs 2n - 1 calls at most for n Documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from jina.defaults import MAX_ATTEMPTS, MAX_WINDOW_REQUESTS, MOST_DONE_FRAMES
from jina.graph.course import in_order
from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime import verdicts
from jina.runtime.alarms import Alarms
from jina.runtime.batches import Group
from jina.runtime.courses import Courses
from jina.runtime.held import Held, at_workers
from jina.runtime.pools import Pool
from jina.runtime.retirement import Retiring
from jina.runtime.rules import Rules
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    Cancelled,
    ClientLeft,
    Draining,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Piece,
    Raised,
    Refuse,
    Replied,
    Retire,
    Submitted,
    Unheard,
)
from jina.runtime.tasks import Request, Task, Worker, size_of
from jina.runtime.watch import Watch
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo


class Router:
    """The requests under way in one Flow.

    Args:
        nodes: the graph, checked.
        window_requests: requests that one client may have under way, unless it says otherwise.
        max_attempts: deaths with a request begun after which the request is narrowed down.
        most_done: frames of a narrowed request's results so far; more are put together.
        endpoints: of nodes that an earlier gateway has seen ready.
        first_task: where the numbers of tasks begin; a later gateway begins higher, so that it does
            not take replies to an earlier one for its own.
    """

    def __init__(
        self,
        nodes: Sequence[PlannedNode],
        *,
        window_requests: int = MAX_WINDOW_REQUESTS,
        max_attempts: int = MAX_ATTEMPTS,
        most_done: int = MOST_DONE_FRAMES,
        endpoints: Mapping[str, Sequence[str]] | None = None,
        first_task: int = 0,
    ) -> None:
        self._nodes = in_order(nodes)
        self._rules = Rules(self._nodes)
        self._window = window_requests
        self._max_attempts = max_attempts
        self._most_done = most_done
        self._endpoints: dict[str, Sequence[str]] = dict(endpoints or {})
        self._courses = Courses(self._nodes, self._endpoints)
        self._workers: dict[bytes, Worker] = {}
        self._retiring = Retiring()  # among them, but in no pool any more
        self._alarms = Alarms()
        self._pools = {node.name: Pool(node, self._alarms.stop) for node in self._nodes}
        self._held = Held(self._alarms)
        self._last_task = first_task
        self._watch = Watch(self._nodes, self._alarms)
        self._uses = 0

    @property
    def bytes_held(self) -> int:
        """Bytes of requests that have no answer yet: of their bodies, and results so far."""
        return self._held.bytes

    @property
    def requests_held(self) -> int:
        """Requests that have no answer yet, and those that go on although nobody waits."""
        return len(self._held)

    @property
    def endpoints(self) -> dict[str, list[str]]:
        """Endpoints that each node binds, with its head and tail, as far as workers have said."""
        return self._courses.bound()

    @property
    def failed_nodes(self) -> dict[str, str]:
        """Nodes, and shards of nodes, that serve no more, and why."""
        return {name: why for pool in self._pools.values() for name, why in pool.failed.items()}

    @property
    def parts(self) -> tuple[dict[bytes, Worker], dict[str, Pool], list[Request], set[Request]]:
        """Workers, pools, requests with a client, floating ones: to be looked at only."""
        return self._workers, self._pools, list(self._held), self._held.floating

    @property
    def external(self) -> list[PlannedNode]:
        """Nodes whose workers are on other machines."""
        return [node for node in self._nodes if node.is_external]

    @property
    def is_complete(self) -> bool:
        """Whether the endpoints of every node are known, so that courses can be plotted."""
        return len(self._endpoints) == len(self._nodes)

    def awaits(self, timer: int) -> bool:
        """Whether anything happens when a timer expires."""
        return timer in self._alarms

    def held(self, client: bytes) -> list[int]:
        """Numbers of a client's requests that have no answer yet."""
        return list(self._held.of(client))

    def outstanding(self, worker: bytes) -> int:
        """Tasks at a worker."""
        found = self._workers.get(worker)
        return len(found.tasks) if found else 0

    def step(self, event: Event) -> list[Action]:
        """Take one event and return what is to be done, in order."""
        actions: list[Action] = []
        if isinstance(event, Replied):
            self._replied(event, actions)
        elif isinstance(event, Submitted):
            self._submitted(event, actions)
        elif isinstance(event, Raised):
            self._raised(event, actions)
        elif isinstance(event, Joined):
            self._joined(event, actions)
        elif isinstance(event, Lost):
            self._lost(event, actions)
        elif isinstance(event, NodeFailed):
            self._node_failed(event, actions)
        elif isinstance(event, Expired):
            self._alarms.expired(event.timer, actions)
        elif isinstance(event, Draining):
            self._draining(actions)
        elif isinstance(event, Retire):
            if worker := self._retiring.add(self._workers.get(event.worker)):
                self._pools[worker.node].remove(worker)
        else:
            self._cancelled(event, actions)
        if self._retiring:
            self._retiring.let_go(self._workers, actions)
        return actions

    # --- events ---

    def _submitted(self, asked: Submitted, actions: list[Action]) -> None:
        requests = self._held.of(asked.client)
        if asked.number in requests:
            return  # a client that repeats itself gets one answer
        if len(requests) >= (window := asked.window or self._window):
            reason = f"more than {window} requests in progress"
            actions.append(Refuse(asked.client, asked.number, reason))
            return
        request = Request(asked, self._courses.of(asked.endpoint, asked.targets))
        self._held.add(request)
        if asked.timeout_s is not None:
            self._limit(request, asked.timeout_s, actions)
        self._advance(request, GATEWAY, actions)

    def _replied(self, reply: Replied, actions: list[Action]) -> None:
        task = self._take(reply, actions)
        if task is None:
            return
        if not task.request.answered:
            result = task.go_on(reply.pieces)
            if result is None:
                self._enqueue(task, actions)
            else:
                self._finish(task, result, size_of(result), actions)
        self._serve(task.node, actions)

    def _raised(self, raised: Raised, actions: list[Action]) -> None:
        task = self._take(raised, actions, raised.error)
        if task is None:
            return
        delay = self._rules.delay_s(task, raised.error)
        if delay is None:
            self._isolate(task, raised.error, actions)
        elif not task.request.answered:
            task.retried += 1
            timer = self._alarms.start(delay, lambda actions: self._enqueue(task, actions), actions)
            task.request.timers += (timer,)
        self._serve(task.node, actions)

    def _joined(self, joined: Joined, actions: list[Action]) -> None:
        if self._endpoints.get(joined.node) != (bound := tuple(joined.endpoints)):
            self._endpoints[joined.node] = bound
            self._courses.clear()
        self._rules.joined(joined)
        worker = Worker(joined)
        self._workers[joined.worker] = worker
        self._pools[joined.node].add(worker, joined)
        self._serve(joined.node, actions)

    def _lost(self, lost: Lost, actions: list[Action]) -> None:
        worker = self._workers.pop(lost.worker, None)
        if worker is None:
            return
        pool = self._pools[worker.node]
        if not self._retiring.discard(lost.worker):
            pool.remove(worker)
        self._watch.leave(worker)
        again = []
        for task in worker.tasks.values():
            if task.request.answered:
                continue
            is_begun = bool(lost.begun) and lost.begun in (task.number, task.lot)
            is_once = (is_begun or lost.is_unsure) and self._rules.is_once(task)
            if is_begun or is_once:
                task.attempts += 1
                if is_once or task.attempts >= self._max_attempts:
                    error = verdicts.deadly(task, lost.reason, is_once=is_once)
                    if is_once or not task.narrow(error, self._rules.continues(task)):
                        self._give_up(task, error, actions)
                        continue
                    if task.skip:
                        self._go_on(task, error, actions)
            again.append(task)
        self._put_back(pool, again, actions)  # oldest first: whoever waited longest
        self._serve(worker.node, actions)

    def _node_failed(self, failed: NodeFailed, actions: list[Action]) -> None:
        pool = self._pools[failed.node]
        for task in pool.give_up(failed.shard, failed.reason):
            self._give_up(task, verdicts.unavailable(task, failed.reason), actions)
        # Never up: it might have bound anything.
        if pool.has_failed and failed.node not in self._endpoints:
            self._endpoints[failed.node] = (DEFAULT_ENDPOINT,)

    def _cancelled(self, event: Cancelled | ClientLeft, actions: list[Action]) -> None:
        number = event.number if isinstance(event, Cancelled) else None
        if requests := self._held.cancel(event.client, number):
            self._drop_answered(event.client)
            actions += at_workers(requests, self._workers.values())

    def _draining(self, actions: list[Action]) -> None:
        for node, pool in self._pools.items():
            pool.hurry()
            self._serve(node, actions)

    # --- the way of a request ---

    def _advance(self, request: Request, source: str, actions: list[Action]) -> None:
        """Hand the result of `source` to the nodes that wait for it, or answer."""
        course = request.course
        results = request.results
        for node in course.after.get(source, ()):
            if node in course.joins:
                if node in request.joined or not all(
                    name in results for branch in course.inputs[node] for name in branch
                ):
                    continue
                request.joined += (node,)  # a node that fails at once may have brought us here
            self._begin(request, node, actions)
        if request.waiting == 0 and not request.answered:
            self._held.forget(request)
            if request.is_floating:
                return
            asked = request.asked
            pieces = [piece for name in course.end for piece in results[name]]
            served = len(course.inputs)
            way = request.way()
            endpoint = asked.endpoint if way else ""
            actions.append(Answer(asked.client, asked.number, pieces, served, way, endpoint))

    def _begin(self, request: Request, node: str, actions: list[Action]) -> None:
        """Let a node do a request: one worker of it, or one of each shard."""
        course = request.course
        if node in course.floats:
            request = self._held.set_afloat(request, node)
        shards = course.fans.get(node)
        for shard in (None,) if shards is None else range(shards):
            self._last_task += 1
            self._enqueue(Task(self._last_task, request, node, shard), actions)

    def _enqueue(self, task: Task, actions: list[Action]) -> None:
        if task.request.answered:
            return
        pool = self._pools[task.node]
        reason = pool.why_not(task.shard)
        if reason is not None:
            self._give_up(task, verdicts.unavailable(task, reason), actions)
            return
        group = pool.push(task)
        self._serve(task.node, actions)
        self._start_timer(task.node, group, actions)

    def _put_back(self, pool: Pool, tasks: Sequence[Task], actions: list[Action]) -> None:
        """Let tasks wait in front of all others; those come back from one that retires in vain."""
        pool.push_back(tasks)
        for task in pool.take_hopeless():
            self._give_up(task, verdicts.unavailable(task, pool.why_not(task.shard) or ""), actions)

    def _serve(self, node: str, actions: list[Action]) -> None:
        """Give waiting tasks of a node to its workers, the least busy first."""
        pool = self._pools[node]
        while found := pool.next():
            worker, lot, group = found
            self._start_timer(node, group, actions)
            if lot:
                self._dispatch(worker, lot, actions)

    def _dispatch(self, worker: Worker, lot: Sequence[Task], actions: list[Action]) -> None:
        worker.give(lot)
        self._uses += 1
        worker.last_used = self._uses
        for task in lot:
            task.overdue_s = 0.0
            actions.append(task.dispatch(worker.identity, self._most_done))
        if self._watch.is_on:
            self._watch.look(worker, actions)

    def _take(
        self, report: Replied | Raised, actions: list[Action], error: ErrorInfo | None = None
    ) -> Task | None:
        """The task that a worker reports; None for one that it does not have (a late reply)."""
        worker = self._workers.get(report.worker)
        task = worker.take(report.task) if worker else None
        if worker and task:
            if self._watch.is_on:
                self._watch.look(worker, actions)
            if report.times is not None:
                task.note(worker, report.times, error)
        return task

    def _finish(
        self, task: Task, result: Sequence[Piece], size: int, actions: list[Action]
    ) -> None:
        """Take a task's whole result; `size` is what it adds to the bytes that are held."""
        request = task.request
        if task.shard is not None:
            shares = request.gather(task.node, task.shard, result)
            if shares is None:  # other shards are not done
                self._held.grow(request, size)
                return
            result = shares
        request.results[task.node] = result
        request.waiting -= 1
        if request.waiting:
            self._held.grow(request, size)
        self._advance(request, task.node, actions)

    def _isolate(self, task: Task, error: ErrorInfo, actions: list[Action]) -> None:
        """A task has raised for good: do it again in halves, where that is wanted and possible."""
        if not (self._rules.splits(task, error) and task.narrow(verdicts.culprit(error))):
            self._give_up(task, self._rules.explained(task, error), actions)
            return
        if task.blame is not None and task.request.is_floating:
            self._go_on(task, error, actions)
        elif task.blame is not None:
            task.request.opened_journey().blame(error)
        self._enqueue(task, actions)

    def _give_up(self, task: Task, error: ErrorInfo, actions: list[Action]) -> None:
        """A task has failed for good: so does its request, or it goes on with what it was."""
        request = task.request
        if not self._rules.continues(task) or error.type == REQUEST_TIMEOUT:
            self._fail(request, error, actions)
        elif not request.answered:
            self._go_on(task, error, actions)
            request.opened_journey().passed.add(task.node)
            self._finish(task, task.as_it_came(), 0, actions)

    def _go_on(self, task: Task, error: ErrorInfo, actions: list[Action]) -> None:
        """A request goes on after an error: its client is told, or if nobody waits, the log."""
        request = task.request
        if request.opened_journey().go_on(task.node, error) and request.is_floating:
            asked = request.asked
            actions.append(Unheard(asked.client, asked.number, error, asked.endpoint))

    def _limit(self, request: Request, seconds: float, actions: list[Action]) -> None:
        """Fail a request once its time is over."""

        def over(actions: list[Action]) -> None:
            self._fail(request, verdicts.late(seconds), actions)
            self._drop_answered(request.asked.client)

        request.timers += (self._alarms.start(seconds, over, actions),)

    def _start_timer(self, node: str, group: Group | None, actions: list[Action]) -> None:
        """See to it that a group does not wait for others for ever."""
        if group is not None and group.needs_timer:
            then = partial(self._grow_old, node, group)
            group.timer = self._alarms.start(group.batching.timeout / 1000, then, actions)

    def _grow_old(self, node: str, group: Group, actions: list[Action]) -> None:
        group.grow_old()
        self._serve(node, actions)

    def _fail(self, request: Request, error: ErrorInfo, actions: list[Action]) -> None:
        if request.answered:
            return
        self._held.forget(request)
        asked = request.asked
        if request.is_floating:
            actions.append(Unheard(asked.client, asked.number, error, asked.endpoint))
        else:
            way = request.way()
            actions.append(AnswerError(asked.client, asked.number, error, way, asked.endpoint))

    def _drop_answered(self, client: bytes) -> None:
        """Let go of the frames of what waits behind others, too."""
        for pool in self._pools.values():
            pool.drop_answered(client)
