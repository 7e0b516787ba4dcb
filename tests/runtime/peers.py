"""A real gateway process, and real sockets that speak its protocol in place of its other ends.

The test plays the supervisor on the channel, workers on the back socket and clients on the front
one, and so decides who says what, and when.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jina.defaults import MAX_INFLIGHT_BYTES
from jina.graph.plan import PlannedNode
from jina.launch.child import Child, spawn_gateway
from jina.runtime import control
from jina.runtime.board import Board, create_board
from jina.transport import asking, sockets
from jina.wire import header as wire
from jina.wire.described import Described
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import DOCS, LINES, ErrorInfo, Part, Ready, Route, pack_map, unpack_map

_PATIENCE_S = 30.0


class Peer:
    """A socket of its own, connected to the gateway."""

    def __init__(self, context: sockets.Context, address: str, identity: str = "") -> None:
        self.socket = sockets.open_dealer(context, identity.encode())
        sockets.connect(self.socket, address)

    def send(self, message: Sequence[Any]) -> None:
        poller = sockets.Poller()
        poller.register(self.socket, sockets.POLLOUT)
        assert poller.poll(_PATIENCE_S * 1000), "the gateway does not take the connection"
        sockets.send(self.socket, message)

    def receive(self, *kinds: int) -> tuple[Header, list[bytes]]:
        """The next message, which must be of one of these kinds."""
        poller = sockets.Poller()
        poller.register(self.socket, sockets.POLLIN)
        assert poller.poll(_PATIENCE_S * 1000), "no message came"
        message = sockets.receive(self.socket, routed=False)
        header = unpack_message(message.header, message.frames)
        frames = [bytes(sockets.payload(frame)) for frame in header.frames]
        assert header.kind in kinds, (header, frames)
        return header, frames

    def close(self) -> None:
        self.socket.close(linger=0)

    def has_message(self) -> bool:
        poller = sockets.Poller()
        poller.register(self.socket, sockets.POLLIN)
        return bool(poller.poll(0))


class FakeClient(Peer):
    """A client."""

    def hello(self) -> Header:
        self.send(pack_message(wire.HELLO))
        return self.receive(wire.WELCOME)[0]

    def post(self, number: int, text: bytes = b"{}\n", rows: int = 1, **route: Any) -> None:
        parts = [Part(LINES, DOCS, 1, rows)]
        packed = pack_map(Route("/x", route.pop("targets", None), parts, **route))
        self.send(
            pack_message(
                wire.REQUEST, [text], number=number, rows=1, base=1, route=packed, call=b"call"
            )
        )

    def answer(self, number: int) -> bytes:
        header, frames = self.receive(wire.REPLY)
        assert header.number == number
        return b"".join(frames)

    def error(self, number: int, kind: int = wire.ERROR) -> str:
        header, frames = self.receive(kind)
        assert header.number == number
        error = unpack_map(ErrorInfo, frames[0])
        return f"{error.type}: {error.message}"


class FakeWorker(Peer):
    """A worker."""

    def ready(self, *endpoints: str, credits: int = 2, described: Described | None = None) -> None:
        ready = Ready(0, list(endpoints), credits, described=described)
        self.send(pack_message(wire.READY, call=pack_map(ready)))

    def task(self) -> tuple[int, bytes]:
        """The next task; what is taken back meanwhile has begun."""
        header, frames = self.receive(wire.REQUEST, wire.CANCEL)
        while header.kind == wire.CANCEL:
            header, frames = self.receive(wire.REQUEST, wire.CANCEL)
        return header.number, b"".join(frames)

    def reply(self, task: int, *frames: bytes) -> None:
        parts = [Part(LINES, DOCS, 1, 1) for _ in frames]
        route = pack_map(Route("", None, parts))
        self.send(pack_message(wire.REPLY, frames, number=task, route=route))


_P = TypeVar("_P", bound=Peer)


class GatewayUnderTest:
    """A gateway process and everything that talks to it.

    Args:
        directory: an empty folder that takes the place of the run directory.
        nodes: the graph.
        front: address for clients; "" for one in the folder.
        most_bytes: of requests, beyond which clients are not read from.
    """

    def __init__(
        self,
        directory: Path,
        nodes: list[PlannedNode],
        front: str = "",
        most_bytes: int = MAX_INFLIGHT_BYTES,
    ) -> None:
        self.directory = directory
        create_board(directory / "board")
        self.board = Board(directory / "board")
        self.context = sockets.open_context()
        self._back = f"ipc://{directory}/back.ipc"
        self._slots = 0
        self._printed: list[str] = []
        self._peers: list[Peer] = []
        ours, theirs = socket.socketpair()
        self.channel = control.Channel(ours, control.ToSupervisor)
        with theirs:
            self.process: Child = spawn_gateway(theirs)
        self.channel.send(
            control.Configure(
                flow="test",
                directory=str(directory),
                nodes=nodes,
                front=[front or f"ipc://{directory}/front.ipc"],
                back=self._back,
                board=str(directory / "board"),
                most_bytes=most_bytes,
            )
        )
        self._heard: list[object] = []
        self.front = self.hear(control.Listening).front[0]

    def hear(self, kind: type[Any]) -> Any:
        """The next message to the supervisor, which must be of this kind."""
        while True:
            if kind is not control.RequestFailed:  # told beside all else
                aside = control.RequestFailed
                self._heard = [each for each in self._heard if not isinstance(each, aside)]
            if self._heard:
                break
            # A supervisor reads both; a gateway whose output nobody reads comes to a stand.
            ready, _, _ = select.select([self.channel, self.process.output], [], [], _PATIENCE_S)
            if self.process.output in ready:
                self._printed += self.output()
            if self.channel in ready:
                self._heard += self.channel.receive()
            assert ready, f"no {kind.__name__} came"
            assert self.channel.is_open, "\n".join(self._printed[-30:])
        message = self._heard.pop(0)
        assert isinstance(message, kind), message
        return message

    def hear_last(self, kind: type[Any], repeated: type[Any] = control.Overdue) -> Any:
        """The next message of this kind, after any number of those that are repeated."""
        while isinstance(message := self.hear(object), repeated):
            pass
        assert isinstance(message, kind), message
        return message

    def worker(self, name: str, pid: int = 0, *, is_retiring: bool = False) -> FakeWorker:
        """A worker such as "a/0" that the gateway expects, connected, not ready yet."""
        self._slots += 1
        node, _, replica = name.rpartition("/")
        self.channel.send(
            control.Expect(
                identity=name,
                node=node,
                replica=int(replica[0]),
                slot=self._slots,
                is_running=is_retiring,
                is_retiring=is_retiring,
            )
        )
        if pid:
            self.channel.send(control.Started(identity=name, pid=pid))
        return self._known(FakeWorker(self.context, self._back, name))

    def ready(self, name: str, *endpoints: str, credits: int = 2) -> FakeWorker:
        """A worker that is ready."""
        worker = self.worker(name)
        worker.ready(*(endpoints or ("/x",)), credits=credits)
        self.hear(control.WorkerReady)
        return worker

    def client(self) -> FakeClient:
        return self._known(FakeClient(self.context, self.front))

    def asker(self) -> Peer:
        """Somebody who asks questions at any time."""
        return self._known(Peer(self.context, asking.address_in(str(self.directory))))

    def stranger(self) -> FakeWorker:
        """Somebody on the workers' side whom nobody expects."""
        return self._known(FakeWorker(self.context, self._back))

    def _known(self, peer: _P) -> _P:
        self._peers.append(peer)
        return peer

    def output(self) -> list[str]:
        """What the gateway printed so far."""
        return self.process.read_output() or []

    def assert_healthy(self, worker: FakeWorker) -> None:
        """A client that comes now is served, whatever others have sent before."""
        client = self.client()
        client.post(1, b"ping")
        while (task := worker.task())[1] != b"ping":
            worker.reply(task[0])
        worker.reply(task[0], b"pong")
        assert client.answer(1) == b"pong"

    def close(self) -> None:
        self.channel.close()
        for peer in self._peers:
            peer.close()
        sockets.close(self.context)
        self.board.close()
        left = self.process.wait(_PATIENCE_S)
        if not left:
            self.process.signal_group(signal.SIGKILL)
            self.process.wait(_PATIENCE_S)
        self.process.close()
        assert left, "the gateway outlives its supervisor"


@contextlib.contextmanager
def gateway_in(
    directory: Path,
    nodes: list[PlannedNode],
    front: str = "",
    most_bytes: int = MAX_INFLIGHT_BYTES,
) -> Iterator[GatewayUnderTest]:
    """A gateway; at the end it must be alive and leave by itself."""
    gateway = GatewayUnderTest(directory, nodes, front, most_bytes)
    try:
        yield gateway
        assert not gateway.process.has_ended(), gateway.output()
    finally:
        gateway.close()
