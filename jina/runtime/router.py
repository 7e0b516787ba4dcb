"""Decide what happens next to a request.

The router holds the graph and the requests under way. It does no I/O and knows no clock: the
gateway tells it what came in and carries out the actions it returns, so that every rule here can be
tested with a table and driven by a simulator. It never opens a body: parts are opaque frames.

    a request   is what a client posted; it has exactly one answer
    a task      is a request at one node, or at one of its shards; it is at one worker at a time,
                and counts there as a credit until the worker replies or dies

A request that was begun in two deaths is narrowed down: its task is done again in halves, one after
the other, and a half that kills is halved again, until the Document is found that kills alone. That
one is reported as an error; what the others gave is put together in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jina.defaults import MAX_ATTEMPTS, WINDOW_REQUESTS
from jina.graph.course import Course, in_order, plot_course
from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime.pools import Pool
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    ClientLeft,
    Dispatch,
    Event,
    Expired,
    Joined,
    Lost,
    NodeFailed,
    Piece,
    Raised,
    Refuse,
    Replied,
    StartTimer,
    Submitted,
    Unheard,
)
from jina.runtime.tasks import Request, Task, Worker, size_of
from jina.wire.maps import ErrorInfo


class Router:
    """The requests under way in one Flow.

    Args:
        nodes: the graph, checked.
        window_requests: requests that one client may have under way.
        max_attempts: deaths with a request begun after which the request is narrowed down.
        endpoints: of nodes that an earlier gateway has seen ready.
        first_task: where the numbers of tasks begin; a later gateway begins higher, so that it does
            not take replies to an earlier one for its own.
    """

    def __init__(
        self,
        nodes: Sequence[PlannedNode],
        *,
        window_requests: int = WINDOW_REQUESTS,
        max_attempts: int = MAX_ATTEMPTS,
        endpoints: Mapping[str, Sequence[str]] | None = None,
        first_task: int = 0,
    ) -> None:
        self._nodes = in_order(nodes)
        self._window = window_requests
        self._max_attempts = max_attempts
        self._endpoints: dict[str, Sequence[str]] = dict(endpoints or {})
        self._courses: dict[tuple[str, tuple[str, ...] | None], Course] = {}
        self._workers: dict[bytes, Worker] = {}
        self._pools = {node.name: Pool(node) for node in self._nodes}
        self._floating: set[Request] = set()
        self._clients: dict[bytes, dict[int, Request]] = {}
        self._last_task = first_task
        self._timers: dict[int, Callable[[list[Action]], None]] = {}
        self._last_timer = 0
        self._uses = 0
        self.bytes_held = 0  # of requests that have no answer yet: their bodies, and results so far

    @property
    def requests_held(self) -> int:
        """Requests that have no answer yet, and those that go on although nobody waits."""
        return sum(len(requests) for requests in self._clients.values()) + len(self._floating)

    @property
    def endpoints(self) -> dict[str, list[str]]:
        """Endpoints that each node binds, with its head and tail, as far as workers have said."""
        found: dict[str, list[str]] = {}
        for node in self._nodes:
            if node.name in self._endpoints:
                own = found.setdefault(node.of or node.name, [])
                own += [each for each in self._endpoints[node.name] if each not in own]
        return found

    @property
    def failed_nodes(self) -> dict[str, str]:
        """Nodes, and shards of nodes, that serve no more, and why."""
        return {name: why for pool in self._pools.values() for name, why in pool.failed.items()}

    @property
    def is_complete(self) -> bool:
        """Whether the endpoints of every node are known, so that courses can be plotted."""
        return len(self._endpoints) == len(self._nodes)

    def held(self, client: bytes) -> list[int]:
        """Numbers of a client's requests that have no answer yet."""
        return list(self._clients.get(client, ()))

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
            self._expired(event, actions)
        else:
            self._client_left(event)
        return actions

    # --- events ---

    def _submitted(self, asked: Submitted, actions: list[Action]) -> None:
        requests = self._clients.get(asked.client, {})
        if asked.number in requests:
            return  # a client that repeats itself gets one answer
        if len(requests) >= self._window:
            reason = f"more than {self._window} requests under way"
            actions.append(Refuse(asked.client, asked.number, reason))
            return
        request = Request(asked, self._course(asked.endpoint, asked.targets))
        self._clients.setdefault(asked.client, requests)[asked.number] = request
        self.bytes_held += request.bytes
        self._advance(request, GATEWAY, actions)

    def _replied(self, reply: Replied, actions: list[Action]) -> None:
        task = self._take(reply.worker, reply.task)
        if task is None:
            return
        request = task.request
        if not request.answered:
            result = task.go_on(reply.pieces)
            if result is None:
                self._pools[task.node].push_back([task])
            else:
                self._finished(task, result, actions)
        self._serve(task.node, actions)

    def _finished(self, task: Task, result: Sequence[Piece], actions: list[Action]) -> None:
        """A task is done; where it was one of several shards', its node may not be."""
        request, whole = task.request, result
        if task.shard is not None:
            shares = request.gather(task.node, task.shard, result)
            if shares is None:
                self._hold(request, result)
                return
            whole = shares
        request.results[task.node] = whole
        request.waiting -= 1
        if request.waiting:
            self._hold(request, result)
        self._advance(request, task.node, actions)

    def _hold(self, request: Request, pieces: Sequence[Piece]) -> None:
        size = size_of(pieces)
        request.bytes += size
        self.bytes_held += size

    def _raised(self, raised: Raised, actions: list[Action]) -> None:
        task = self._take(raised.worker, raised.task)
        if task is None:
            return
        self._fail(task.request, raised.error, actions)
        self._serve(task.node, actions)

    def _joined(self, joined: Joined, actions: list[Action]) -> None:
        if self._endpoints.get(joined.node) != (bound := tuple(joined.endpoints)):
            self._endpoints[joined.node] = bound
            self._courses.clear()
        worker = Worker(joined)
        self._workers[joined.worker] = worker
        self._pools[joined.node].add(worker)
        self._serve(joined.node, actions)

    def _lost(self, lost: Lost, actions: list[Action]) -> None:
        worker = self._workers.pop(lost.worker, None)
        if worker is None:
            return
        self._pools[worker.node].remove(worker)
        again = []
        for task in worker.tasks.values():
            if task.request.answered:
                continue
            if task.number == lost.begun:
                task.attempts += 1
                if task.attempts >= self._max_attempts:
                    error = _deadly(task, lost.reason)
                    if not task.narrow(error):
                        self._fail(task.request, error, actions)
                        continue
            again.append(task)
        # In front, oldest first: whoever waited longest goes first again.
        self._pools[worker.node].push_back(again)
        self._serve(worker.node, actions)

    def _node_failed(self, failed: NodeFailed, actions: list[Action]) -> None:
        pool = self._pools[failed.node]
        for task in pool.give_up(failed.shard, failed.reason):
            self._fail(task.request, _unavailable(failed.node, failed.reason, task.shard), actions)
        # Never up: it might have bound anything.
        if pool.has_failed and failed.node not in self._endpoints:
            self._endpoints[failed.node] = (DEFAULT_ENDPOINT,)

    def _client_left(self, left: ClientLeft) -> None:
        requests = self._clients.pop(left.client, {})
        for request in requests.values():
            request.answered = True
            self.bytes_held -= request.bytes
        if requests:
            # Let go of the frames of what waits behind others, too.
            for pool in self._pools.values():
                pool.drop_answered()

    def _expired(self, expired: Expired, actions: list[Action]) -> None:
        then = self._timers.pop(expired.timer, None)
        if then is not None:
            then(actions)

    # --- the way of a request ---

    def _course(self, endpoint: str, targets: Sequence[str] | None) -> Course:
        key = (endpoint, None if targets is None else tuple(targets))
        course = self._courses.get(key)
        if course is None:
            if len(self._courses) > 1000:  # endpoints are the client's words
                self._courses.clear()
            course = plot_course(self._nodes, self._endpoints, endpoint, targets)
            self._courses[key] = course
        return course

    def _advance(self, request: Request, source: str, actions: list[Action]) -> None:
        """Hand the result of `source` to the nodes that wait for it, or answer."""
        course = request.course
        results = request.results
        for node in course.after.get(source, ()):
            if node not in course.joins or all(
                name in results for branch in course.inputs[node] for name in branch
            ):
                self._begin(request, node, actions)
        if request.waiting == 0 and not request.answered:
            self._forget(request)
            if request.is_floating:
                return
            asked = request.asked
            pieces = [piece for name in course.end for piece in results[name]]
            actions.append(Answer(asked.client, asked.number, pieces, len(course.inputs)))

    def _begin(self, request: Request, node: str, actions: list[Action]) -> None:
        """Let a node do a request: one worker of it, or one of each shard."""
        course = request.course
        if node in course.floats:
            request = request.floating(node)
            self._floating.add(request)
            self.bytes_held += request.bytes
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
            error = _unavailable(task.node, reason, task.shard)
            self._fail(task.request, error, actions)
            return
        pool.push(task)
        self._serve(task.node, actions)

    def _serve(self, node: str, actions: list[Action]) -> None:
        """Give waiting tasks of a node to its workers, the least busy first."""
        pool = self._pools[node]
        while found := pool.next():
            worker, task = found
            worker.tasks[task.number] = task
            self._uses += 1
            worker.last_used = self._uses
            asked = task.request.asked
            actions.append(
                Dispatch(
                    worker.identity,
                    task.number,
                    asked.endpoint,
                    asked.rows,
                    asked.base,
                    asked.call,
                    task.pieces,
                    task.branches,
                    task.request.course.last == task.node,
                    task.first,
                    task.stop,
                    task.blame,
                )
            )

    def _take(self, worker: bytes, number: int) -> Task | None:
        """The task that a worker reports; None for one that it does not have (a late reply)."""
        found = self._workers.get(worker)
        return found.tasks.pop(number, None) if found else None

    def _fail(self, request: Request, error: ErrorInfo, actions: list[Action]) -> None:
        if request.answered:
            return
        self._forget(request)
        asked = request.asked
        if request.is_floating:
            actions.append(Unheard(asked.client, asked.number, error))
        else:
            actions.append(AnswerError(asked.client, asked.number, error))

    def _after(
        self, seconds: float, then: Callable[[list[Action]], None], actions: list[Action]
    ) -> int:
        """Do something later, when the gateway says that the time has come.

        Returns:
            the number of the timer; without it in `_timers`, nothing happens.
        """
        self._last_timer += 1
        self._timers[self._last_timer] = then
        actions.append(StartTimer(self._last_timer, seconds))
        return self._last_timer

    def _forget(self, request: Request) -> None:
        """Strike a request off: it has its one answer now."""
        request.answered = True
        self.bytes_held -= request.bytes
        if request.is_floating:
            self._floating.discard(request)
            return
        requests = self._clients.get(request.asked.client)
        if requests is not None:
            requests.pop(request.asked.number, None)
            if not requests:
                del self._clients[request.asked.client]


def _deadly(task: Task, reason: str) -> ErrorInfo:
    alone = ", the last time with this Document alone" if task.stop - task.first == 1 else ""
    who = "a worker" if task.shard is None else f"a worker of shard {task.shard}"
    message = f"{who} died {task.attempts} times with this request begun{alone}; {reason}"
    return ErrorInfo("jina.excepts.WorkerDied", message, task.node, shard=task.shard)


def _unavailable(node: str, reason: str, shard: int | None) -> ErrorInfo:
    reason = reason if shard is None else f"shard {shard}: {reason}"
    return ErrorInfo("jina.excepts.ExecutorUnavailable", reason, node, shard=shard)
