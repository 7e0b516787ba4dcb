"""The call maps of requests that are alike: encoded once, for all keys."""

from __future__ import annotations

from typing import NamedTuple, Self

from msgspec.structs import replace

from jina.client.requests import Request
from jina.readers import Chunk
from jina.wire.maps import DOCS, LINES, Call, Part, pack_map


class CallTemplate(NamedTuple):
    """A call without its key, from which the ids of lines without one are made."""

    call: Call
    before: bytes
    """What stands before the key, encoded."""
    behind: bytes
    size: int
    """Of the whole, in bytes."""

    @classmethod
    def of(cls, call: Call, key: str) -> Self:
        """Encode a call.

        Args:
            call: without a key.
            key: a new one, like those of the requests to come.

        Raises:
            WireError: a parameter cannot be carried.
        """
        packed = pack_map(replace(call, key=key))
        before, _, behind = packed.partition(key.encode())  # nothing else has a new key in it
        return cls(call, before, behind, len(packed))

    def request(self, lines: bytes, rows: int, key: str) -> Request:
        """A request of JSON lines.

        Args:
            lines: whole.
            rows: how many.
            key: of this request.
        """
        packed = b"%b%b%b" % (self.before, key.encode(), self.behind)
        chunk = Chunk([lines], rows, 1, self.call.source, key)
        return Request([Part(LINES, DOCS, 1, rows)], [lines], rows, 1, packed, chunk)
