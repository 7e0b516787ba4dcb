"""Say lines on standard error without ever waiting for whoever reads them.

A terminal that was stopped with Ctrl-S, or a pipe that nobody reads, must not stop a supervisor: it
would neither see deaths nor signals. So a thread writes. While the reader takes lines, however
slowly, `is_behind` asks for no more of them for now, and none is lost; once it has stood still for
some seconds, what finds no room is only counted.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path

from jina.defaults import MIB
from jina.launch.logfile import LogFile
from jina.terminal_text import escaped

_ENOUGH = MIB  # that waits for the reader: more may wait where it is
_MOST = 16 * MIB  # more is lost
_LINE = 50  # what a line takes beside its characters
_STUCK_S = 3.0  # a reader that takes nothing for so long reads no more
_LAST_LOOKS = 10  # how many times longer than for a stuck one it is waited for a slow one
_STDERR = 2


class Speaker:
    """Writes lines to standard error, from a thread of its own; none can control the terminal."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0
        self._lost = 0
        self._is_closing = False
        self._moved = 0.0
        self._changed = threading.Condition()
        self._log: LogFile | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_behind(self) -> bool:
        """Much waits for a reader that is at work: whoever can should say nothing for a moment."""
        if self._thread is None or not self._thread.is_alive():
            return False
        return self._size > _ENOUGH and time.monotonic() - self._moved < _STUCK_S

    def say(self, text: str) -> None:
        """Write a line as soon as the reader takes it; never wait."""
        if self._thread is None:
            self._is_closing = False
            self._moved = time.monotonic()
            self._thread = threading.Thread(target=self._write, name="speaker", daemon=True)
            self._thread.start()
        with self._changed:
            if self._size + len(text) > _MOST:
                self._lost += 1
                return
            self._say_what_was_lost()
            self._add(text)

    def to_file(self, path: Path) -> None:
        """Write to a log from now on, and let go of the standard error that we were given."""
        self._log = LogFile(path)

    def close(self, timeout_s: float = 1.0) -> None:
        """Give the last lines so long to be read, and longer while somebody reads them."""
        if self._thread is None or not self._thread.is_alive():
            return
        with self._changed:
            self._say_what_was_lost()
            self._is_closing = True
            self._changed.notify()
        began = time.monotonic()
        end = began + _LAST_LOOKS * timeout_s
        while self._thread.is_alive():
            left = min(end, max(began, self._moved) + timeout_s) - time.monotonic()
            if left <= 0:
                break
            self._thread.join(left)
        self._thread = None

    def _say_what_was_lost(self) -> None:
        if self._lost:
            self._add(f"({self._lost} lines were lost: nobody read them)")
            self._lost = 0

    def _add(self, text: str) -> None:
        self._lines.append(text)
        self._size += len(text) + _LINE
        self._changed.notify()

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._is_closing)
            self._moved = time.monotonic()
            if not self._lines:
                return None
            text = self._lines.popleft()
            self._size -= len(text) + _LINE
            return text

    def _write(self) -> None:
        while (text := self._next()) is not None:
            # Not through sys.stderr: a thread that stands in it would hold its lock at the exit.
            rest = f"{escaped(text)}\n".encode(errors="backslashreplace")
            try:
                while rest:
                    rest = rest[os.write(_STDERR, rest) :]
                    self._moved = time.monotonic()
            except OSError:
                if self._log is None:
                    return  # closed: nothing more can be said
            if self._log is not None:
                self._log.keep_small()  # a full disk may have room again later
