"""A file that can be read at any place, also when it is packed.

Formats that begin to be read at their end (.npz, .parquet, .arrow) need it.
"""

from __future__ import annotations

import tempfile
import zlib
from typing import IO

from jina.defaults import MIB
from jina.excepts import InputError


def seekable(file: IO[bytes], name: str, *, is_gzip: bool) -> IO[bytes]:
    """Unpack a file where needed.

    Args:
        file: open at its beginning; closed when another one is returned.
        name: for messages.
        is_gzip: it is unpacked into an unnamed file on disk, in the folder of temporary files.

    Raises:
        InputError: it cannot be unpacked to its end.
    """
    if not is_gzip:
        return file
    # Late on purpose: few inputs are compressed.
    from gzip import GzipFile

    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads and closes it
    try:
        with file, GzipFile(fileobj=file, mode="rb") as packed:
            while block := packed.read1(MIB):
                unpacked.write(block)
    except (EOFError, OSError, zlib.error) as err:
        unpacked.close()
        raise InputError(
            f"the gzip file is broken: {err}",
            where=name,
            hint="files of this format are read from their end; `gzip -t` checks a file",
        ) from err
    unpacked.seek(0)
    return unpacked
