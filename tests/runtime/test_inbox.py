"""A CANCEL that the board counts and that is still on its way when a worker looks for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jina.runtime import inbox
from jina.runtime.board import Board, create_board
from jina.runtime.inbox import Inbox
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message
from jina.wire.maps import DOCS, LINES, Part, Route, pack_map

_SLOT = 3
_NAME = b"worker"


@dataclass
class Reading:
    """An inbox, and the gateway's end of its socket."""

    gateway: sockets.Socket
    board: Board
    inbox: Inbox
    taken_back: list[int]
    begun: list[Header] = field(default_factory=list)

    def request(self, number: int) -> None:
        route = pack_map(Route("/", None, [Part(LINES, DOCS, 1, 1)]))
        message = pack_message(wire.REQUEST, [b"{}\n"], number=number, rows=1, route=route)
        sockets.send(self.gateway, message, _NAME)

    def next(self) -> None:
        self.begun += self.inbox.next() or []


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    create_board(tmp_path / "board")
    board = Board(tmp_path / "board")
    context = sockets.open_context()
    try:
        gateway = sockets.open_router(context)
        address = sockets.bind(gateway, f"ipc://{tmp_path}/back.ipc")
        worker = sockets.open_dealer(context, _NAME)
        sockets.connect(worker, address)
        assert worker.poll(60_000, sockets.POLLOUT)
        sockets.send(worker, [b"here"])
        assert gateway.poll(60_000)
        sockets.receive(gateway, routed=True)
        taken_back: list[int] = []
        box = Inbox(worker, board, _SLOT, taken_back.append, lambda: None)
        yield Reading(gateway, board, box, taken_back)
    finally:
        sockets.close(context)
        board.close()


def test_it_is_waited_for(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_ON_ITS_WAY_S", 60.0)
    reading.board.cancel(_SLOT)
    reading.request(1)
    worker = threading.Thread(target=reading.next)
    worker.start()
    worker.join(0.1)  # time enough to begin what is not to be begun
    sockets.send(reading.gateway, pack_message(wire.CANCEL, number=1), _NAME)
    reading.request(2)
    worker.join()
    assert reading.taken_back == [1]
    assert [header.number for header in reading.begun] == [2]


def test_one_that_never_comes_is_waited_for_once(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_ON_ITS_WAY_S", 0.05)
    reading.board.cancel(_SLOT)
    reading.request(1)
    reading.next()
    monkeypatch.setattr(inbox, "_ON_ITS_WAY_S", 1e6)  # whoever waited again would wait for ever
    for number in (2, 3):
        reading.request(number)
        reading.next()
    assert [header.number for header in reading.begun] == [1, 2, 3]
    assert reading.taken_back == []
