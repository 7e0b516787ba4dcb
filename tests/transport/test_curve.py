"""Who is let in over an encrypted socket: real sockets on tcp, with and without keys."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from jina.transport import sockets
from jina.transport.curve import Credentials, Doorkeeper, with_own_key
from jina.transport.handshakes import LEFT, NO_KEY, OTHER_GATEWAY, STRANGE, Handshakes
from jina.transport.keys import AllowList, Key, make_key
from tests.polling import wait_until


class Gate(NamedTuple):
    """A router that lets in those whose keys lie in the folder."""

    folder: Path
    key: Key
    router: sockets.Socket
    doorkeeper: Doorkeeper
    handshakes: Handshakes
    tcp: str
    ipc: str

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port."""
        host, port = self.tcp.removeprefix("tcp://").split(":")
        return host, int(port)

    def news(self) -> list[str]:
        """What it has to say of those who were not let in."""
        assert self.hears() is None
        return [*self.doorkeeper.news, *self.handshakes.news]

    def hears(self) -> sockets.Message | None:
        self.doorkeeper.answer()
        self.handshakes.hear()
        if not self.router.poll(10):
            return None
        return sockets.receive(self.router, routed=True, is_known=True)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    key = make_key(tmp_path, "gateway", "gateway")
    context = sockets.open_context()
    router = sockets.open_router(context)
    ipc = sockets.bind(router, f"ipc://{tmp_path}/s")
    with_own_key(router, key)
    handshakes = Handshakes(router)
    tcp = sockets.bind(router, "tcp://127.0.0.1:*")
    keeper = Doorkeeper(context, AllowList(tmp_path))
    yield Gate(tmp_path, key, router, keeper, handshakes, tcp, ipc)
    sockets.close(context)


class Caller(NamedTuple):
    """A dealer that is not connected yet."""

    socket: sockets.Socket
    link: sockets.Link


@pytest.fixture
def caller() -> Iterator[Caller]:
    context = sockets.open_context()
    dealer = sockets.open_lasting_dealer(context, timeout_s=1)
    yield Caller(dealer, sockets.Link(dealer))
    sockets.close(context)


def shows(caller: Caller, gate: Gate) -> Key:
    """Make a key for the caller, which the gate lists, and let it show it."""
    folder = gate.folder / "own"
    own = make_key(folder, "laptop", "client")
    shutil.copy(folder / "laptop.pub", gate.folder)
    shutil.copy(gate.folder / "gateway.pub", folder)
    Credentials(str(folder)).show_on(caller.socket)
    return own


def test_a_listed_key_is_let_in_and_known(gate: Gate, caller: Caller) -> None:
    own = shows(caller, gate)
    sockets.connect(caller.socket, gate.tcp)
    sockets.send(caller.socket, [b"hello", b"x" * 100_000])
    message = wait_until(gate.hears)
    assert message.header == b"hello"
    assert gate.doorkeeper.key_of(message.user) == own._replace(secret=b"")


def test_a_local_socket_needs_no_key(gate: Gate, caller: Caller) -> None:
    sockets.connect(caller.socket, gate.ipc)
    sockets.send(caller.socket, [b"hello", b"x" * 100_000])
    message = wait_until(gate.hears)
    assert message.user == ""


@pytest.mark.parametrize(
    ("kind", "refusal", "told"),
    [
        ("not listed", "key", {"the key is not listed"}),
        # Who shows no key may leave before the gate has seen that there is none.
        ("no key", "mechanism", {NO_KEY, LEFT}),
        ("another gateway", "unknown", {OTHER_GATEWAY}),
    ],
)
def test_others_are_not_and_both_sides_say_why(
    gate: Gate, caller: Caller, tmp_path: Path, kind: str, refusal: str, told: set[str]
) -> None:
    if kind != "no key":
        shows(caller, gate)
    if kind == "not listed":
        (gate.folder / "laptop.pub").unlink()
    elif kind == "another gateway":
        (tmp_path / "own" / "gateway.pub").unlink()
        make_key(tmp_path / "own", "gateway", "gateway")
        Credentials(str(tmp_path / "own")).show_on(caller.socket)
    sockets.connect(caller.socket, gate.tcp)
    sockets.send(caller.socket, [b"hello"])
    wait_until(lambda: gate.news() and caller.link.refusal == refusal)
    assert not caller.link.is_up
    for line in gate.news():
        found = re.fullmatch(r"somebody(?: at 127\.0\.0\.1)? was not let in: (.*)", line)
        assert found, line
        assert found[1].partition(": ")[0] in told


def connected(gate: Gate) -> socket.socket:
    """A plain connection, which the gate knows of."""
    connection = socket.create_connection(gate.address)
    wait_until(lambda: gate.handshakes.socket.poll(0))
    assert gate.news() == []
    return connection


def test_a_plain_connection_is_told_with_its_address(gate: Gate) -> None:
    with connected(gate):
        pass
    wait_until(lambda: gate.news() == [f"somebody at 127.0.0.1 was not let in: {LEFT}"])


def test_what_is_no_handshake_is_told_as_such(gate: Gate) -> None:
    with connected(gate) as connection:
        curve = b"CURVE".ljust(20, b"\0") + bytes(32)
        connection.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + curve + b"\x04\x05\x04oops")
        wait_until(lambda: gate.news() == [f"somebody at 127.0.0.1 was not let in: {STRANGE}"])


def test_who_looks_for_open_ports_again_and_again_is_told_once(gate: Gate, caller: Caller) -> None:
    for number in range(300):
        with socket.create_connection(gate.address) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n" if number % 3 == 0 else b"")
    shows(caller, gate)
    sockets.connect(caller.socket, gate.tcp)
    sockets.send(caller.socket, [b"hello", b"x"])
    assert wait_until(gate.hears).header == b"hello"  # after all of those
    assert 1 <= len(gate.news()) <= 2  # with an address and without one
    assert {line.partition("let in: ")[2] for line in gate.news()} == {LEFT}


def test_who_fails_on_this_machine_is_not_told(gate: Gate) -> None:
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(gate.ipc.removeprefix("ipc://"))
    with socket.create_connection(gate.address):
        pass
    wait_until(gate.news)  # after all of those
    assert len(gate.news()) == 1


def test_a_key_that_is_removed_is_known_no_more(gate: Gate, caller: Caller) -> None:
    shows(caller, gate)
    sockets.connect(caller.socket, gate.tcp)
    sockets.send(caller.socket, [b"hello", b"x"])
    message = wait_until(gate.hears)
    assert gate.doorkeeper.key_of(message.user)
    (gate.folder / "laptop.pub").unlink()
    wait_until(lambda: gate.doorkeeper.key_of(message.user) is None)
