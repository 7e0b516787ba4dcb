"""Write results to standard output or a file: all of them, or an error that says why not."""

from __future__ import annotations

import contextlib
import select
import sys
from io import FileIO

from jina.excepts import InputError, OutputError


class Output:
    """An unbuffered stream of bytes.

    Args:
        path: of the file, "-" for standard output.
        stack: closes the file.

    Raises:
        InputError: the file cannot be opened.
    """

    def __init__(self, path: str, stack: contextlib.ExitStack) -> None:
        self._name = "<stdout>" if path == "-" else path
        try:
            if path == "-":
                self._file = FileIO(sys.stdout.fileno(), "w", closefd=False)
            else:
                self._file = FileIO(path, "w")
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=path) from error
        stack.callback(self._file.close)

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
                rest = rest[written:]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot be written: {error.strerror}", where=self._name) from error
