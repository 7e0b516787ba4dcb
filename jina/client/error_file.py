"""A file of errors beside the results: each outcome that is an error, in their order."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

import msgspec

from jina.client.results import ResultFile
from jina.excepts import InputError

if TYPE_CHECKING:
    from jina.client.outcomes import Outcomes


class ErrorFile:
    """The errors of a post, as JSON lines. They stand among the results too.

    Args:
        path: of the file. One that holds something else than errors is not overwritten.

    Raises:
        InputError: it cannot be written, or holds something else.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        with contextlib.suppress(OSError):
            if stat.S_ISREG(os.stat(path).st_mode) and not _holds_errors(path):
                raise InputError(
                    "it is not a file with errors of a post",
                    where=path,
                    hint="write the errors to another file, or remove this one",
                )
        self._file = ResultFile(path)

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self._file.size

    def begin(self, size: int) -> None:
        """Cut it to the errors of the outcomes that are there already.

        Args:
            size: bytes of these.

        Raises:
            InputError: it has fewer.
        """
        with contextlib.suppress(OSError):
            if os.stat(self._path).st_size < size:
                raise InputError(
                    f"the errors of the earlier run ({size} bytes) are missing",
                    where=self._path,
                    hint="continue with the same --errors-to, or start over with --restart",
                )
        self._file.begin(size)

    def add(self, outcomes: Outcomes) -> None:
        """Write the errors among these outcomes.

        Raises:
            OutputError: a full disk, for example.
        """
        if outcomes.failed:
            lines = bytes(outcomes.lines).splitlines(keepends=True)
            self._file.write(b"".join(line for line in lines if is_error(line)))

    def close(self) -> None:
        """Close it."""
        self._file.close()


def is_error(line: bytes) -> bool:
    """Whether an outcome is an error."""
    if b'"error"' not in line:
        return False
    found = msgspec.json.decode(line)
    return isinstance(found, dict) and isinstance(found.get("error"), dict)


def _holds_errors(path: str) -> bool:
    """Whether a file begins with an error, or is empty."""
    with open(path, "rb") as file:
        first = file.readline(1 << 20)
    try:
        return not first or is_error(first)
    except msgspec.DecodeError:
        return False
