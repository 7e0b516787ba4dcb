"""A message: a header frame, and payload frames behind it unless it holds the payload itself.

    offset  size  field
    0       2     magic, "J2"
    2       1     version of this layout
    3       1     kind of the message
    4       2     number of payload frames that follow this frame
    6       2     length of the route map
    8       8     number of the request (the client's towards it, the gateway's towards a worker)
    16      4     rows: Documents or lines in the request
    20      4     inline: bytes of the payload frame inside this frame; 0 for none
    24      8     base: number of the request's first line in its source, from 1; 0 without lines
    32      …     route map, call map, payload frame

Little endian. Routers read the prefix and the route map only; the call map and the payload
are opaque to it, so a header is rewritten by concatenation.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any

import msgspec

from jina.defaults import MAX_CALL_BYTES, MAX_FRAMES, MAX_INLINE_BYTES, MAX_ROUTE_BYTES
from jina.excepts import WireError

VERSION = 1
MAGIC = b"J2"
_PREFIX = Struct("<2sBBHHQIIQ")
PREFIX_BYTES = _PREFIX.size
_MAX_ROWS = 2**32 - 1

# Kinds of message.                 from -> to
HELLO = 1  #                        client -> gateway: who are you?
WELCOME = 2  #                      gateway -> client: name, endpoints, window
REQUEST = 3  #                      client -> gateway -> worker
REPLY = 4  #                        worker -> gateway -> client
ERROR = 5  #                        worker -> gateway -> client: the request failed as a whole
READY = 6  #                        worker -> gateway: I am up; and back: are you?
DRAIN = 7  #                        gateway -> worker: close your Executor and leave
BYE = 8  #                          worker -> gateway <-> client: I leave
STATUS = 9  #                       client -> gateway and back: how are the workers?
REFUSED = 10  #                     gateway -> client: this request is not taken, and why
CANCEL = 11  #                      client -> gateway: nobody waits for this request any more
DESCRIBE = 12  #                    client -> gateway and back: what do the Executors serve?
AGENT = 13  #                       agent <-> gateway: what becomes of workers on another machine
KINDS = frozenset(range(HELLO, AGENT + 1))


class Header(msgspec.Struct, frozen=True):
    """A message, taken apart. The two maps stay bytes until somebody needs them."""

    kind: int
    number: int
    rows: int
    base: int
    route: bytes
    call: bytes
    frames: Sequence[Any] = ()


def pack_message(
    kind: int,
    frames: Sequence[Any] = (),
    *,
    number: int = 0,
    rows: int = 0,
    base: int = 0,
    route: bytes = b"",
    call: bytes = b"",
    most_frames: int = MAX_FRAMES,
) -> list[Any]:
    """Build a message: the header frame, and the payload frames behind it.

    A single small payload frame is inside the header frame: where a message is small, each
    frame costs as much as all its bytes.

    Args:
        kind: of the message.
        frames: the payload.
        number: of the request.
        rows: Documents or lines in it.
        base: number of its first line in its source.
        route: the route map, encoded.
        call: the call map, encoded.
        most_frames: as many as the other side accepts.

    Raises:
        WireError: a map, the number of frames or that of rows is over its limit.
    """
    routed = len(route)
    if routed > MAX_ROUTE_BYTES - 1 or len(call) > MAX_CALL_BYTES:
        name, size, limit = (
            ("parameters", len(call), MAX_CALL_BYTES)
            if len(call) > MAX_CALL_BYTES
            else ("route map", routed, MAX_ROUTE_BYTES - 1)
        )
        raise WireError(
            f"the {name} of a request take {size} bytes, more than {limit}",
            hint="send large values as Documents instead",
        )
    count = len(frames)
    if count > most_frames:
        raise WireError(f"a message of {count} frames, more than {most_frames}")
    if rows > _MAX_ROWS:
        raise WireError(f"a message of {rows} rows, more than {_MAX_ROWS}")
    if count == 1 and 0 < (size := len(frames[0])) <= MAX_INLINE_BYTES:
        prefix = _PREFIX.pack(MAGIC, VERSION, kind, 0, routed, number, rows, size, base)
        return [b"".join((prefix, route, call, frames[0]))]
    return [
        _PREFIX.pack(MAGIC, VERSION, kind, count, routed, number, rows, 0, base) + route + call,
        *frames,
    ]


def unpack_message(frame: bytes, frames: Sequence[Any] = ()) -> Header:
    """Take a message apart, checking everything that does not need the maps decoded.

    Args:
        frame: the header frame.
        frames: that came behind it.

    Raises:
        WireError: it is not a message of this version.
    """
    if len(frame) < PREFIX_BYTES:
        raise WireError(f"a header of {len(frame)} bytes, shorter than {PREFIX_BYTES}")
    magic, version, kind, count, routed, number, rows, inline, base = _PREFIX.unpack_from(frame)
    if magic != MAGIC:
        raise WireError(f"a message that begins with {magic!r}, not {MAGIC!r}")
    if version != VERSION:
        raise WireError(
            f"a message of protocol version {version}, this is version {VERSION}",
            hint="use the same jina version on both sides",
        )
    if kind not in KINDS:
        raise WireError(f"a message of unknown kind {kind}")
    if count != len(frames):
        raise WireError(f"a message of {len(frames)} frames, its header names {count}")
    end = PREFIX_BYTES + routed
    stop = len(frame) - inline
    if stop < end:
        raise WireError("a header that ends within its route map or its payload")
    if stop - end > MAX_CALL_BYTES or inline > MAX_INLINE_BYTES:
        raise WireError("a header over its limits")
    if inline:
        if count:
            raise WireError("a message with a payload both in its header and behind it")
        frames = (frame[stop:],)
    return Header(kind, number, rows, base, frame[PREFIX_BYTES:end], frame[end:stop], frames)
