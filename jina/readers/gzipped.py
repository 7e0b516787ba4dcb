"""Unpack gzip files: block by block, or as a whole where a format is read from its end."""

from __future__ import annotations

import os
import tempfile
import zlib
from gzip import GzipFile
from typing import IO

from jina.defaults import MIB
from jina.excepts import InputError


class GzipStream:
    """A regular gzip file, unpacked as it is read; see ByteStream.

    Args:
        descriptor: open for reading; the stream owns it.
        name: what the user calls the file, for messages.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self._name = name
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._gzip = GzipFile(fileobj=self._file, mode="rb")

    def read(self, size: int) -> bytes | None:
        """See ByteStream."""
        try:
            # read1 returns what one step unpacks, at most `size`: a bomb stays small, and nothing
            # before a damaged place is lost.
            return self._gzip.read1(size)
        except EOFError as err:
            raise InputError(
                "the gzip file is cut off before its end",
                where=self._name,
                hint="the lines before it were read; copy or download the file again",
            ) from err
        except (OSError, zlib.error) as err:
            raise InputError(
                f"the gzip file is broken: {err}",
                where=self._name,
                hint="the lines before it were read; `gzip -t` checks a file",
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


def unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    """A gzip file's content as a file that can be read at any place.

    It is written to an unnamed file in the folder for temporary files. Formats that are read from
    their end (.npz, .parquet, .arrow) need it.

    Args:
        file: open at its beginning; it is closed.
        name: for messages.

    Returns:
        A file at its beginning, which the caller closes.

    Raises:
        InputError: it cannot be unpacked to its end.
    """
    whole = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads and closes it
    try:
        with file, GzipFile(fileobj=file, mode="rb") as packed:
            while block := packed.read1(MIB):
                whole.write(block)
    except (EOFError, OSError, zlib.error) as err:
        whole.close()
        raise InputError(
            f"the gzip file is broken: {err}",
            where=name,
            hint="files of this format are read from their end; `gzip -t` checks a file",
        ) from err
    whole.seek(0)
    return whole
