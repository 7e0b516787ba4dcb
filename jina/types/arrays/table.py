"""The table of an array on disk: where each row lies in the log.

    "JDATAB01" · generation u64 · entry …
    entry      offset u64 · length u64 · hash of the id u64 · CRC-32 of the three u32 · zero u32

The generation names the log that the entries point into. Entries are added at the end or replaced
in place; any other change writes a new table beside the old one, which then takes its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from jina.excepts import DocumentError

MAGIC = b"JDATAB01"
_HEAD = Struct("<8sQ")
_ENTRY = Struct("<QQQII")
_AT_ONCE = 4096  # entries read in one go


class Entry(NamedTuple):
    """Where one row lies, and a hash of its id."""

    offset: int
    length: int
    id_hash: int


class Table:
    """The entries of the table by position; opening it takes the same time for any number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            _write(path, 0, ())
        self.descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        head = os.pread(self.descriptor, _HEAD.size, 0)
        if len(head) < _HEAD.size or not head.startswith(MAGIC):
            os.close(self.descriptor)
            raise DocumentError("this is not a table of Documents", where=f"{path}: byte 0")
        self.generation: int = _HEAD.unpack(head)[1]
        # An entry that is cut off belongs to a row whose append never returned.
        self.count = (os.fstat(self.descriptor).st_size - _HEAD.size) // _ENTRY.size

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def __getitem__(self, position: int) -> Entry:
        for entry in self.between(position, position + 1):
            return entry
        where = f"{self.path}: byte {_HEAD.size + position * _ENTRY.size}"
        raise DocumentError("the table ends before this entry", where=where)

    def between(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield the entries of a range of positions.

        Raises:
            DocumentError: a damaged entry; its offset is named.
        """
        while start < stop:
            count = min(stop - start, _AT_ONCE)
            at = _HEAD.size + start * _ENTRY.size
            data = os.pread(self.descriptor, count * _ENTRY.size, at)
            for number, (*fields, check, _) in enumerate(_ENTRY.iter_unpack(data)):
                if _check(*fields) != check:
                    where = f"{self.path}: byte {at + number * _ENTRY.size}"
                    raise DocumentError("a damaged entry", where=where)
                yield Entry(*fields)
            start += count

    def __iter__(self) -> Iterator[Entry]:
        return self.between(0, self.count)

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        data = b"".join(map(_packed, entries))
        write_at(self.descriptor, data, _HEAD.size + self.count * _ENTRY.size)
        self.count += len(data) // _ENTRY.size

    def replace(self, position: int, entry: Entry) -> None:
        """Put another entry at a position."""
        write_at(self.descriptor, _packed(entry), _HEAD.size + position * _ENTRY.size)

    def rewritten(self, entries: Iterable[Entry], generation: int | None = None) -> Table:
        """Replace the whole table at once; this one is closed, the new one returned."""
        fresh = self.path.with_suffix(".new")
        _write(fresh, self.generation if generation is None else generation, entries)
        fresh.replace(self.path)
        self.close()
        return Table(self.path)


def hash_of(id: str) -> int:
    """Return the hash of an id in the table."""
    digest = blake2b(id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of the bytes at an offset."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def _check(offset: int, length: int, id_hash: int) -> int:
    return crc32(_ENTRY.pack(offset, length, id_hash, 0, 0))


def _packed(entry: Entry) -> bytes:
    return _ENTRY.pack(*entry, _check(*entry), 0)


def _write(path: Path, generation: int, entries: Iterable[Entry]) -> None:
    with path.open("wb") as stream:
        stream.write(_HEAD.pack(MAGIC, generation))
        for entry in entries:
            stream.write(_packed(entry))
