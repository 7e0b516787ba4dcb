"""Where a request ends within the bytes of its connection, without reading what it says."""

from __future__ import annotations

_BLANK = b"\r\n\r\n"  # ends a head, and a body in chunks


class Bounds:
    """The bytes of one connection, in pieces that end where a request may end.

    A head and a body in chunks can only end at a blank line, so a parser that gets these pieces one
    by one never reads on into the next request.
    """

    def __init__(self) -> None:
        self.left = 0
        """Bytes of the body that are still to come, where its length is known."""
        self._tail = b""  # what came last, which may begin a blank line

    def end_in(self, data: bytes) -> int:
        """How many of the bytes that come next surely belong to the request.

        Args:
            data: not empty.

        Returns:
            from 1 to all of them.
        """
        if self.left:
            end = min(self.left, len(data))
            self.left -= end
            return end
        before = len(self._tail)
        if before and (at := (self._tail + data[:3]).find(_BLANK)) >= 0:
            self._tail = b""
            return at + len(_BLANK) - before
        if (at := data.find(_BLANK)) >= 0:
            self._tail = b""
            return at + len(_BLANK)
        self._tail = (self._tail + data[-3:])[-3:]
        return len(data)
