"""WebSockets as bytes: recorded ones sent again, and what comes back taken apart."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from tests.http.fronts import PATIENCE_S

TEXT, BINARY, CLOSE = 1, 2, 8


class Frame(NamedTuple):
    """A message, or a control frame, unmasked and unpacked."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of a close frame."""
        return int(struct.unpack("!H", self.payload[:2])[0]) if self.payload else 0


def frames(data: bytes) -> Iterator[Frame]:
    """The frames behind the head of a handshake, as far as they are whole."""
    _, _, rest = data.partition(b"\r\n\r\n")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    while len(rest) > 1:
        first, size, place = rest[0], rest[1] & 127, 2
        if size > 125:
            place += 2 if size == 126 else 8
            size = int.from_bytes(rest[2:place], "big")
        if len(rest) < place + size:
            return
        payload, rest = rest[place : place + size], rest[place + size :]
        if first & 0x40:
            payload = unpacker.decompress(payload + b"\0\0\xff\xff")
        yield Frame(first & 15, payload)


def frame(opcode: int, payload: bytes, *, first: int = 0x80) -> bytes:
    """A frame as clients send it, masked with zeros."""
    size = len(payload)
    head = bytes([first | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += b"\xfe" + size.to_bytes(2, "big")
    else:
        head += b"\xff" + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def handshake(path: str = "/", *headers: str) -> bytes:
    """The head of a request to become a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: JpltOC8QXaoS7AZWydw3Aw==",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def replayed(port: int, sent: bytes) -> tuple[str, list[Frame]]:
    """Send a conversation; the head of the answer, and its frames until the connection is closed.

    Args:
        port: of the front, on this machine.
        sent: the request to become a WebSocket, and all frames but the last one, a close.
    """
    head, _, rest = sent.partition(b"\r\n\r\n")
    answer, found = b"", list[Frame]()
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(head + b"\r\n\r\n")
        try:
            while block := connection.recv(1 << 20):
                answer += block
                if rest and b"\r\n\r\n" in answer:
                    connection.sendall(rest)
                    rest = b""
                found = list(frames(answer))
                if found and found[-1].opcode == CLOSE:
                    connection.sendall(frame(CLOSE, found[-1].payload[:2]))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has said enough
    return answer.partition(b"\r\n\r\n")[0].decode(), found
