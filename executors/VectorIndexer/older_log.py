"""Read the `log` in which earlier versions kept their Documents; it is converted once.

    magic  "JINALOG1"
    record  length of the payload, u32 | its crc32, u32 | crc32 of these eight bytes, u32 | payload
    record  …

All little-endian. A payload is MessagePack: [0, id, document, width, columns, values] keeps a
Document, [1, id] deletes one. An incomplete last record was never confirmed, and is left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgpack

from jina.excepts import ExecutorError

MAGIC = b"JINALOG1"
_HEADER = struct.Struct("<III")
_DELETE = 1


class OlderDocument(NamedTuple):
    """A Document of the log: its JSON without the embedding, and the vector's parts."""

    id: str
    document: str
    width: int
    columns: bytes | None
    values: bytes


def older_documents(path: Path) -> list[OlderDocument]:
    """Read the Documents that such a file keeps, in the order in which they were written last.

    Raises:
        ExecutorError: the file is damaged.
    """
    kept: dict[str, OlderDocument] = {}
    for payload in _payloads(path):
        operation, id_, *rest = msgpack.unpackb(payload)
        kept.pop(id_, None)
        if operation != _DELETE:
            kept[id_] = OlderDocument(id_, *rest)
    return list(kept.values())


def _payloads(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(len(MAGIC))
        if magic != MAGIC[: len(magic)]:
            raise _damage(path, 0)
        while (at := file.tell()) + _HEADER.size <= size:
            header = file.read(_HEADER.size)
            length, crc, header_crc = _HEADER.unpack(header)
            if zlib.crc32(header[:8]) != header_crc:
                if any(header) or any(file.read()):
                    raise _damage(path, at)
                return  # zeros: a power cut left the file longer than what was written
            payload = file.read(length)
            is_last = at + _HEADER.size + length >= size
            if len(payload) < length or (is_last and zlib.crc32(payload) != crc):
                return
            if zlib.crc32(payload) != crc:
                raise _damage(path, at)
            yield payload


def _damage(path: Path, offset: int) -> ExecutorError:
    return ExecutorError(
        f"the record at byte {offset} is damaged, and whole ones may follow it",
        where=str(path),
        hint="restore the file from a backup, or move it away and index again",
    )
