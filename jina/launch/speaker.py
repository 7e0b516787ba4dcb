"""Say lines on standard error without ever waiting for whoever reads them.

A terminal that was stopped with Ctrl-S, or a pipe that nobody reads, must not stop a supervisor: it
would neither see deaths nor signals. So a thread writes, and what it cannot write in time is only
counted.
"""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path

from jina.launch.harmless import harmless
from jina.launch.logfile import LogFile

_MAX_LINES = 10_000  # that wait for the reader
_STDERR = 2


class Speaker:
    """Writes lines to standard error, from a thread of its own; none can control the terminal."""

    def __init__(self) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue(_MAX_LINES)
        self._lost = 0
        self._log: LogFile | None = None
        self._thread: threading.Thread | None = None

    def say(self, text: str) -> None:
        """Write a line as soon as the reader takes it; never wait."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name="speaker", daemon=True)
            self._thread.start()
        try:
            if self._lost:
                self._lines.put_nowait(self._lost_words())
                self._lost = 0
            self._lines.put_nowait(text)
        except queue.Full:
            self._lost += 1

    def to_file(self, path: Path) -> None:
        """Write to a log from now on, and let go of the standard error that we were given."""
        self._log = LogFile(path)

    def close(self, timeout_s: float = 1.0) -> None:
        """Give the last lines so long to be read."""
        if self._thread is None or not self._thread.is_alive():
            return
        try:
            if self._lost:
                self._lines.put(self._lost_words(), timeout=timeout_s)
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)
        self._thread = None

    def _lost_words(self) -> str:
        return f"({self._lost} lines were lost: nobody read them)"

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            # Not through sys.stderr: a thread that stands in it would hold its lock at the exit.
            rest = f"{harmless(text)}\n".encode(errors="backslashreplace")
            try:
                while rest:
                    rest = rest[os.write(_STDERR, rest) :]
            except OSError:
                if self._log is None:
                    return  # closed: nothing more can be said
            if self._log is not None:
                self._log.keep_small()  # a full disk may have room again later
