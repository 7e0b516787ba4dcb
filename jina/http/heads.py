"""Heads of requests that were let in before: the same bytes mean the same, so nothing reads them.

A client that keeps its connection sends one head again and again, but for the length of its body.
What was found out about it, that it may ask included, holds until something changes that was asked
for it: the API keys, or what the Flow serves.
"""

from __future__ import annotations

import msgspec

from jina.defaults import KIB

MOST_BYTES = 256 * KIB
"""Of a request, head and body, that is looked up; a larger one comes in pieces anyway."""
_MOST_HEAD_BYTES = 4 * KIB
_MOST_HEADS = 256
_BLANK = b"\r\n\r\n"
_LENGTHS = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")


class Known(msgspec.Struct, frozen=True):
    """What a head said.

    Attributes:
        url: the path and the query.
        method: such as b"POST".
        headers: their names in lower case.
        found: the same as a map.
        endpoint: of the Executors, "" where the body says it; None for a stream.
    """

    url: bytes
    method: bytes
    headers: list[tuple[bytes, bytes]]
    found: dict[bytes, bytes]
    endpoint: str | None


class Heads:
    """The heads that are known."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def find(self, data: bytes) -> tuple[Known, bytes] | None:
        """What is known of a request, and its body; None if it has to be read.

        Args:
            data: that came when no request was under way.
        """
        key, end = _parts(data)
        known = self._known.get(key)
        return None if known is None else (known, data[end:])

    def remember(self, data: bytes, known: Known) -> None:
        """Know a head from now on.

        Args:
            data: one request, whole.
            known: what its head said.
        """
        key, end = _parts(data)
        if not 0 < end <= _MOST_HEAD_BYTES:
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[key] = known

    def forget(self) -> None:
        """Something has changed: read all of them again."""
        self._known.clear()


def _parts(data: bytes) -> tuple[bytes, int]:
    """The head of a request without the length, and where it ends.

    Both are empty for what is not exactly one request with a body of known length.
    """
    if len(data) > MOST_BYTES:
        return b"", 0
    end = data.find(_BLANK)
    name = _LENGTHS[0]
    at = data.find(name, 0, end)
    if at < 0:
        name = _LENGTHS[1]
        at = data.find(name, 0, end)
    if at < 0:
        return b"", 0
    at += len(name)
    stop = data.find(b"\r", at)
    length = data[at:stop]
    end += len(_BLANK)
    if not length.isdigit() or len(length) > 9 or end + int(length) != len(data):
        return b"", 0
    return data[:at] + data[stop:end], end
