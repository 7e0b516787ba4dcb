"""Read inputs at URLs: as they arrive, or from a copy where a format is read from its end."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile

from jina.defaults import MIB
from jina.excepts import InputError
from jina.readers.inputs import Input
from jina.readers.urls import open_remote


class RemoteStream:
    """A file at a URL, from one byte of it to another; see ByteStream.

    Args:
        one: the input.

    Raises:
        InputError: it cannot be opened.
        MissingExtra: a package that reads such URLs is not installed.
    """

    def __init__(self, one: Input) -> None:
        assert one.remote is not None
        self._name = one.name
        self._left = (one.remote.size if one.stop is None else one.stop) - one.start
        self._position = 0
        self._stack = contextlib.ExitStack()
        self._file = self._stack.enter_context(open_remote(one.remote, self._left))
        if one.start:
            self._file.seek(one.start)

    def read(self, size: int) -> bytes | None:
        """See ByteStream."""
        # What is here already, so that a line before a place where it breaks off is not lost.
        here = len(self._file.peek())
        block = self._file.read(min(size, self._left, here))
        if not block and self._left:
            raise InputError("it has become shorter", where=self._name)
        self._left -= len(block)
        self._position += len(block)
        return block

    def fileno(self) -> int | None:
        """See ByteStream."""
        return None

    def position(self) -> int:
        """See ByteStream."""
        return self._position

    def close(self) -> None:
        """See ByteStream."""
        self._stack.close()


def open_descriptor(one: Input) -> int:
    """Open an input that has a name: itself, or an unnamed copy if it is at a URL.

    Raises:
        OSError: it cannot be opened.
        InputError: it cannot be copied.
        MissingExtra: a package that reads such URLs is not installed.
    """
    if one.remote is None:
        # A fifo without a writer would block in open(); this descriptor is ours alone.
        extra = os.O_NONBLOCK if one.is_fifo else 0
        return os.open(one.path or one.name, os.O_RDONLY | os.O_CLOEXEC | extra)
    with open_remote(one.remote, one.remote.size) as file, tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(file, copy, MIB)
            copy.seek(0)
        except OSError as error:
            where = tempfile.gettempdir()
            what = f"cannot be copied to {where}: {error.strerror}"
            hint = "TMPDIR names another folder for temporary files"
            raise InputError(what, where=one.name, hint=hint) from error
        if os.fstat(copy.fileno()).st_size < one.remote.size:
            raise InputError("it has become shorter", where=one.name)
        return os.dup(copy.fileno())
