"""Bytes from an open file, pipe, terminal or gzip file, block by block.

Reading never blocks where data may be long in coming, and never changes the blocking mode of a
descriptor that others share.
"""

from __future__ import annotations

import os
import select
import stat
from typing import TYPE_CHECKING, Protocol

from jina.excepts import InputError

if TYPE_CHECKING:
    from gzip import GzipFile


class ByteStream(Protocol):
    """Where the blocks of one source come from; LineSource calls it, from one thread."""

    def read(self, size: int) -> bytes | None:
        """The next at most `size` bytes; empty at the end, None when none is there yet.

        Raises:
            InputError: the bytes that came before were the last that can be had.
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
    """

    def __init__(self, descriptor: int, name: str, *, owned: bool) -> None:
        self._descriptor = descriptor
        self._name = name
        self._owned = owned
        self._position = 0
        self._poll: select.poll | None = None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    def read(self, size: int) -> bytes | None:
        """See ByteStream."""
        # Asking first, rather than O_NONBLOCK: that flag would leak to the shell that shares stdin.
        if self._poll is not None and not self._poll.poll(0):
            return None
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


class GzipStream:
    """A regular gzip file, unpacked as it is read.

    Args:
        descriptor: open for reading; the stream owns it.
        name: what the user calls it, for messages.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        # Late on purpose: few inputs are compressed.
        from gzip import GzipFile

        self._name = name
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._gzip: GzipFile = GzipFile(fileobj=self._file, mode="rb")

    def read(self, size: int) -> bytes | None:
        """See ByteStream."""
        # Late on purpose: see above; gzip has loaded it already.
        from zlib import error

        try:
            # read1 gives what one step unpacks, at most `size`: a bomb stays small, and nothing
            # that came before a broken place is lost.
            return self._gzip.read1(size)
        except EOFError as err:
            raise InputError(
                "the gzip file is cut off before its end",
                where=self._name,
                hint="the lines before that place were read; copy or download the file again",
            ) from err
        except (OSError, error) as err:
            raise InputError(
                f"the gzip file is broken: {err}",
                where=self._name,
                hint="the lines before that place were read; `gzip -t` checks a file",
            ) from err

    def fileno(self) -> int | None:
        """See ByteStream."""
        return None

    def position(self) -> int:
        """See ByteStream."""
        return 0 if self._file.closed else self._file.tell()

    def close(self) -> None:
        """See ByteStream."""
        self._gzip.close()
        self._file.close()
