"""Arguments of the Client of Jina 2 and 3."""

from __future__ import annotations

from typing import Any

import pytest

from jina import Client


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"port": 5}, "tcp://127.0.0.1:5"),
        ({"host": "h", "port": 5}, "tcp://h:5"),
        ({"host": "grpc://h:6"}, "tcp://h:6"),
        ({"host": "h:6", "port": 5}, "tcp://h:6"),
        ({"host": "tcp://[::1]:6"}, "tcp://[::1]:6"),
        ({"port": 5, "protocol": "grpc", "asyncio": False, "https": None}, "tcp://127.0.0.1:5"),
        ({"port": 5, "prefetch": 10, "proxy": True, "tracing": True}, "tcp://127.0.0.1:5"),
    ],
)
def test_what_has_a_meaning_or_none(given: dict[str, Any], address: str) -> None:
    assert Client(**given).address == address


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a Client needs an address, or a port"),
        ({"port": 5, "asyncio": True}, r"Client\(asyncio=True\) is not supported: use"),
        ({"port": 5, "protocol": "http"}, "a Flow has its own protocol"),
        ({"host": "ws://h:5"}, "a Flow has its own protocol"),
        ({"host": "http://h:5"}, "give the port of `jina flow up --port`, not that of HTTP"),
        ({"port": 5, "tls": True}, "keys encrypt connections here: `jina keys`"),
        ({"port": 5, "prot": 5}, "unexpected keyword argument 'prot'"),
    ],
)
def test_what_cannot_be_ignored_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Client(**given)
