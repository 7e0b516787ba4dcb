"""Messages over real sockets: whole, in order, refused rather than dropped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.defaults import MAX_FRAME_BYTES, MAX_FRAMES
from jina.excepts import ConnectError, WireError
from jina.transport import sockets
from jina.transport.sockets import Message, Socket
from tests.polling import wait_until
from tests.silence import ends, silence

_PATIENCE_S = 30


class Pair:
    """A ROUTER and a DEALER that found each other.

    Args:
        address: where to listen.
    """

    def __init__(self, address: str) -> None:
        self.context = sockets.open_context()
        self.router = sockets.open_router(self.context)
        self.dealer = sockets.open_dealer(self.context, b"dealer")
        self.bound = sockets.bind(self.router, address)
        sockets.connect(self.dealer, self.bound)
        await_room(self.dealer)
        sockets.send(self.dealer, [b"hello"])
        assert arrived(self.router, routed=True) == Message(b"dealer", b"hello", [])

    def close(self) -> None:
        sockets.close(self.context)


@pytest.fixture(params=["ipc", "tcp"])
def pair(request: pytest.FixtureRequest, runtime_dir: Path) -> Iterator[Pair]:
    ipc = request.param == "ipc"
    pair = Pair(f"ipc://{runtime_dir}/socket" if ipc else "tcp://127.0.0.1:*")
    yield pair
    pair.close()


def await_room(socket: Socket) -> None:
    poller = sockets.Poller()
    poller.register(socket, sockets.POLLOUT)
    assert poller.poll(_PATIENCE_S * 1000)


def arrived(socket: Socket, *, routed: bool) -> Message:
    poller = sockets.Poller()
    poller.register(socket, sockets.POLLIN)
    assert poller.poll(_PATIENCE_S * 1000), "nothing came"
    return sockets.receive(socket, routed=routed)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b""],
        [b"small", bytearray(b"mutable"), memoryview(b"view")],
        [os.urandom(64 * 1024 - 1), os.urandom(64 * 1024), os.urandom(1_000_000)],
        [b"x"] * MAX_FRAMES,
    ],
    ids=["none", "empty", "kinds", "large", "many"],
)
def test_a_message_goes_there_and_back(pair: Pair, frames: list[bytes]) -> None:
    sockets.send(pair.dealer, [b"header", *frames])
    message = arrived(pair.router, routed=True)
    assert (message.peer, message.header) == (b"dealer", b"header")
    assert [bytes(sockets.payload(frame)) for frame in message.frames] == list(map(bytes, frames))
    sockets.send(pair.router, [b"back", *message.frames], message.peer)
    back = arrived(pair.dealer, routed=False)
    assert (back.peer, back.header) == (b"", b"back")
    assert [bytes(sockets.payload(frame)) for frame in back.frames] == list(map(bytes, frames))


def test_messages_keep_their_order(pair: Pair) -> None:
    for number in range(1000):
        sockets.send(pair.dealer, [b"%d" % number, *[b"x"] * (number % 3)])
    for number in range(1000):
        message = arrived(pair.router, routed=True)
        assert (message.header, len(message.frames)) == (b"%d" % number, number % 3)


def test_large_payloads_are_not_copied_and_small_ones_are(pair: Pair) -> None:
    sockets.send(pair.dealer, [b"", b"s" * (64 * 1024 - 1), b"l" * (64 * 1024)])
    small, large = map(sockets.payload, arrived(pair.router, routed=True).frames)
    assert isinstance(small, bytes)
    assert isinstance(large, memoryview)
    assert sockets.payload(b"sent by nobody") == b"sent by nobody"
    assert isinstance(sockets.payload(bytearray(b"x")), memoryview)


def test_a_message_of_too_many_frames_is_dropped_and_the_next_one_is_whole(pair: Pair) -> None:
    sockets.send(pair.dealer, [b"bad", *[b"x"] * (MAX_FRAMES + 1)])
    sockets.send(pair.dealer, [b"good", b"y"])
    with pytest.raises(WireError, match="a message of more than 64 frames"):
        arrived(pair.router, routed=True)
    message = arrived(pair.router, routed=True)
    assert (message.header, len(message.frames)) == (b"good", 1)


def test_a_router_refuses_what_it_cannot_deliver(pair: Pair) -> None:
    with pytest.raises(sockets.PeerGone):
        sockets.send(pair.router, [b"header"], peer=b"nobody")
    sockets.send(pair.router, [b"header", b"frame"], peer=b"dealer")  # whole, after the refusal
    assert arrived(pair.dealer, routed=False).header == b"header"


def test_a_router_refuses_once_a_peer_has_left(pair: Pair) -> None:
    pair.dealer.close(linger=0)

    def is_refused() -> bool:
        try:
            sockets.send(pair.router, [b"header"], peer=b"dealer")
        except sockets.PeerGone:
            return True
        return False

    wait_until(is_refused)


def test_a_dealer_refuses_while_nobody_listens(runtime_dir: Path) -> None:
    context = sockets.open_context()
    dealer = sockets.open_dealer(context)
    sockets.connect(dealer, f"ipc://{runtime_dir}/nobody")
    with pytest.raises(sockets.PeerGone):
        sockets.send(dealer, [b"header"])
    sockets.close(context)


def test_a_dealer_finds_a_router_that_comes_later(runtime_dir: Path) -> None:
    context = sockets.open_context()
    dealer = sockets.open_dealer(context)
    sockets.connect(dealer, f"ipc://{runtime_dir}/later")
    router = sockets.open_router(context)
    sockets.bind(router, f"ipc://{runtime_dir}/later")
    await_room(dealer)
    sockets.send(dealer, [b"header"])
    assert arrived(router, routed=True).header == b"header"
    sockets.close(context)


def test_a_frame_over_the_limit_is_not_sent(pair: Pair) -> None:
    with pytest.raises(WireError) as caught:
        sockets.send(pair.dealer, [b"too large", b"small", bytes(MAX_FRAME_BYTES + 1)])
    assert str(caught.value) == (
        "67,108,865 bytes are too many for one message, which holds 67,108,864\n"
        "help: have fewer Documents in a request, or keep large content in a file and its path in "
        "`uri`"
    )
    sockets.send(pair.dealer, [b"next"])  # whole: nothing of the other one was sent
    assert arrived(pair.router, routed=True) == Message(b"dealer", b"next", [])


def test_a_frame_over_the_limit_costs_who_sends_it_the_connection_only(pair: Pair) -> None:
    pair.dealer.send(bytes(MAX_FRAME_BYTES + 1))  # past our own check
    other = sockets.open_dealer(pair.context, b"other")
    sockets.connect(other, pair.bound)
    await_room(other)
    sockets.send(other, [b"unharmed"])
    assert arrived(pair.router, routed=True) == Message(b"other", b"unharmed", [])
    other.close(linger=0)


@pytest.fixture
def context() -> Iterator[sockets.Context]:
    context = sockets.open_context()
    yield context
    sockets.close(context)


def test_the_address_that_was_bound_names_its_port(context: sockets.Context) -> None:
    first, second = sockets.open_router(context), sockets.open_router(context)
    port = sockets.bind(first, "tcp://127.0.0.1:*").rpartition(":")[2]
    assert 0 < int(port) < 65536
    with pytest.raises(ConnectError) as caught:
        sockets.bind(second, f"tcp://127.0.0.1:{port}")
    assert str(caught.value) == (
        f"tcp://127.0.0.1:{port}: cannot listen there: Address already in use\n"
        "help: choose another --port, or stop the program that uses it"
    )
    sockets.close(context)  # while both are there


@pytest.mark.parametrize("address", ["", "somewhere", "tcp://", "tcp://x:port"])
def test_what_is_no_address_says_so(context: sockets.Context, address: str) -> None:
    dealer = sockets.open_dealer(context)
    with pytest.raises(ConnectError, match=r"not an address\nhelp: ") as caught:
        sockets.connect(dealer, address)
    assert "addresses look like ipc:///" in caught.value.hint
    dealer.close()


@pytest.mark.parametrize("address", ["http://localhost:8101", "https://x", "WS://x:1"])
def test_the_address_of_http_is_none_of_a_flow(context: sockets.Context, address: str) -> None:
    dealer = sockets.open_dealer(context)
    with pytest.raises(ConnectError, match="this is where HTTP is served") as caught:
        sockets.connect(dealer, address)
    assert "--flow NAME" in caught.value.hint
    dealer.close()


def test_last_words_leave_before_the_socket_does(pair: Pair) -> None:
    for _ in range(100):
        sockets.send(pair.dealer, [b"word", bytes(10_000)])
    sockets.send(pair.dealer, [b"bye"])
    sockets.wait_until_sent(pair.dealer, _PATIENCE_S)
    headers = [arrived(pair.router, routed=True).header for _ in range(101)]
    assert headers[-1] == b"bye"


def test_closing_waits_for_nobody(runtime_dir: Path) -> None:
    context = sockets.open_context()
    dealer = sockets.open_dealer(context)
    sockets.connect(dealer, f"ipc://{runtime_dir}/nobody")
    sockets.wait_until_sent(dealer, 0.01)
    sockets.close(context)
    sockets.close(context)  # twice is no error


class Lasting:
    """A client's socket and its link, and the ROUTERs that it finds one after another.

    Args:
        address: where the first one listens.
    """

    def __init__(self, address: str) -> None:
        self.context, self._far = sockets.open_context(), sockets.open_context()
        self.router = sockets.open_router(self._far)
        self.bound = sockets.bind(self.router, address)
        self.dealer = sockets.open_lasting_dealer(self.context, timeout_s=_PATIENCE_S)
        self.link = sockets.Link(self.dealer)
        assert not self.link.is_up
        sockets.connect(self.dealer, self.bound)
        self.await_peer()

    def await_peer(self) -> None:
        wait_until(lambda: self.link.is_up)

    def lose(self) -> None:
        """Let the router leave once it has said what it was to say."""
        sockets.wait_until_sent(self.router, _PATIENCE_S)
        sockets.close(self._far)
        wait_until(lambda: not self.link.is_up)

    def return_(self) -> None:
        """Let another router listen in its place."""
        self._far = sockets.open_context()
        self.router = sockets.open_router(self._far)
        sockets.bind(self.router, self.bound)

    def close(self) -> None:
        sockets.close(self.context)
        sockets.close(self._far)


@pytest.fixture(params=["ipc", "tcp"])
def lasting(request: pytest.FixtureRequest, runtime_dir: Path) -> Iterator[Lasting]:
    ipc = request.param == "ipc"
    lasting = Lasting(f"ipc://{runtime_dir}/lasting" if ipc else "tcp://127.0.0.1:*")
    yield lasting
    lasting.close()


def test_what_had_come_before_a_break_is_received_after_it(lasting: Lasting) -> None:
    sockets.send(lasting.dealer, [b"hello"])
    peer = arrived(lasting.router, routed=True).peer
    for number in range(100):
        sockets.send(lasting.router, [b"%d" % number, bytes(10_000)], peer)
    lasting.lose()
    for number in range(100):
        assert arrived(lasting.dealer, routed=False).header == b"%d" % number
    assert not lasting.dealer.poll(0)


def test_what_is_sent_during_a_break_reaches_the_next_peer(lasting: Lasting) -> None:
    lasting.lose()
    sockets.send(lasting.dealer, [b"early"])
    lasting.return_()
    lasting.await_peer()
    sockets.send(lasting.dealer, [b"late"])
    assert [arrived(lasting.router, routed=True).header for _ in range(2)] == [b"early", b"late"]


def test_a_link_tells_of_each_change_and_waits_for_it(lasting: Lasting) -> None:
    for _ in range(3):
        lasting.lose()
        lasting.return_()
        lasting.link.wait(_PATIENCE_S)
        lasting.await_peer()


def test_waiting_for_a_link_ends(lasting: Lasting) -> None:
    lasting.link.wait(0.01)
    assert lasting.link.is_up


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "TCP_PROBE_S", 1)
    monkeypatch.setattr(sockets, "TCP_SILENCE_S", 2)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("owed", [False, True], ids=["at rest", "owed"])
def test_who_vanished_without_a_word_is_let_go(context: sockets.Context, owed: bool) -> None:
    """Whether something was on its way or not; both ends notice, and meet again if they can."""
    router, dealer = sockets.open_router(context), sockets.open_dealer(context)
    bound = sockets.bind(router, "tcp://127.0.0.1:*")
    sockets.connect(dealer, bound)
    await_room(dealer)
    sockets.send(dealer, [b"hello"])
    peer = arrived(router, routed=True).peer
    before = ends(bound)
    assert len(before) == silence(bound) == 2
    if owed:
        sockets.send(router, [b"never heard"], peer)
        sockets.send(dealer, [b"never heard"])
    wait_until(lambda: not {*before} & {*ends(bound)})
    wait_until(lambda: not sockets.send_if_connected(router, [b"lost"], peer))
    await_room(dealer)
    sockets.send(dealer, [b"again"])
    again = arrived(router, routed=True)
    assert (again.header, again.peer == peer) == (b"again", False)
    sockets.close(context)  # while both are there


def test_both_ends_of_a_tcp_connection_ask_for_each_other(context: sockets.Context) -> None:
    router, dealer = sockets.open_router(context), sockets.open_dealer(context)
    bound = sockets.bind(router, "tcp://127.0.0.1:*")
    sockets.connect(dealer, bound)
    await_room(dealer)
    wait_until(lambda: [*ends(bound).values()] == [True, True])
    sockets.close(context)  # while both are there
