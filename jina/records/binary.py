"""Message frames in one piece, as `Document.binary_str` and binary files hold them.

"JDOC" · version u16 · frames u16 · CRC-32 of the rest u32 · lengths u64 each · frames …
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, calcsize, unpack_from
from zlib import crc32

from jina.defaults import MAX_FRAMES
from jina.excepts import WireError

Buffer = bytes | bytearray | memoryview

MAGIC = b"JDOC"
VERSION = 1
HEAD = Struct("<4sHHI")


def pack(frames: Sequence[Buffer]) -> bytes:
    """Return the frames as one byte string."""
    views = [memoryview(frame) for frame in frames]
    lengths = b"".join(view.nbytes.to_bytes(8, "little") for view in views)
    check = crc32(lengths)
    for view in views:
        check = crc32(view, check)
    return b"".join((HEAD.pack(MAGIC, VERSION, len(views), check), lengths, *views))


def unpack(data: Buffer) -> list[Buffer]:
    """Return the frames in a byte string, as views of it.

    Raises:
        WireError: the bytes are something else, or damaged.
    """
    view = memoryview(data).cast("B")
    if len(view) < HEAD.size:
        raise WireError(f"{len(view)} bytes are not packed Documents: the header is cut off")
    magic, version, count, check = HEAD.unpack_from(view)
    if magic != MAGIC or version != VERSION or not 0 < count <= MAX_FRAMES:
        raise WireError("these bytes are not packed Documents of version 1")
    start = HEAD.size + calcsize(f"<{count}Q")
    if start > len(view):
        raise WireError("packed Documents are cut off in their lengths")
    lengths = unpack_from(f"<{count}Q", view, HEAD.size)
    if start + sum(lengths) != len(view):
        raise WireError(f"packed Documents of {start + sum(lengths)} bytes come as {len(view)}")
    if crc32(view[HEAD.size :]) != check:
        raise WireError("packed Documents are damaged: the checksum does not match")
    frames: list[Buffer] = []
    for length in lengths:
        frames.append(view[start : start + length])
        start += length
    return frames
