"""Connections to a gateway that fail before any key is looked up, as its sockets tell them.

Who shows a key that is not listed is known by that key, see `curve`. Others are only known by where
they call from. What is no ZeroMQ at all, such as HTTP, ZeroMQ drops without saying so.
"""

from __future__ import annotations

import contextlib
import os
import socket

import zmq

from jina.transport.sockets import NothingCame, Socket, next_event, open_monitor

_WATCHED = (
    zmq.EVENT_ACCEPTED
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_DISCONNECTED
)
_MOST_TOLD = 100  # addresses for each failure; it is others who make them

NO_KEY = "no key was shown. Use --keys DIR there; `jina keys new` makes a key"
OTHER_GATEWAY = (
    "another gateway's key is expected there. "
    "Copy the .pub file of this gateway into that folder of keys"
)
LEFT = (
    "the connection ended before any key was shown. Either no --keys were given there, "
    "or it was a program that only checks whether the port is open"
)
STRANGE = "what came is nothing that jina sends"
_MEANING: dict[int, str] = {
    zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: NO_KEY,
    zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: OTHER_GATEWAY,
}


class Handshakes:
    """Tells of the connections to a socket that are not let in, once for each address and reason.

    Args:
        watched: a socket that asks for keys, and has no monitor yet.
    """

    def __init__(self, watched: Socket) -> None:
        self.socket = open_monitor(watched, _WATCHED)
        """To poll: when something has come, call `hear`."""
        self._addresses: dict[int, str] = {}  # of connections, by their descriptors
        self._failure = ""  # of the connection that is about to be closed
        self._told: dict[str, set[str]] = {}  # addresses, by the failure
        self.news: list[str] = []
        """What failed; whoever reads it clears it."""

    def hear(self) -> None:
        """Read all that has happened."""
        fresh: set[int] = set()
        with contextlib.suppress(NothingCame):
            while True:
                kind, value, address = next_event(self.socket)
                if address.startswith(b"tcp:"):  # a local socket asks for no key
                    self._happened(kind, value, fresh)

    def _happened(self, kind: int, value: int, fresh: set[int]) -> None:
        if kind == zmq.EVENT_ACCEPTED:
            self._addresses[value] = _address_of(value)
            fresh.add(value)
        elif kind == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
            self._failure = _MEANING.get(value, STRANGE)
        elif kind == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            self._failure = LEFT
        elif kind == zmq.EVENT_DISCONNECTED:  # it follows its failure at once
            address = self._addresses.pop(value, "")
            # What was closed before it was looked up may have the address of another by then.
            self._fail("" if value in fresh else address)

    def _fail(self, address: str) -> None:
        failure, self._failure = self._failure, ""
        if not failure:
            return
        told = self._told.setdefault(failure, set())
        if address in told or len(told) == _MOST_TOLD:
            return
        told.add(address)
        where = f" at {address}" if address else ""
        more = "; others are not shown any more" if len(told) == _MOST_TOLD else ""
        self.news.append(f"somebody{where} was not let in: {failure}{more}")


def _address_of(descriptor: int) -> str:
    """Where the other end of a connection is; "" if that is not known any more."""
    try:
        copy = os.dup(descriptor)
    except OSError:
        return ""
    try:
        connection = socket.socket(fileno=copy)
    except OSError:  # it is something else by now
        os.close(copy)
        return ""
    with connection:
        try:
            peer = connection.getpeername()
        except OSError:
            return ""
    return str(peer[0]) if isinstance(peer, tuple) else ""
