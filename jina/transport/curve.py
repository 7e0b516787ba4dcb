"""Encryption: sockets with keys, and the one who decides at a gateway who is let in.

CURVE encrypts and shows each side that the other has its secret key. Whom a gateway lets in, ZeroMQ
asks over a socket of its own (ZAP, RFC 27); the gateway's poll loop answers, no thread does.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import zmq
from zmq.utils import z85

from jina.transport.keys import CLIENT, WORKER, AllowList, Key, gateway_key, own_key

if TYPE_CHECKING:
    from jina.transport.sockets import Context, Socket

_ZAP = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_KEY_BYTES = 32
_MOST_STRANGERS = 100  # keys that are told; it is others who make them


class Doorkeeper:
    """Lets those in whose keys are listed, and knows who sent a message.

    Args:
        context: of the sockets; it must outlive this, and have no other doorkeeper.
        allowed: whom to let in.
    """

    def __init__(self, context: Context, allowed: AllowList) -> None:
        self.socket = context.socket(zmq.REP)
        """To poll: when something has come, call `answer`."""
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind(_ZAP)
        self._allowed = allowed
        self._strangers: set[bytes] = set()
        self.news: list[str] = []
        """Who was not let in, once for each key; whoever reads it clears it."""

    def answer(self) -> None:
        """Answer all questions that have come."""
        with contextlib.suppress(zmq.Again):
            while True:
                self._answer(self.socket.recv_multipart(zmq.NOBLOCK))

    def _answer(self, question: list[bytes]) -> None:
        version, number, *_ = [*question, b"", b""]
        key = None
        if version == _VERSION and len(question) == 7 and question[5] == b"CURVE":
            key = self._allowed.of(z85.encode(question[6]))
        if key is None:
            self._refuse(*question[3:4], *question[6:7])
            reply = [_VERSION, number, b"400", b"this key is not listed", b"", b""]
        else:
            # Its public key in hexadecimal is what its messages are known by.
            reply = [_VERSION, number, b"200", b"", question[6].hex().encode(), b""]
        self.socket.send_multipart(reply)

    def _refuse(self, address: bytes = b"", key: bytes = b"") -> None:
        if key in self._strangers or len(self._strangers) == _MOST_STRANGERS:
            return
        self._strangers.add(key)
        shown = z85.encode(key).decode() if len(key) == _KEY_BYTES else "none"
        where = address.decode("ascii", "replace")
        self.news.append(f"somebody at {where} was not let in: the key is not listed: {shown}")
        if len(self._strangers) == _MOST_STRANGERS:
            self.news.append("other keys that are not listed are not shown any more")

    def key_of(self, user: str) -> Key | None:
        """The key of whoever has sent a message; None if it is not listed any more.

        Args:
            user: of a `sockets.Message`.
        """
        return self._allowed.of(z85.encode(bytes.fromhex(user)))


class Credentials:
    """What a client or a worker shows to a gateway, and expects of it.

    Args:
        folder: with one key of its own, and the public key of the gateway.

    Raises:
        BadKeys: there are none, or several, or they cannot be used.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._own = own_key(Path(folder), CLIENT, WORKER)
        self._gateway = gateway_key(Path(folder))

    @property
    def name(self) -> str:
        """Of its own key."""
        return self._own.name

    def show_on(self, socket: Socket) -> None:
        """Let a socket that connects from now on show the key, and accept only that gateway."""
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self._own.public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._own.secret)
        socket.setsockopt(zmq.CURVE_SERVERKEY, self._gateway.public)


def with_own_key(socket: Socket, own: Key) -> None:
    """Let a socket that binds from now on talk only to those who show a key."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, own.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, own.secret)
