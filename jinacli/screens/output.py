"""Write results to standard output or a file: all of them, or an error that says why not."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import stat
import sys
from collections.abc import Callable
from io import FileIO

from jina.excepts import InputError, OutputError
from jinacli.streams import closed


class Output:
    """An unbuffered stream of bytes.

    A regular file has one writer: a second one that began at the same place would write over the
    first one's results.

    Args:
        path: of the file, "-" for standard output.
        stack: closes the file; one that it made, and that was never begun, is removed.

    Raises:
        InputError: the file cannot be opened, or another post writes to it.
        OutputError: standard output is closed.
    """

    def __init__(self, path: str, stack: contextlib.ExitStack) -> None:
        if path == "-" and "stdout" in closed:
            raise OutputError("standard output is closed", hint="name a file: --output FILE")
        self._name = "<stdout>" if path == "-" else path
        self._is_begun = False
        self._is_file = False  # a regular one that was named
        self._is_new = path != "-" and not os.path.lexists(path)
        self.size = 0
        """Bytes that were written, with those that were there."""
        self.is_regular = False
        """It is a file that was named, and can be gone on with."""
        try:
            if path == "-":
                self._file = FileIO(sys.stdout.fileno(), "w", closefd=False)
            else:
                # Not opened for nothing but writing: that would cut it before it is ours.
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
                self._file = FileIO(descriptor, "w")
            stack.callback(self._close)
            if path != "-":
                self._take_over(path)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=path) from error

    def begin(self, size: int) -> None:
        """Cut a regular file to so many bytes; what is written goes after them.

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
        """Write everything; whoever reads the other end of a pipe may make us wait.

        Raises:
            BrokenPipeError: nobody reads any more.
            OutputError: a full disk, for example.
        """
        rest = memoryview(data)
        try:
            while rest:
                written = self._file.write(rest)
                if written is None:  # a pipe that somebody made non-blocking, and that is full
                    select.select([], [self._file], [])
                    continue
                self.size += written
                rest = rest[written:]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._name) from error

    def _close(self) -> None:
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
            raise InputError(
                "another `jina post` is writing to it",
                where=path,
                hint="wait for its end, or write to another file",
            ) from error
        except OSError:
            pass  # a file system without locks


def drawing(path: str, form: str) -> Callable[[bytes | memoryview], bytes | memoryview]:
    """What is done with the lines of a reply before they are written.

    Args:
        path: as for Output.
        form: "jsonl", "table", or "auto": a table where a person reads along.
    """
    is_terminal = path == "-" and sys.stdout.isatty()
    if form == "jsonl" or (form == "auto" and not is_terminal):
        return lambda lines: lines
    # Late: rich is only needed where people look.
    from jinacli.screens.documents import DocumentScreen

    return DocumentScreen(is_terminal=is_terminal).drawn
