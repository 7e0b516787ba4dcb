"""The log of a Flow in the background: a file that never grows beyond what was meant for it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from jina.defaults import LOG_BYTES

_STDERR = 2


class LogFile:
    """Stands in for standard error; once it is full, it becomes `<name>.1` and a new one begins.

    So twice `max_bytes` is the most that it takes on the disk.

    Args:
        path: of the file; what it holds already is kept.
        max_bytes: size of one file; the line that reaches it still goes into it.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int = LOG_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._take_stderr()

    def keep_small(self) -> None:
        """Begin a new file if this one is full; to be called after each write.

        Where that fails, the full one is used on: words are worth more than their number.
        """
        with contextlib.suppress(OSError):
            if os.fstat(_STDERR).st_size >= self._max_bytes:
                os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
                self._take_stderr()

    def _take_stderr(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        os.dup2(descriptor, _STDERR)
        os.close(descriptor)
