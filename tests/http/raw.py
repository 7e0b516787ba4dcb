"""Bytes to a front and back, for what no HTTP client would send."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from tests.http.fronts import PATIENCE_S, Answer

JSON = "Content-Type: application/json\r\n"


class Wire:
    """A connection whose bytes are given one by one."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._read = b""

    def send(self, data: str | bytes) -> None:
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def answer(self, *, has_body: bool = True) -> Answer:
        """The next answer; one without a status if the connection has ended instead."""
        while b"\r\n\r\n" not in self._read:
            if not self._receive():
                return Answer(0, {}, self._read)
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        status = int(first.split()[1])
        headers = {
            name.lower(): value for name, _, value in (each.partition(": ") for each in lines)
        }
        if status == 100:
            return Answer(status, headers, b"")
        size = int(headers.get("content-length", 0)) if has_body else 0
        while len(self._read) < size and self._receive():
            pass
        body, self._read = self._read[:size], self._read[size:]
        return Answer(status, headers, body)

    def is_closed(self) -> bool:
        """Whether the other side closes, and says nothing more."""
        return not self._read and not self._receive()

    def _receive(self) -> bool:
        try:
            block = self.socket.recv(1 << 16)
        except ConnectionError:
            return False
        self._read += block
        return bool(block)


@contextlib.contextmanager
def wire(port: int, context: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Connect to a front."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as sock:
        if context is None:
            yield Wire(sock)
            return
        with context.wrap_socket(sock, server_hostname="localhost") as wrapped:
            yield Wire(wrapped)


def head(method: str = "GET", path: str = "/livez", headers: str = "", version: str = "1.1") -> str:
    return f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n{headers}\r\n"


def post(path: str, body: Any, headers: str = JSON) -> bytes:
    """A request with a body whose length is given."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head("POST", path, f"{headers}Content-Length: {len(data)}\r\n").encode() + data


def chunked(path: str, body: Any, trailer: str = "") -> bytes:
    """A request whose body comes in one chunk."""
    data = json.dumps(body).encode()
    start = head("POST", path, f"{JSON}Transfer-Encoding: chunked\r\n").encode()
    return start + b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(data), data, trailer.encode())
