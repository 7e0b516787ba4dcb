"""The header frame: a fixed prefix, then the route map, then the call map.

    offset  size  field
    0       2     magic, "J2"
    2       1     version of this layout
    3       1     kind of the message
    4       2     number of payload frames that follow this frame
    6       2     length of the route map
    8       8     number of the request (the client's towards it, the gateway's towards a worker)
    16      4     rows: Documents or lines in the request
    20      4     reserved, zero
    24      8     base: number of the request's first line in its source, from 1; 0 without lines
    32      …     route map, then call map

Little endian. Whoever routes reads the prefix and the route map only; the call map and the payload
are opaque to it, so a header is rewritten by concatenation.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from jina.defaults import MAX_CALL_BYTES, MAX_FRAMES, MAX_FRAMES_FROM_GATEWAY, MAX_ROUTE_BYTES
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
BYE = 8  #                          worker -> gateway, client -> gateway: I leave
STATUS = 9  #                       client -> gateway and back: how are the workers?
REFUSED = 10  #                     gateway -> client: this request is not taken, and why
KINDS = frozenset(range(HELLO, REFUSED + 1))


class Header(msgspec.Struct, frozen=True):
    """A header frame, taken apart. The two maps stay bytes until somebody needs them."""

    kind: int
    frames: int
    number: int
    rows: int
    base: int
    route: bytes
    call: bytes


def pack_header(
    kind: int,
    *,
    frames: int = 0,
    number: int = 0,
    rows: int = 0,
    base: int = 0,
    route: bytes = b"",
    call: bytes = b"",
    most_frames: int = MAX_FRAMES,
) -> bytes:
    """Build a header frame.

    Args:
        kind: of the message.
        frames: how many payload frames follow.
        number: of the request.
        rows: Documents or lines in it.
        base: number of its first line in its source.
        route: the route map, encoded.
        call: the call map, encoded.
        most_frames: that the other side takes.

    Raises:
        WireError: a map, the number of frames or that of rows is over its limit.
    """
    if len(route) > MAX_ROUTE_BYTES - 1 or len(call) > MAX_CALL_BYTES:
        name, size, limit = (
            ("parameters", len(call), MAX_CALL_BYTES)
            if len(call) > MAX_CALL_BYTES
            else ("route map", len(route), MAX_ROUTE_BYTES - 1)
        )
        raise WireError(
            f"the {name} of a request take {size} bytes, more than {limit}",
            hint="send large values as Documents instead",
        )
    if frames > most_frames:
        raise WireError(f"a message of {frames} frames, more than {most_frames}")
    if rows > _MAX_ROWS:
        raise WireError(f"a message of {rows} rows, more than {_MAX_ROWS}")
    return (
        _PREFIX.pack(MAGIC, VERSION, kind, frames, len(route), number, rows, 0, base) + route + call
    )


def unpack_header(frame: bytes) -> Header:
    """Take a header frame apart, checking everything that does not need the maps decoded.

    Raises:
        WireError: it is no header frame of this version.
    """
    if len(frame) < PREFIX_BYTES:
        raise WireError(f"a header of {len(frame)} bytes, shorter than {PREFIX_BYTES}")
    magic, version, kind, frames, routed, number, rows, _, base = _PREFIX.unpack_from(frame)
    if magic != MAGIC:
        raise WireError(f"a message that begins with {magic!r}, not {MAGIC!r}")
    if version != VERSION:
        raise WireError(
            f"a message of protocol version {version}, this is version {VERSION}",
            hint="use the same jina release on both sides",
        )
    if kind not in KINDS:
        raise WireError(f"a message of unknown kind {kind}")
    end = PREFIX_BYTES + routed
    if len(frame) < end:
        raise WireError("a header that ends within its route map")
    if frames > MAX_FRAMES_FROM_GATEWAY or len(frame) - end > MAX_CALL_BYTES:
        raise WireError("a header over its limits")
    return Header(kind, frames, number, rows, base, frame[PREFIX_BYTES:end], frame[end:])
