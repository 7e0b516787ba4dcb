"""The clients that a gateway knows, and the window that each one gets."""

from __future__ import annotations

import pytest

from jina.defaults import MAX_GRANTED_REQUESTS, MAX_WINDOW_REQUESTS
from jina.runtime.clients import Clients
from jina.wire import header as wire
from jina.wire.header import pack_message, unpack_message
from jina.wire.maps import Hello, pack_map


def greet(clients: Clients, name: bytes, who: str = "", window: int = 0) -> None:
    call = pack_map(Hello(who, window))
    clients.greet(name, unpack_message(pack_message(wire.HELLO, call=call)[0]))


@pytest.mark.parametrize(
    ("wanted", "granted"),
    [
        (0, MAX_WINDOW_REQUESTS),
        (1, MAX_WINDOW_REQUESTS),
        (-5, MAX_WINDOW_REQUESTS),
        (MAX_WINDOW_REQUESTS + 1, MAX_WINDOW_REQUESTS + 1),
        (1024, MAX_GRANTED_REQUESTS),
        (10**9, MAX_GRANTED_REQUESTS),
    ],
)
def test_a_client_gets_the_window_that_it_asks_for(wanted: int, granted: int) -> None:
    clients = Clients()
    greet(clients, b"c", window=wanted)
    assert clients.window(b"c") == granted


def test_the_last_greeting_counts() -> None:
    clients = Clients()
    greet(clients, b"c", window=500)
    greet(clients, b"c")
    assert clients.window(b"c") == MAX_WINDOW_REQUESTS


def test_whoever_an_earlier_gateway_may_have_greeted_goes_on_as_before() -> None:
    first, second = Clients(), Clients(is_first=False)
    assert first.window(b"c") == MAX_WINDOW_REQUESTS
    assert second.window(b"c") == MAX_GRANTED_REQUESTS
    greet(second, b"c")
    assert second.window(b"c") == MAX_WINDOW_REQUESTS


def test_many_clients_that_never_leave_are_forgotten_one_by_one() -> None:
    clients = Clients()
    greet(clients, b"front", "a front", window=1024)
    for number in range(1500):
        greet(clients, b"%d" % number)
    assert len(clients) == 1000
    assert clients.window(b"front") == 1024  # it is still there: those with a window are few
    clients.leave(b"front")
    assert clients.window(b"front") == MAX_WINDOW_REQUESTS
