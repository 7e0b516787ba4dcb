"""Write results to a file or standard output: all of them, or an error that says why not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Sequence
from io import FileIO

from jina.client.whole_lines import LineWriter
from jina.excepts import InputError, OutputError
from jina.writers import Form, Writer, new_writer

COLUMNS_FROM = 100
"""Results from which the columns of a table in a file are known."""

PART = ".part"
"""What the name of a neighbour ends in that holds results until they are complete."""


class ResultFile:
    """An unbuffered file of results, or standard output.

    A regular file has one writer: a second one that began at the same place would overwrite the
    first one's results. A file that was made here and never begun is removed when it is closed.

    Args:
        path: of the file, "-" for standard output.
        name: what errors call it; if omitted, its path.

    Raises:
        InputError: the file cannot be opened, or another post writes to it.
    """

    def __init__(self, path: str, name: str = "") -> None:
        self.path = path
        """Of the file that is written to."""
        self._name = "<stdout>" if path == "-" else name or path
        self._is_begun = False
        self._is_file = False  # a regular one that was named
        self._is_new = path != "-" and not os.path.lexists(path)
        self.size = 0
        """Bytes in it: those that were there and those that were written."""
        self._writer: LineWriter | None = None
        self.is_regular = False
        """Whether it is a file that was named, so that a later run can resume it."""
        try:
            self._file = _opened(path)
            if path != "-":
                self._take_over(path)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=self._name) from error

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

    def complete(self) -> None:
        """Everything has been written."""

    def close(self) -> None:
        """Close it; remove it if nothing was begun in it."""
        if self._is_file and self._is_new and not self._is_begun:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
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
                where=self._name,
                hint="wait until it is done, or write to another file",
            ) from error
        except OSError:
            pass  # a file system without locks


def open_results(path: str, *, is_whole: bool) -> ResultFile:
    """Open a file of results, or standard output; see ResultFile and WholeFile.

    Args:
        path: of the file, "-" for standard output.
        is_whole: it is of use only when it is complete; nothing else is done with a pipe or device.
    """
    return WholeFile(path) if is_whole and is_file(path) else ResultFile(path)


def writer_of(results: ResultFile, form: Form, select: Sequence[str], *, can_wait: bool) -> Writer:
    """The writer of a file that was begun: it goes on with what an earlier run has written.

    Args:
        results: begun.
        form: of the file.
        select: as of the Call.
        can_wait: the first results may wait until the columns of a table are known.
    """
    writer = new_writer(form, select, first_rows=COLUMNS_FROM if can_wait else 1)
    if results.size and results.path != "-":
        with open(results.path, "rb") as file:
            writer.take_up(file)
    return writer


def is_file(path: str) -> bool:
    """Whether a path is not that of a pipe or device: a file, a folder, or nothing yet."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return path != "-"
    return path != "-" and (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _opened(path: str) -> FileIO:
    if path == "-":
        return FileIO(sys.stdout.fileno(), "w", closefd=False)
    # Not by open(path, "w"): that would empty the file before we have its lock.
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666), "w")


class WholeFile(ResultFile):
    """A file that is of use only when it is complete, such as a JSON list.

    Results go to a neighbour, `<file>.part`, which takes the file's name once it is complete: a
    file of that name is never half written. Without that, the neighbour is removed.

    Args:
        path: of the file.

    Raises:
        InputError: it cannot be written, or another post is writing it.
    """

    def __init__(self, path: str) -> None:
        if os.path.isdir(path):
            raise InputError("cannot be written: Is a directory", where=path)
        self._target = os.path.realpath(path)  # a link stays a link
        self._is_ours = False
        super().__init__(f"{self._target}{PART}", path)
        self._is_ours = True
        self.is_regular = False  # no later run resumes it

    def complete(self) -> None:
        """Give the neighbour the name of the file.

        Raises:
            OutputError: that cannot be done.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                os.chmod(self.path, stat.S_IMODE(os.stat(self._target).st_mode))
            os.replace(self.path, self._target)
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._name) from error
        self._is_ours = False

    def close(self) -> None:
        """Close it; remove the neighbour if it is not complete."""
        super().close()
        if self._is_ours:
            self._is_ours = False
            with contextlib.suppress(OSError):
                os.unlink(self.path)
