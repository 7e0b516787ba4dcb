"""Who is let in over an encrypted socket: real sockets on tcp, with and without keys."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from jina.transport import sockets
from jina.transport.curve import Credentials, Doorkeeper, with_own_key
from jina.transport.keys import AllowList, Key, make_key
from tests.polling import wait_until


class Gate(NamedTuple):
    """A router that lets in those whose keys lie in the folder."""

    folder: Path
    key: Key
    router: sockets.Socket
    doorkeeper: Doorkeeper
    tcp: str
    ipc: str

    def hears(self) -> sockets.Message | None:
        self.doorkeeper.answer()
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
    tcp = sockets.bind(router, "tcp://127.0.0.1:*")
    keeper = Doorkeeper(context, AllowList(tmp_path))
    yield Gate(tmp_path, key, router, keeper, tcp, ipc)
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


@pytest.mark.parametrize("kind", ["not listed", "no key", "another gateway"])
def test_others_are_not(gate: Gate, caller: Caller, tmp_path: Path, kind: str) -> None:
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

    def refusal() -> str:
        assert gate.hears() is None
        return caller.link.refusal

    expected = {"not listed": "key", "no key": "mechanism", "another gateway": "unknown"}
    wait_until(lambda: refusal() == expected[kind])
    assert not caller.link.is_up


def test_a_key_that_is_removed_is_known_no_more(gate: Gate, caller: Caller) -> None:
    shows(caller, gate)
    sockets.connect(caller.socket, gate.tcp)
    sockets.send(caller.socket, [b"hello", b"x"])
    message = wait_until(gate.hears)
    assert gate.doorkeeper.key_of(message.user)
    (gate.folder / "laptop.pub").unlink()
    wait_until(lambda: gate.doorkeeper.key_of(message.user) is None)
