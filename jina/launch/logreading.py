"""Read the log of a Flow, which may still be written, and follow it until the Flow ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jina.launch.runlog import LogLine
from jina.runtime.pastruns import read_run

_DECODER = msgspec.json.Decoder(LogLine)
_BLOCK = 1 << 20


class LogReader:
    """Reads a log: first what is there, then what is added.

    Args:
        log: path of the file; the older part beside it is read first.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._partial = b""
        self._file: int | None = None
        self._is_older = True

    def __enter__(self) -> LogReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def is_over(self) -> bool:
        """Whether the run is over: what is read after that is the rest."""
        run = read_run(self._log.parent)
        return run is None or bool(run.ended_at)

    def skip(self) -> None:
        """Leave out what is there already; to be called before anything is read."""
        self._is_older = False
        if self._open() and self._file is not None:
            os.lseek(self._file, 0, os.SEEK_END)

    def read(self) -> Iterator[LogLine]:
        """The lines that have been added since the last call."""
        while True:
            if self._file is None and not self._open():
                return
            while block := self._read_block():
                *whole, self._partial = (self._partial + block).split(b"\n")
                yield from map(line_from, filter(None, whole))
            if not self._was_replaced():
                return
            self._close()

    def _read_block(self) -> bytes:
        return os.read(self._file, _BLOCK) if self._file is not None else b""

    def _open(self) -> bool:
        """Open the older part the first time, then always the one that is written to."""
        path = self._log
        if self._is_older:
            path = path.with_name(f"{path.name}.1")
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            if not self._is_older:
                return False
            self._is_older = False
            return self._open()
        return True

    def _was_replaced(self) -> bool:
        """Whether there is another file to go on with: this one was full."""
        if self._file is None:
            return False
        if self._is_older:
            self._is_older = False
            return True
        with contextlib.suppress(OSError):
            if not os.path.samestat(os.fstat(self._file), os.stat(self._log)):
                return not self._read_rest()
        return False

    def _read_rest(self) -> bool:
        """Whether something was written to the old file before it was replaced."""
        if self._file is None:
            return False
        place = os.lseek(self._file, 0, os.SEEK_CUR)
        return os.fstat(self._file).st_size > place

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def line_from(data: bytes) -> LogLine:
    """A line of the log; one that is none of ours is somebody's words."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return LogLine(at=0.0, kind="event", text=data.decode("utf-8", "replace"))
