"""The clients that have said HELLO, the latest last: what each says of itself, and may have."""

from __future__ import annotations

from jina.defaults import MAX_GRANTED_REQUESTS, MAX_WINDOW_REQUESTS
from jina.wire.header import Header
from jina.wire.maps import Hello, unpack_map

_MAX_CLIENTS = 1000  # that are told that the Flow has stopped
_MAX_WHO = 200  # characters of what a client says of itself


class Clients(dict[bytes, str]):
    """Client -> what it says of itself, for the Flow's log.

    Args:
        is_first: no gateway before this one has greeted anybody.
    """

    def __init__(self, *, is_first: bool = True) -> None:
        super().__init__()
        self._windows: dict[bytes, int] = {}  # of those that have a larger one than usual
        # A client goes on with the window that an earlier gateway gave it, until it greets us.
        self._unknown = MAX_WINDOW_REQUESTS if is_first else MAX_GRANTED_REQUESTS

    def greet(self, client: bytes, header: Header) -> None:
        """Take a HELLO.

        Raises:
            WireError: what it says is damaged.
        """
        hello = unpack_map(Hello, header.call) if header.call else Hello()
        self.leave(client)
        self[client] = " ".join(hello.who[:_MAX_WHO].split())
        if hello.window > MAX_WINDOW_REQUESTS:
            self._windows[client] = min(hello.window, MAX_GRANTED_REQUESTS)
        for known in (self, self._windows):
            if len(known) > _MAX_CLIENTS:  # most of them have died without a word
                del known[next(iter(known))]

    def leave(self, client: bytes) -> None:
        """Forget a client."""
        self.pop(client, None)
        self._windows.pop(client, None)

    def window(self, client: bytes) -> int:
        """How many requests a client may have under way."""
        if client in self._windows:
            return self._windows[client]
        return MAX_WINDOW_REQUESTS if client in self else self._unknown
