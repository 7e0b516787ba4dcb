"""Keep records in a file that is only appended to, so that a kill loses none that was confirmed.

It knows only bytes, not their meaning. A record is kept once `append` has returned: the operating
system has its bytes then, and will write them even if the process dies. The file is

    magic  "JINALOG1"
    record  length of the payload, u32 | its crc32, u32 | crc32 of these eight bytes, u32 | payload
    record  …

all little-endian. A process that is killed while it writes leaves an incomplete last record, which
is cut off when the file is next opened. Anything else that does not fit is damage, and is refused.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from jina.excepts import ExecutorError

MAGIC = b"JINALOG1"
_HEADER = struct.Struct("<III")
_READ_BYTES = 1 << 22  # of the file at a time, while it is opened
MAX_PAYLOAD_BYTES = 1 << 31


class Place(NamedTuple):
    """Where a payload is in the file, in bytes."""

    offset: int
    size: int


class RecordLog:
    """One such file, which only this process may use until `close`.

    Args:
        folder: the folder of `log`, which must exist; the file need not.
        fsync: make each append wait for the disk, so that records also survive a power cut.

    Raises:
        ExecutorError: another process holds the folder, or the file is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str], *, fsync: bool = False) -> None:
        self._folder = Path(folder)
        self._path = self._folder / "log"
        self._fsync = fsync
        self._end = len(MAGIC)  # of the last whole record
        self._lock_fd = self._lock()
        try:
            self._fd = self._open()
        except BaseException:
            os.close(self._lock_fd)
            raise

    @property
    def size_bytes(self) -> int:
        """The size of the file."""
        return self._end

    def append(self, payloads: Iterable[bytes]) -> list[Place]:
        """Write records; they are kept once this returns.

        Returns:
            The place of each payload, in order.

        Raises:
            OSError: they cannot be written (the disk may be full); none of them is kept.
        """
        pieces: list[bytes] = []
        places: list[Place] = []
        at = self._end
        for payload in payloads:
            if len(payload) > MAX_PAYLOAD_BYTES:
                raise ValueError(f"a record of {len(payload)} bytes is too large")
            pieces += _framed(payload)
            places.append(Place(at + _HEADER.size, len(payload)))
            at += _HEADER.size + len(payload)
        try:
            _write_all(self._fd, b"".join(pieces))
            if self._fsync:
                os.fdatasync(self._fd)
        except BaseException:
            # Half a record must not remain before the next one.
            os.ftruncate(self._fd, self._end)
            raise
        self._end = at
        return places

    def read(self, place: Place) -> bytes:
        """Return the payload at a place from `append` or `records`."""
        return os.pread(self._fd, place.size, place.offset)

    def records(self) -> Iterator[tuple[Place, bytes]]:
        """Yield all records in the order in which they were written."""
        for offset, payload in _scan(self._fd, self._path, self._end):
            yield Place(offset, len(payload)), payload

    def rewrite(self, places: Sequence[Place]) -> list[Place]:
        """Replace the file by one with only these records; a kill leaves either the old or the new.

        Returns:
            The new places, in the order given.
        """
        fresh = self._folder / "log.new"
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        moved: list[Place] = []
        try:
            _write_all(fd, MAGIC)
            at = len(MAGIC)
            for place in places:
                _write_all(fd, b"".join(_framed(self.read(place))))
                moved.append(Place(at + _HEADER.size, place.size))
                at += _HEADER.size + place.size
            os.fsync(fd)
            os.replace(fresh, self._path)
        except BaseException:
            os.close(fd)
            fresh.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd, self._end = fd, at
        with suppress(OSError):  # some file systems cannot; the file itself is there
            self._sync_folder()
        return moved

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._lock_fd >= 0:
            os.close(self._fd)
            os.close(self._lock_fd)
            self._fd = self._lock_fd = -1

    def _lock(self) -> int:
        """Lock the folder for this process; the system unlocks it when the process dies."""
        fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            holder = os.read(fd, 32).decode("ascii", "replace").strip()
            os.close(fd)
            raise ExecutorError(
                f"this index is in use by process {holder or '?'}",
                where=str(self._folder),
                hint="stop that process, or give this Executor a workspace of its own",
            ) from err
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return fd

    def _open(self) -> int:
        (self._folder / "log.new").unlink(missing_ok=True)  # a rewrite that was killed
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(fd).st_size
            if size < len(MAGIC):
                # New, or killed before the first eight bytes were written.
                if os.pread(fd, size, 0) != MAGIC[:size]:
                    raise self._damage(0)
                os.ftruncate(fd, 0)
                _write_all(fd, MAGIC)
                size = len(MAGIC)
                self._sync_folder()
            elif os.pread(fd, len(MAGIC), 0) != MAGIC:
                raise self._damage(0)
            for offset, payload in _scan(fd, self._path, size):
                self._end = offset + len(payload)
            if self._end < size:
                os.ftruncate(fd, self._end)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _damage(self, offset: int) -> ExecutorError:
        return _damage(self._path, offset)

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _framed(payload: bytes) -> tuple[bytes, bytes]:
    front = struct.pack("<II", len(payload), zlib.crc32(payload))
    return front + struct.pack("<I", zlib.crc32(front)), payload


def _scan(fd: int, path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield offset and payload of each whole record up to `size`; stop at an incomplete last one.

    Raises:
        ExecutorError: a record is damaged.
    """
    at = start = len(MAGIC)  # of the next record; of what is in `buffer`
    buffer = b""
    while at < size:
        if at + _HEADER.size > size:
            return
        if at + _HEADER.size > start + len(buffer):
            start, buffer = at, os.pread(fd, min(_READ_BYTES, size - at), at)
        length, crc, header_crc = _HEADER.unpack_from(buffer, at - start)
        if zlib.crc32(buffer[at - start : at - start + 8]) != header_crc:
            if not any(os.pread(fd, _READ_BYTES, at)):
                return  # zeros: a power cut left the file longer than what was written
            raise _damage(path, at)
        offset = at + _HEADER.size
        if offset + length > size:
            return
        if offset + length > start + len(buffer):
            start, buffer = at, os.pread(fd, max(_READ_BYTES, _HEADER.size + length), at)
        payload = buffer[offset - start : offset - start + length]
        if zlib.crc32(payload) != crc:
            if offset + length == size:
                return
            raise _damage(path, at)
        yield offset, payload
        at = offset + length


def _damage(path: Path, offset: int) -> ExecutorError:
    return ExecutorError(
        f"the record at byte {offset} is damaged, and whole ones may follow it",
        where=str(path),
        hint="bring the file back from a backup, or move it away and index again",
    )


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
