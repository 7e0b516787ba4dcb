"""Write results to a file or standard output: all of them, or an error that says why not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from io import FileIO

from jina.client.whole_lines import LineWriter
from jina.excepts import InputError, OutputError


class ResultFile:
    """An unbuffered file of results, or standard output.

    A regular file has one writer: a second one that began at the same place would overwrite the
    first one's results. A file that was made here and never begun is removed when it is closed.

    Args:
        path: of the file, "-" for standard output.

    Raises:
        InputError: the file cannot be opened, or another post writes to it.
    """

    def __init__(self, path: str) -> None:
        self._name = "<stdout>" if path == "-" else path
        self._is_begun = False
        self._is_file = False  # a regular one that was named
        self._is_new = path != "-" and not os.path.lexists(path)
        self.size = 0
        """Bytes in it: those that were there and those that were written."""
        self.lines = 0
        """Of the data given last, how many lines were written."""
        self._writer: LineWriter | None = None
        self.is_regular = False
        """Whether it is a file that was named, so that a later run can resume it."""
        try:
            self._file = _opened(path)
            if path != "-":
                self._take_over(path)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=path) from error

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, size: int) -> None:
        """Cut a regular file to `size` bytes; what is written goes after them.

        Raises:
            InputError: it cannot be cut.
        """
        self._is_begun = True
        self.size = size
        if not self._is_file:
            return
        try:
            os.ftruncate(self._file.fileno(), size)
            os.lseek(self._file.fileno(), size, os.SEEK_SET)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=self._name) from error

    def write(self, data: bytes | memoryview) -> None:
        """Write everything; this waits while the reader of a pipe does not read.

        Raises:
            BrokenPipeError: nobody reads any more.
            OutputError: a full disk, for example.
        """
        if self._writer is None:
            descriptor = self._file.fileno()
            may_block = not stat.S_ISREG(os.fstat(descriptor).st_mode)
            self._writer = LineWriter(descriptor, may_block=may_block)
        before = self._writer.size
        try:
            self._writer.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._name) from error
        finally:
            self.size += self._writer.size - before
            self.lines = self._writer.lines

    def close(self) -> None:
        """Close it; remove it if nothing was begun in it."""
        if self._is_file and self._is_new and not self._is_begun:
            with contextlib.suppress(OSError):
                os.unlink(self._name)
        self._file.close()

    def _take_over(self, path: str) -> None:
        descriptor = self._file.fileno()
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        self._is_file = True
        self.is_regular = not path.startswith(("/dev/", "/proc/"))  # such as /dev/stdout
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise InputError(
                "another `jina post` is writing to it",
                where=path,
                hint="wait for its end, or write to another file",
            ) from error
        except OSError:
            pass  # a file system without locks


def _opened(path: str) -> FileIO:
    if path == "-":
        return FileIO(sys.stdout.fileno(), "w", closefd=False)
    # Not by open(path, "w"): that would empty the file before we have its lock.
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666), "w")
