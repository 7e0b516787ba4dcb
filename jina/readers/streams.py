"""Read an open file, pipe or terminal block by block, and refuse what is not text.

Reading never blocks where data may be slow to arrive, and never changes the blocking mode of a
descriptor that others share.
"""

from __future__ import annotations

import os
import select
import stat
from typing import Protocol

from jina.excepts import InputError

# The first bytes of formats that are not text: what they are, and how to read them.
_MAGICS = {
    b"\x1f\x8b": ("gzip", "gunzip -c … | jina post … --inputs -; a file needs a name in .gz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc … | jina post … --inputs -"),
    b"BZh": ("bzip2", "bzcat … | jina post … --inputs -"),
    b"\xfd7zXZ": ("xz", "xzcat … | jina post … --inputs -"),
    b"PK\x03\x04": ("a zip archive", "name the file with its own ending, such as .npz"),
    b"\x93NUMPY": ("a numpy array", "--inputs FILE --format npy"),
    b"PAR1": ("Parquet", "--inputs FILE --format parquet"),
    b"ARROW1": ("Arrow", "--inputs FILE --format arrow"),
}


class ByteStream(Protocol):
    """Gives the blocks of one source; LineSource calls it, from one thread."""

    def read(self, size: int) -> bytes | None:
        """The next bytes, at most `size`; empty at the end, None when none have arrived yet.

        Raises:
            InputError: no more can be read; the bytes before this place have been returned.
        """

    def fileno(self) -> int | None:
        """The descriptor to poll for the next bytes; None when reading does not block."""

    def position(self) -> int:
        """Bytes read from the file so far, compressed ones where it is compressed."""

    def close(self) -> None:
        """Let go of the file; may be called twice."""


class DescriptorStream:
    """An open descriptor of any kind.

    Args:
        descriptor: open for reading.
        name: what the user calls it, for messages.
        owned: close the descriptor at the end.
        start: byte of a regular file at which reading begins.
        stop: byte at which it ends; None for the end.
    """

    def __init__(
        self,
        descriptor: int,
        name: str,
        *,
        owned: bool,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._name = name
        self._owned = owned
        self._position = 0
        self._most = None if stop is None else stop - start
        if start:
            os.lseek(descriptor, start, os.SEEK_SET)
        self._poll: select.poll | None = None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    def read(self, size: int) -> bytes | None:
        """See ByteStream."""
        # Poll first instead of setting O_NONBLOCK: the shell that shares stdin would see that flag.
        if self._poll is not None and not self._poll.poll(0):
            return None
        if self._most is not None:
            size = min(size, self._most - self._position)
        try:
            block = os.read(self._descriptor, size)
        except BlockingIOError:
            return None
        except OSError as err:
            raise InputError(f"reading failed: {err.strerror}", where=self._name) from err
        self._position += len(block)
        return block

    def fileno(self) -> int | None:
        """See ByteStream."""
        return None if self._poll is None else self._descriptor

    def position(self) -> int:
        """See ByteStream."""
        return self._position

    def close(self) -> None:
        """See ByteStream."""
        if self._owned:
            self._owned = False
            os.close(self._descriptor)


def refuse_packed(block: bytes, name: str) -> None:
    """Look at the first block of a stream that should be text.

    Without this, each "line" of a file with a wrong name, or of a pipe from the wrong program,
    would be an error of its own.

    Raises:
        InputError: it is packed, or in UTF-16.
    """
    for magic, (what, hint) in _MAGICS.items():
        if block.startswith(magic):
            raise InputError(f"this is {what}, not text", where=name, hint=hint)
    little = block.startswith(b"\xff\xfe") and block[2:3] != b"\0" and block[3:4] == b"\0"
    big = block.startswith(b"\xfe\xff\0") and block[3:4] not in (b"", b"\0")
    if little or big:
        raise InputError(
            "this is UTF-16, not UTF-8",
            where=name,
            hint="iconv -f UTF-16 -t UTF-8 … | jina post … --inputs -",
        )
