"""ZeroMQ's protocol on the wire (ZMTP 3.0), as far as a DEALER without keys speaks it.

libzmq does its input and output in a thread of its own: two wake-ups and some ten system calls for
each message and direction, where an event loop that already waits for hundreds of connections
needs one `read` and one `write`. This is for such a loop; it opens no socket itself. Specification:
https://rfc.zeromq.org/spec/23/
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any

from jina.defaults import MAX_FRAME_BYTES, MAX_FRAMES_FROM_GATEWAY
from jina.excepts import WireError

_MORE, _LONG, _COMMAND = 1, 2, 4  # flags, the first byte of a frame
_ENDS_AT = 255  # bytes, the most whose number fits into one
_LONG_HEAD = Struct(">BQ")

_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
_MECHANISM = b"NULL".ljust(20, b"\0")
GREETING = _SIGNATURE + b"\x03\x00" + _MECHANISM + bytes(32)
"""What both sides say first: the version, and that there are no keys."""


def _property(name: bytes, value: bytes) -> bytes:
    return bytes((len(name),)) + name + len(value).to_bytes(4, "big") + value


_READY_BODY = b"\x05READY" + _property(b"Socket-Type", b"DEALER") + _property(b"Identity", b"")
READY = bytes((_COMMAND, len(_READY_BODY))) + _READY_BODY
"""What a DEALER says once it has the greeting."""


def check_greeting(greeting: bytes) -> None:
    """Refuse whoever does not speak this protocol.

    Args:
        greeting: of the other side, as long as ours.

    Raises:
        WireError: it is not one, or it asks for keys.
    """
    is_zmtp = greeting[0] == 0xFF and greeting[9] & 1 == 1
    if not is_zmtp or greeting[10] < 3:
        raise WireError("the other side does not speak ZMTP 3")
    if greeting[12:32] != _MECHANISM:
        raise WireError("the other side asks for keys")


def packed(message: Sequence[Any]) -> list[Any]:
    """A message as it is written: the heads of its frames, and the frames, which are not copied.

    Args:
        message: frames of bytes, or views of them.

    Raises:
        WireError: a frame is over the limit.
    """
    pieces: list[Any] = []
    left = len(message)
    for frame in message:
        left -= 1
        size = len(frame)
        flags = _MORE if left else 0
        if size <= _ENDS_AT:
            pieces.append(bytes((flags, size)))
        elif size <= MAX_FRAME_BYTES:
            pieces.append(_LONG_HEAD.pack(flags | _LONG, size))
        else:
            raise too_large(size)
        pieces.append(frame)
    return pieces


def too_large(size_bytes: int) -> WireError:
    """The error about a frame that is not sent, because of its size."""
    return WireError(
        f"{size_bytes:,} bytes are too many for one message, which holds {MAX_FRAME_BYTES:,}",
        hint="have fewer Documents in a request, or keep large content in a file and its path in "
        "`uri`",
    )


class Frames:
    """Finds the messages in what comes after the greeting."""

    def __init__(self) -> None:
        self.is_ready = False
        """The other side has said READY."""
        self._rest = bytearray()  # of a frame that is not whole
        self._wanted = 0  # bytes of that frame, as far as is known
        self._message: list[bytes] = []  # frames of one that is not whole

    def feed(self, data: bytes) -> list[list[bytes]]:
        """The messages that are whole now.

        Args:
            data: what has come.

        Raises:
            WireError: it is not of this protocol, or over a limit; the connection is of no use.
        """
        messages: list[list[bytes]] = []
        at, end = 0, len(data)
        while at < end:
            if self._rest:
                at = self._complete(data, at, messages)
                continue
            start, stop = _bounds(data, at, end)
            if stop > end:
                self._rest += data[at:]
                self._wanted = stop - at
                break
            self._take(data[at], data[start:stop], messages)
            at = stop
        return messages

    def _complete(self, data: bytes, at: int, messages: list[list[bytes]]) -> int:
        """Go on with the frame that is not whole; returns where what is behind it begins."""
        rest = self._rest
        stop = at + self._wanted - len(rest)
        rest += data[at:stop]
        if len(rest) >= self._wanted:
            start, self._wanted = _bounds(rest, 0, len(rest))
            if len(rest) >= self._wanted:
                self._rest = bytearray()
                self._take(rest[0], bytes(memoryview(rest)[start:]), messages)
        return stop

    def _take(self, flags: int, frame: bytes, messages: list[list[bytes]]) -> None:
        if flags > (_MORE | _LONG):
            self._take_command(flags, frame)
            return
        if not self.is_ready:
            raise WireError("a message before READY")
        self._message.append(frame)
        if not flags & _MORE:
            messages.append(self._message)
            self._message = []
        elif len(self._message) > MAX_FRAMES_FROM_GATEWAY:
            raise WireError(f"a message of more than {MAX_FRAMES_FROM_GATEWAY} frames")

    def _take_command(self, flags: int, frame: bytes) -> None:
        if flags & ~(_COMMAND | _LONG):
            raise WireError(f"a frame with the flags {flags:#x}")
        if frame.startswith(b"\x05READY"):
            self.is_ready = True
        elif frame.startswith(b"\x05ERROR"):
            raise WireError(f"the other side refuses: {frame[7:].decode('ascii', 'replace')}")


def _bounds(data: bytes | bytearray, at: int, end: int) -> tuple[int, int]:
    """Where the frame that begins at a place has its contents; beyond `end` if it is not whole."""
    if at + 2 > end:
        return at, at + 2
    if not data[at] & _LONG:
        start = at + 2
        return start, start + data[at + 1]
    start = at + _LONG_HEAD.size
    if start > end:
        return start, start
    _, size = _LONG_HEAD.unpack_from(data, at)
    if size > MAX_FRAME_BYTES:
        raise WireError(f"a frame of {size} bytes, more than {MAX_FRAME_BYTES}")
    return start, start + size
