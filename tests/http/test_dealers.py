"""Connections of the event loop to a gateway: both kinds do the same, with real ROUTERs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from jina.http.dealers import Dealer, LocalDealer, RemoteDealer, dealer_to
from jina.transport import sockets
from jina.transport.sockets import Context, Message, NothingCame

_PATIENCE_S = 30
LARGE = bytes(range(256)) * 8_000  # two megabytes


class Router:
    """A gateway's socket, in the loop of the test."""

    def __init__(self, context: Context, address: str) -> None:
        self.socket = sockets.open_router(context)
        self.address = sockets.bind(self.socket, address)

    async def next(self) -> Message:
        message: Message = await until(self._receive)
        return message

    def _receive(self) -> Message | None:
        try:
            return sockets.receive(self.socket, routed=True)
        except NothingCame:
            return None

    def send(self, peer: bytes, *frames: bytes) -> None:
        sockets.send(self.socket, frames, peer)

    def close(self) -> None:
        self.socket.close(linger=0)


class Peer:
    """A dealer, and what it has heard."""

    def __init__(self, address: str, context: Context) -> None:
        self.heard: list[list[bytes]] = []
        self.changes = 0
        self.times_caught_up = 0
        self.dealer: Dealer = dealer_to(
            address, "", context, self._hear, self._change, self._catch_up
        )

    def _hear(self, header: bytes, frames: Sequence[Any]) -> None:
        self.heard.append([header, *(bytes(sockets.payload(frame)) for frame in frames)])

    def _change(self) -> None:
        self.changes += 1

    def _catch_up(self) -> None:
        self.times_caught_up += 1

    def say(self, *frames: bytes) -> None:
        self.dealer.send(frames)
        self.dealer.flush()


async def until(condition: Callable[[], Any]) -> Any:
    """The condition's first true value, while the loop turns."""
    async with asyncio.timeout(_PATIENCE_S):
        while not (value := condition()):
            await asyncio.sleep(0.001)
    return value


@pytest.fixture
def context() -> Iterator[Context]:
    found = sockets.open_context()
    yield found
    sockets.close(found)


@pytest.fixture(params=["ipc", "tcp"])
def address(request: pytest.FixtureRequest, runtime_dir: Path) -> str:
    if request.param == "ipc":
        return f"ipc://{runtime_dir}/front"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"


Story = Callable[[Peer], Awaitable[None]]


def play(story: Story, address: str, context: Context) -> None:
    """Run a story with a dealer that is opened before it and closed behind it, as all sockets."""

    async def run() -> None:
        peer = Peer(address, context)
        peer.dealer.open(asyncio.get_running_loop())
        try:
            await story(peer)
        finally:
            peer.dealer.close([b"bye"])

    try:
        asyncio.run(run())
    finally:
        sockets.close(context)


def test_which_kind_it_is(context: Context, tmp_path: Path) -> None:
    here = Peer(f"ipc://{tmp_path}/front", context)
    there = Peer("tcp://127.0.0.1:5555", context)
    assert (type(here.dealer), type(there.dealer)) == (LocalDealer, RemoteDealer)
    sockets.close(context)


def test_messages_go_both_ways_in_order(address: str, context: Context) -> None:
    router = Router(context, address)

    async def story(peer: Peer) -> None:
        await until(lambda: peer.dealer.is_up)
        for number in range(20):
            peer.dealer.send([b"%d" % number, b"", LARGE if number % 10 == 5 else b"small"])
        peer.dealer.flush()
        for number in range(20):
            message = await router.next()
            frames = [bytes(sockets.payload(frame)) for frame in message.frames]
            assert [message.header, *frames][:2] == [b"%d" % number, b""]
            assert frames[1] == (LARGE if number % 10 == 5 else b"small")
            router.send(message.peer, b"re %d" % number, *frames)
        await until(lambda: len(peer.heard) == 20)
        assert [frames[0] for frames in peer.heard] == [b"re %d" % number for number in range(20)]
        assert peer.heard[5] == [b"re 5", b"", LARGE]

    play(story, address, context)


def test_it_connects_again_to_whoever_comes_next(address: str, context: Context) -> None:
    async def story(peer: Peer) -> None:
        for life in range(1, 4):  # nobody is there at first
            router = Router(context, address)
            await until(lambda: peer.dealer.is_up)
            peer.say(b"hello %d" % life)
            assert (await router.next()).header == b"hello %d" % life
            router.close()
            await until(lambda: not peer.dealer.is_up)
            assert peer.changes == 2 * life

    play(story, address, context)


def test_the_last_message_arrives(address: str, context: Context) -> None:
    router = Router(context, address)

    async def story(peer: Peer) -> None:
        await until(lambda: peer.dealer.is_up)
        peer.dealer.close([b"bye"])
        assert (await router.next()).header == b"bye"

    play(story, address, context)


def test_it_tells_when_the_gateway_does_not_read(address: str, context: Context) -> None:
    router = Router(context, address)  # whose queue has an end

    async def story(peer: Peer) -> None:
        await until(lambda: peer.dealer.is_up)
        sent = 0
        while not peer.dealer.is_behind:
            peer.say(b"large", LARGE)
            sent += 1
            await asyncio.sleep(0)
            assert sent < 10_000
        for _ in range(sent):
            message = await router.next()
            assert message.header == b"large"
        router.send(message.peer, b"done")
        await until(lambda: peer.times_caught_up)
        assert not peer.dealer.is_behind
        await until(lambda: peer.heard == [[b"done"]])

    play(story, address, context)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n".ljust(64)])
def test_somebody_who_does_not_speak_the_protocol_is_left(
    answer: bytes, runtime_dir: Path, context: Context
) -> None:
    """It is asked again and again, and who comes in its place is taken."""
    path = f"{runtime_dir}/front"

    async def story(peer: Peer) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        for _ in range(2):
            other, _ = await asyncio.wait_for(loop.sock_accept(listener), _PATIENCE_S)
            if answer:
                await loop.sock_sendall(other, answer)
                while await asyncio.wait_for(loop.sock_recv(other, 4096), _PATIENCE_S):
                    pass  # until the dealer has hung up
            other.close()
        assert not peer.dealer.is_up
        listener.close()
        Path(path).unlink()
        router = Router(context, f"ipc://{path}")
        await until(lambda: peer.dealer.is_up)
        assert peer.changes == 1
        router.close()

    play(story, f"ipc://{path}", context)
