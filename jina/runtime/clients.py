"""The clients that have said HELLO, the latest last, and what each says of itself."""

from __future__ import annotations

from jina.wire.header import Header
from jina.wire.maps import Hello, unpack_map

_MAX_CLIENTS = 1000  # that are told that the Flow has stopped
_MAX_WHO = 200  # characters of what a client says of itself


class Clients(dict[bytes, str]):
    """Client -> what it says of itself, for the Flow's log."""

    def greet(self, client: bytes, header: Header) -> None:
        """Take a HELLO.

        Raises:
            WireError: what it says is damaged.
        """
        who = unpack_map(Hello, header.call).who if header.call else ""
        self.pop(client, None)
        self[client] = " ".join(who[:_MAX_WHO].split())
        if len(self) > _MAX_CLIENTS:  # most of them have died without a word
            del self[next(iter(self))]
