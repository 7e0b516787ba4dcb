"""Decide what happens next to a request.

The router holds the graph and the requests under way. It does no I/O and knows no clock: the
gateway tells it what came in and carries out the actions it returns, so that every rule here can be
tested with a table and driven by a simulator. It never opens a body: parts are opaque frames.

    a request   is what a client posted; it has exactly one answer
    a task      is a request at one node; it is at one worker at a time, and counts there as a
                credit until the worker replies or dies

A request that was begun in two deaths is narrowed down: its task is done again in halves, one after
the other, and a half that kills is halved again, until the Document is found that kills alone. That
one is reported as an error; what the others gave is put together in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from jina.defaults import MAX_ATTEMPTS, WINDOW_REQUESTS
from jina.graph.course import Course, in_order, plot_course
from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT, GATEWAY
from jina.runtime.retirement import Retiring
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    ClientLeft,
    Dispatch,
    Event,
    Joined,
    Lost,
    NodeFailed,
    Piece,
    Raised,
    Refuse,
    Replied,
    Retire,
    Submitted,
)
from jina.wire.maps import GROUNDTRUTHS, ErrorInfo, Part

# --- what is remembered ------------------------------------------------------------------------


class _Request:
    """A request under way."""

    __slots__ = ("answered", "asked", "bytes", "course", "results", "waiting")

    def __init__(self, asked: Submitted, course: Course) -> None:
        self.asked = asked
        self.course = course
        self.results: dict[str, Sequence[Piece]] = {GATEWAY: asked.pieces}
        self.waiting = len(course.inputs)  # nodes that have not finished
        self.answered = False
        self.bytes = _size(asked.pieces)


class _Task:
    """A request at one node."""

    __slots__ = (
        "attempts",
        "blame",
        "branches",
        "done",
        "first",
        "node",
        "number",
        "pieces",
        "request",
        "stop",
        "todo",
    )

    def __init__(self, number: int, request: _Request, node: str) -> None:
        self.number = number
        self.request = request
        self.node = node
        self.attempts = 0  # deaths of workers that had begun it
        self.first = self.stop = 0  # the outcomes to do now; both 0 for all at once
        self.todo: list[tuple[int, int]] = []  # those to do afterwards, the next one last
        self.done: list[Piece] = []  # what those before gave
        self.blame: ErrorInfo | None = None  # what the one to do now is reported as
        inputs = request.course.inputs[node]
        self.branches = len(inputs)
        self.pieces: Sequence[Piece]
        if node not in request.course.joins:
            self.pieces = request.results[inputs[0][0]]
        elif len(inputs) == 1:
            self.pieces = [piece for source in inputs[0] for piece in request.results[source]]
        else:
            self.pieces = [
                Piece(_in_branch(piece.part, index), piece.frames)
                for index, branch in enumerate(inputs)
                for source in branch
                for piece in request.results[source]
            ]

    def narrow(self, error: ErrorInfo) -> bool:
        """After a death: do half as much at a time, or blame the one that is left.

        Returns:
            False where that is not possible: a single outcome to begin with, or a join, whose
            branches cannot be cut alike.
        """
        if self.blame is not None or self.branches > 1:
            return False
        if not self.stop:
            self.stop = sum(
                piece.part.rows for piece in self.pieces if piece.part.role != GROUNDTRUTHS
            )
            if self.stop < 2:
                return False
        if self.stop - self.first == 1:
            self.blame = error
        else:
            middle = (self.first + self.stop) // 2
            self.todo.append((middle, self.stop))
            self.stop = middle
        return True

    def go_on(self, pieces: Sequence[Piece]) -> Sequence[Piece] | None:
        """Take a reply; returns the whole result, or None while there is more to do."""
        if not self.stop:
            return pieces
        self.done += pieces
        if not self.todo:
            return self.done
        self.first, self.stop = self.todo.pop()
        self.blame = None
        return None


class _Worker:
    """A ready replica."""

    __slots__ = ("credits", "identity", "last_used", "node", "tasks")

    def __init__(self, joined: Joined) -> None:
        self.identity = joined.worker
        self.node = joined.node
        self.credits = joined.credits
        self.tasks: dict[int, _Task] = {}  # outstanding, oldest first
        self.last_used = 0


def _size(pieces: Sequence[Piece]) -> int:
    size = 0
    for piece in pieces:
        for frame in piece.frames:
            size += len(frame)
    return size


def _in_branch(part: Part, branch: int) -> Part:
    return Part(part.kind, part.role, part.frames, part.rows, part.failed, branch)


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
        self._workers: dict[bytes, _Worker] = {}
        self._retiring: Retiring[_Worker] = Retiring()  # among them, but no replicas any more
        self._replicas: dict[str, list[_Worker]] = {node.name: [] for node in self._nodes}
        self._queues: dict[str, deque[_Task]] = {node.name: deque() for node in self._nodes}
        self._failed_nodes: dict[str, str] = {}
        self._clients: dict[bytes, dict[int, _Request]] = {}
        self._last_task = first_task
        self._uses = 0
        self.bytes_held = 0  # of requests that have no answer yet: their bodies, and results so far

    @property
    def requests_held(self) -> int:
        """Requests that have no answer yet."""
        return sum(len(requests) for requests in self._clients.values())

    @property
    def endpoints(self) -> dict[str, list[str]]:
        """Endpoints that each node binds, as far as its workers have said."""
        return {name: list(bound) for name, bound in self._endpoints.items()}

    @property
    def failed_nodes(self) -> dict[str, str]:
        """Nodes that serve no more, and why."""
        return dict(self._failed_nodes)

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
        elif isinstance(event, Retire):
            if worker := self._retiring.add(self._workers.get(event.worker)):
                self._replicas[worker.node].remove(worker)
        else:
            self._client_left(event)
        if self._retiring:
            self._retiring.let_go(self._workers, actions)
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
        request = _Request(asked, self._course(asked.endpoint, asked.targets))
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
                self._queues[task.node].appendleft(task)
            else:
                request.results[task.node] = result
                request.waiting -= 1
                if request.waiting:
                    size = _size(result)
                    request.bytes += size
                    self.bytes_held += size
                self._advance(request, task.node, actions)
        self._serve(task.node, actions)

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
        self._failed_nodes.pop(joined.node, None)
        worker = _Worker(joined)
        self._workers[joined.worker] = worker
        self._replicas[joined.node].append(worker)
        self._serve(joined.node, actions)

    def _lost(self, lost: Lost, actions: list[Action]) -> None:
        worker = self._workers.pop(lost.worker, None)
        if worker is None:
            return
        if not self._retiring.discard(lost.worker):
            self._replicas[worker.node].remove(worker)
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
        self._queues[worker.node].extendleft(reversed(again))
        self._serve(worker.node, actions)

    def _node_failed(self, failed: NodeFailed, actions: list[Action]) -> None:
        self._failed_nodes[failed.node] = failed.reason
        queue = self._queues[failed.node]
        while queue:
            task = queue.popleft()
            self._fail(task.request, _unavailable(failed.node, failed.reason), actions)
        if failed.node not in self._endpoints:  # never up: it might have bound anything
            self._endpoints[failed.node] = (DEFAULT_ENDPOINT,)

    def _client_left(self, left: ClientLeft) -> None:
        requests = self._clients.pop(left.client, {})
        for request in requests.values():
            request.answered = True
            self.bytes_held -= request.bytes
        if requests:
            # Let go of the frames of what waits behind others, too.
            for name, queue in self._queues.items():
                if any(task.request.answered for task in queue):
                    kept = (task for task in queue if not task.request.answered)
                    self._queues[name] = deque(kept)

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

    def _advance(self, request: _Request, source: str, actions: list[Action]) -> None:
        """Hand the result of `source` to the nodes that wait for it, or answer."""
        course = request.course
        results = request.results
        for node in course.after.get(source, ()):
            if node not in course.joins or all(
                name in results for branch in course.inputs[node] for name in branch
            ):
                self._last_task += 1
                self._enqueue(_Task(self._last_task, request, node), actions)
        if request.waiting == 0 and not request.answered:
            self._forget(request)
            asked = request.asked
            pieces = [piece for name in course.end for piece in results[name]]
            actions.append(Answer(asked.client, asked.number, pieces, len(course.inputs)))

    def _enqueue(self, task: _Task, actions: list[Action]) -> None:
        if task.request.answered:
            return
        reason = self._failed_nodes.get(task.node)
        if reason is not None:
            error = _unavailable(task.node, reason)
            self._fail(task.request, error, actions)
            return
        self._queues[task.node].append(task)
        self._serve(task.node, actions)

    def _serve(self, node: str, actions: list[Action]) -> None:
        """Give waiting tasks of a node to its workers, the least busy first."""
        queue = self._queues[node]
        if queue and node in self._failed_nodes:  # back from one that was to retire
            self._node_failed(NodeFailed(node, self._failed_nodes[node]), actions)
            return
        while queue:
            if queue[0].request.answered:
                queue.popleft()
                continue
            worker = self._least_busy(node)
            if worker is None:
                return
            task = queue.popleft()
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

    def _least_busy(self, node: str) -> _Worker | None:
        best: _Worker | None = None
        for worker in self._replicas[node]:
            if len(worker.tasks) >= worker.credits:
                continue
            if best is None or (len(worker.tasks), worker.last_used) < (
                len(best.tasks),
                best.last_used,
            ):
                best = worker
        return best

    def _take(self, worker: bytes, number: int) -> _Task | None:
        """The task that a worker reports; None for one that it does not have (a late reply)."""
        found = self._workers.get(worker)
        return found.tasks.pop(number, None) if found else None

    def _fail(self, request: _Request, error: ErrorInfo, actions: list[Action]) -> None:
        if request.answered:
            return
        self._forget(request)
        asked = request.asked
        actions.append(AnswerError(asked.client, asked.number, error))

    def _forget(self, request: _Request) -> None:
        """Strike a request off: it has its one answer now."""
        request.answered = True
        self.bytes_held -= request.bytes
        requests = self._clients.get(request.asked.client)
        if requests is not None:
            requests.pop(request.asked.number, None)
            if not requests:
                del self._clients[request.asked.client]


def _deadly(task: _Task, reason: str) -> ErrorInfo:
    alone = ", the last time with this Document alone" if task.stop - task.first == 1 else ""
    message = f"a worker died {task.attempts} times with this request begun{alone}; {reason}"
    return ErrorInfo("jina.excepts.WorkerDied", message, task.node)


def _unavailable(node: str, reason: str) -> ErrorInfo:
    return ErrorInfo("jina.excepts.ExecutorUnavailable", reason, node)
