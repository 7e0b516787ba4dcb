"""The gateway process: a poll loop around the router.

One ROUTER for clients, one for workers, one channel to the supervisor. It reads prefixes and route
maps, never a body; it decides nothing, the router does.

    python -m jina.runtime.gateway CHANNEL_FD
"""

from __future__ import annotations

import gc
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

from jina.excepts import JinaError, WireError
from jina.runtime import control
from jina.runtime.abandoned import end_abandoned
from jina.runtime.agents import Agents
from jina.runtime.answers import Answers
from jina.runtime.back_door import BackDoor
from jina.runtime.board import Board
from jina.runtime.clients import Clients
from jina.runtime.facts import Look
from jina.runtime.failures import Failures
from jina.runtime.front_door import FrontDoor
from jina.runtime.garbage import Garbage
from jina.runtime.guard import Guard
from jina.runtime.known_workers import KnownWorker, Unasked
from jina.runtime.looking import seen
from jina.runtime.messages import (
    answer_message,
    error_message,
    raised,
    refusal_message,
    replied,
    submitted,
    task_message,
    unheard,
)
from jina.runtime.owners import Here, Owner
from jina.runtime.router import Router
from jina.runtime.steps import (
    Action,
    Answer,
    AnswerError,
    Cancelled,
    ClientLeft,
    Dispatch,
    Draining,
    Expired,
    Lost,
    NodeFailed,
    Overdue,
    Raised,
    Refuse,
    Retire,
    Retired,
    StartTimer,
    TakeBack,
    Unheard,
)
from jina.runtime.timers import Timers
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import (
    SHUT_OUT,
    STOPPING,
    ErrorInfo,
    Ready,
    Welcome,
    pack_map,
    unpack_map,
)

_MAX_STRANGERS = 1000  # peers that are remembered although they are none of ours
_MAX_HEARD = 10_000  # messages that are read before a death is handled, at most
_ASK_MS = 20  # between attempts to reach a worker of an earlier gateway
_POLL_MS = 1000  # only to check deadlines; every event wakes the loop at once


class Gateway:
    """One Flow's gateway.

    Args:
        channel: to the supervisor.
        configure: the supervisor's first message.
    """

    def __init__(self, channel: control.Channel, configure: control.Configure) -> None:
        self._channel = channel
        self._flow = configure.flow
        self._directory = configure.directory
        self._mark = configure.mark
        self._most_bytes = configure.most_bytes
        self._router = Router(
            configure.nodes, endpoints=configure.endpoints, first_task=configure.first_task
        )
        self._board = Board(configure.board)
        self._here = Here(channel, self._board)
        self._clients = Clients(is_first=not configure.endpoints)
        self._failures = Failures(channel.send, self._clients)
        self._workers: dict[bytes, KnownWorker] = {}
        self._answers = Answers(configure, self._router, self._workers)
        self._timers = Timers(self._router.awaits)
        self._early: dict[bytes, Ready] = {}  # of workers that the supervisor has not announced
        self._garbage = Garbage()
        self._unasked = Unasked()
        self._requests_done = 0
        self._drain_deadline: float | None = None
        self._is_drained = False
        self._context = sockets.open_context()
        self._guard = Guard(self._context, configure.keys, configure.placed_keys)
        self._door = FrontDoor(self._context, configure, self._guard, self._told)
        self._back_door = BackDoor(self._context, configure.back, configure.workers, self._guard)
        self._front, self._back = self._door.socket, self._back_door.socket
        self._agents = Agents(configure, self._back, self._workers, channel.send, self)
        self._poller = sockets.Poller()

    def run(self) -> None:
        """Serve until the supervisor's end of the channel closes."""
        poller, front, back = self._poller, self._front, self._back
        poller.register(self._channel.fileno(), sockets.POLLIN)
        poller.register(back, sockets.POLLIN)
        self._door.open(poller)
        self._poll_front()
        fronts, workers = self._door.addresses, self._back_door.address
        self._channel.send(control.Listening(front=fronts, workers=workers))
        gc.freeze()
        # The channel closes at the moment the supervisor dies, whatever killed it.
        while self._channel.is_open:
            while self._channel.has_waiting:
                self._obey(self._channel.receive(), self._here)
            for source, _ in poller.poll(
                self._timers.wait_ms(_ASK_MS if self._unasked else _POLL_MS)
            ):
                if source is back:
                    self._on_back()
                elif source is front:
                    self._on_front()
                elif not self._door.answer(source):
                    self._obey(self._channel.receive(), self._here)
            for timer in self._timers.expired():
                self._hear_out()  # what is done in time counts, though it was not read yet
                self._do(self._router.step(Expired(timer)))
            if self._unasked:
                self._unasked.ask(self._back)
            self._agents.keep_time()
            if self._failures.left_out:
                self._failures.tell_left_out()
            if self._drain_deadline is not None:
                self._go_on_draining()
        if not self._is_drained:
            groups = [each.pid for each in self._workers.values() if each.owner.is_here]
            end_abandoned(groups, self._mark, self._directory)

    def close(self) -> None:
        """Close the sockets; after a drain, give clients time to take their last answers."""
        if self._is_drained:
            others = [each for each in self._workers.values() if not each.owner.is_here]
            self._back_door.close(each.identity for each in others)
        self._door.end(self._context, is_drained=self._is_drained)
        self._board.close()

    # --- the supervisor, and agents ---

    def _obey(self, messages: Sequence[object], owner: Owner) -> None:
        for message in messages:
            if isinstance(message, control.Expect):
                worker = KnownWorker(message, owner)
                self._workers[worker.identity] = worker
                early = self._early.pop(worker.identity, None)
                if early is not None:
                    self._worker_ready(worker, early)
                elif message.is_running:
                    self._unasked.add(worker.identity)
            elif isinstance(message, control.Started):
                self._workers[message.identity.encode()].pid = message.pid
            elif isinstance(message, control.Retire):
                worker = self._workers[message.identity.encode()]
                worker.is_retiring = True
                self._do(self._router.step(Retire(worker.identity)))
            elif isinstance(message, control.Died):
                self._worker_died(message)
            elif isinstance(message, control.GaveUp):
                self._do(self._router.step(NodeFailed(message.node, message.reason, message.shard)))
            elif isinstance(message, Look):
                parts = (self._router, self._workers, self._failures)
                counts = (self._requests_done, len(self._clients))
                self._channel.send(seen(message.number, *parts, *counts))
            elif isinstance(message, control.Restarted):
                self._answers.restarted(message)
            elif isinstance(message, control.Drain):
                self._drain_deadline = time.monotonic() + message.grace_s
                self._do(self._router.step(Draining()))

    def _worker_died(self, message: control.Died) -> None:
        worker = self._workers.get(message.identity.encode())
        if worker is None:
            return
        self._hear_out()
        begun = worker.owner.begun(message.identity, worker.slot, message)
        self._lost(Lost(worker.identity, begun, message.reason))

    def obey_owner(self, owner: Owner, message: Any) -> None:
        """Do what an agent says of its workers."""
        self._obey([message], owner)

    def lose(self, worker: KnownWorker, reason: str) -> None:
        """A worker on another machine is lost; nobody knows what it had begun."""
        self._lost(Lost(worker.identity, 0, reason, is_unsure=True))

    def _lost(self, lost: Lost) -> None:
        self._unasked.discard(lost.worker)
        if self._workers.pop(lost.worker, None) is not None:
            self._do(self._router.step(lost))

    def _hear_out(self) -> None:
        """Read the replies that are here already: what was finished is not done again."""
        for _ in range(_MAX_HEARD):
            if not self._back.poll(0):
                return
            self._on_back()

    def _go_on_draining(self) -> None:
        """Once every request has its answer, or the grace is over, tell the workers to close."""
        if self._is_drained or (
            self._router.requests_held and time.monotonic() < (self._drain_deadline or 0.0)
        ):
            return
        self._is_drained = True
        # Before any worker can end: so the supervisor knows that it was told to.
        self._channel.send(control.Drained(given_up=self._router.requests_held))
        for worker in self._workers.values():
            if worker.is_ready:
                self._let_close(worker)
        self._agents.end()
        for client in list(self._clients):
            self._say_bye(client)

    def _say_bye(self, client: bytes) -> None:
        """Tell a client that it has the answers to all that was taken, and gets no others."""
        if not self._router.held(client):
            self._send_front(pack_message(wire.BYE), client)

    def _retired(self, worker: KnownWorker) -> None:
        worker.owner.send(control.Retired(identity=worker.identity.decode()))
        self._let_close(worker)

    def _let_close(self, worker: KnownWorker) -> None:
        sockets.send_if_connected(self._back, pack_message(wire.DRAIN), worker.identity)

    # --- the workers ---

    def _on_back(self) -> None:
        peer = b""
        try:
            message = self._back_door.receive()
            peer = message.peer
            if why := self._back_door.why_not(message):
                self._agents.shut_out(peer, why)
                return
            header = unpack_message(message.header, message.frames)
            worker = self._workers.get(peer)
            if worker is None:
                if header.kind == wire.AGENT:
                    self._agents.hear(peer, header)
                elif header.kind == wire.READY and len(self._early) < _MAX_STRANGERS:
                    self._early[peer] = unpack_map(Ready, header.call)
                return  # not announced yet, given up, or a stranger
            if header.kind == wire.REPLY:
                reply = replied(peer, header)
                if self._failures.is_waiting:
                    self._failures.replied(header.number, reply.pieces)
                self._do(self._router.step(reply))
            elif header.kind == wire.ERROR:
                self._do(self._router.step(raised(peer, header)))
            elif header.kind == wire.READY:
                self._worker_ready(worker, unpack_map(Ready, header.call))
        except sockets.NothingCame:
            return  # `_hear_out` has read it
        except WireError as error:
            self._garbage.tell(peer, f"a worker's message was dropped: {error}")

    def _worker_ready(self, worker: KnownWorker, ready: Ready) -> None:
        if worker.is_ready:
            return
        worker.is_ready = True
        self._unasked.discard(worker.identity)
        self._answers.is_described(worker.node, ready.described)
        if worker.is_retiring:  # it came to an earlier gateway; it finishes before it reads this
            self._retired(worker)
            return
        self._do(self._router.step(worker.joined(ready)))
        worker.owner.send(told := worker.told(ready))
        if not worker.owner.is_here:
            self._agents.worker_ready(worker, told)
        if self._is_drained:  # an earlier gateway's, back after the others were told to close
            self._let_close(worker)

    # --- the clients ---

    def _poll_front(self) -> None:
        """Listen to clients once the endpoints are known and while there is room for requests."""
        wanted = self._router.is_complete and self._router.bytes_held < self._most_bytes
        self._door.listen(self._poller, wanted)

    def _on_front(self) -> None:
        peer, number = b"", 0
        try:
            message = self._door.receive()
            peer = message.peer
            header = unpack_message(message.header, message.frames)
            number = header.number
            if why := self._door.why_not(message):
                self._send_front(refusal_message(number, why, SHUT_OUT), peer)
                return
            if header.kind == wire.REQUEST:
                self._submit(peer, header)
            elif header.kind == wire.HELLO:
                self._clients.greet(peer, header)
                self._welcome(peer, number)
            elif header.kind in (wire.STATUS, wire.DESCRIBE):
                self._send_front(pack_message(header.kind, [self._told(header.kind)]), peer)
            elif header.kind == wire.CANCEL:
                self._do(self._router.step(Cancelled(peer, number)))
            elif header.kind == wire.BYE:
                self._client_left(peer)
        except WireError as error:
            if peer:
                self._send_front(refusal_message(number, str(error)), peer)
            else:
                self._garbage.tell(peer, f"a client's message was dropped: {error}")

    def _submit(self, peer: bytes, header: Header) -> None:
        if self._drain_deadline is not None:
            refusal = refusal_message(header.number, "the Flow is stopping", STOPPING)
            self._send_front(refusal, peer)
            return
        self._do(self._router.step(submitted(peer, header, self._clients.window(peer))))

    def _welcome(self, peer: bytes, number: int) -> None:
        window, held = self._clients.window(peer), self._router.held(peer)
        welcome = Welcome(self._flow, self._router.endpoints, window, held)
        self._send_front(pack_message(wire.WELCOME, number=number, call=pack_map(welcome)), peer)
        if self._is_drained:
            self._say_bye(peer)

    def _send_front(self, message: list[Any], peer: bytes) -> None:
        if not sockets.send_if_connected(self._front, message, peer):
            self._client_left(peer)

    def _client_left(self, peer: bytes) -> None:
        self._clients.leave(peer)
        self._do(self._router.step(ClientLeft(peer)))

    def _told(self, kind: int) -> bytes:
        if kind == wire.DESCRIBE:
            return self._answers.description()
        draining, failed = self._drain_deadline is not None, self._failures.total.count
        return self._answers.status(draining, self._requests_done, failed)

    # --- what the router wants done ---

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Dispatch):
                self._dispatch(action)
            elif isinstance(action, Answer):
                self._requests_done += 1
                if action.way is not None:
                    self._failures.take(action)
                self._answer(action)
            elif isinstance(action, AnswerError):
                self._requests_done += 1
                self._failures.take(action)
                self._send_front(error_message(action), action.client)
            elif isinstance(action, Refuse):
                self._send_front(refusal_message(action.number, action.reason), action.client)
            elif isinstance(action, TakeBack):
                self._take_back(action)
            elif isinstance(action, Overdue):
                worker = self._workers[action.worker]
                worker.owner.overdue(action, worker.slot)
            elif isinstance(action, StartTimer):
                self._timers.start(action.timer, action.seconds)
            elif isinstance(action, Unheard):
                self._failures.take(action)
                print(unheard(action), file=sys.stderr, flush=True)
            elif isinstance(action, Retired):
                self._retired(self._workers[action.worker])
        if not self._door.is_listening or self._router.bytes_held >= self._most_bytes:
            self._poll_front()

    def _dispatch(self, task: Dispatch) -> None:
        if task.blame is not None:
            self._failures.blame(task)
        try:
            message = task_message(task, is_here=self._workers[task.worker].owner.is_here)
        except WireError as error:  # branches that fit a message each need not fit one together
            node = self._workers[task.worker].node
            info = ErrorInfo("jina.excepts.WireError", str(error), node)
            self._do(self._router.step(Raised(task.worker, task.task, info)))
            return
        # A worker that cannot be reached is dying, or has closed its connection and is to die: its
        # death, told by the supervisor, brings the task back.
        if not sockets.send_if_connected(self._back, message, task.worker):
            told = control.Unreachable(identity=task.worker.decode())
            self._workers[task.worker].owner.send(told)

    def _take_back(self, action: TakeBack) -> None:
        message = pack_message(wire.CANCEL, number=action.task)
        if sockets.send_if_connected(self._back, message, action.worker):
            worker = self._workers[action.worker]
            worker.owner.taken_back(action.worker.decode(), worker.slot)

    def _answer(self, answer: Answer) -> None:
        try:
            message = answer_message(answer)
        except WireError as error:
            message = refusal_message(answer.number, f"the response is too large: {error}")
        self._send_front(message, answer.client)


def main(arguments: Sequence[str]) -> int:
    """Run a gateway for the supervisor that started this process."""
    # The supervisor owns the signals; without it the channel closes, and that ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel = control.Channel(socket.socket(fileno=int(arguments[0])), control.ToGateway)
    try:
        configure = channel.wait_for(control.Configure)
        gateway = Gateway(channel, configure)
        gateway.run()
        gateway.close()
    except JinaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        channel.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
