"""Say lines on standard error without ever waiting for whoever reads them.

A terminal that was stopped with Ctrl-S, or a pipe that nobody reads, must not stop a supervisor: it
would see neither deaths nor signals. So a thread writes. While the reader takes lines, however
slowly, `is_behind` asks callers to pause, and no line is lost. Once the reader has taken nothing
for some seconds, lines that find no room are only counted.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from pathlib import Path

from jina.defaults import LOG_BYTES, MIB
from jina.terminal_text import escaped

_BEHIND_CHARS = MIB  # waiting for the reader; from here on, callers should pause
_MAX_CHARS = 16 * MIB  # waiting for the reader; beyond this, lines are lost and counted
_LINE_CHARS = 50  # what a line takes beside its characters
_STUCK_S = 3.0  # a reader that takes nothing for this long has stopped reading
_SLOW_FACTOR = 10  # at the end, a slow reader gets this many times longer than a stuck one
_STDERR = 2
_DRAWN = "\0draw\0"  # before what is drawn in place; no line of a process has it
_ERASE = "\r\x1b[K"


class Speaker:
    """Writes lines from a thread of its own; none can control the terminal.

    Args:
        log: where to; standard error if omitted.
    """

    def __init__(self, log: LogFile | None = None) -> None:
        self._log = log
        self._lines: deque[str] = deque()
        self._size = 0
        self._lost = 0
        self._is_closing = False
        self._is_hushed = False
        self._moved = 0.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def is_behind(self) -> bool:
        """Whether much is waiting for a reader that still reads; callers should pause then."""
        if self._thread is None or not self._thread.is_alive():
            return False
        return self._size > _BEHIND_CHARS and time.monotonic() - self._moved < _STUCK_S

    def say(self, text: str) -> None:
        """Write a line as soon as the reader takes it; never wait."""
        if self._thread is None:
            self._is_closing = False
            self._moved = time.monotonic()
            self._thread = threading.Thread(target=self._write, name="speaker", daemon=True)
            self._thread.start()
        with self._changed:
            if self._is_hushed:
                return
            if self._size + len(text) > _MAX_CHARS:
                self._lost += 1
                return
            self._say_what_was_lost()
            self._add(text)

    def hush(self) -> None:
        """Forget what nobody has read yet, and say nothing any more."""
        with self._changed:
            self._is_hushed = True
            self._lines.clear()
            self._size = 0

    def draw(self, text: str) -> None:
        """Show a line in place, on a terminal: the next line, or the next drawing, erases it.

        Args:
            text: shorter than the terminal is wide; "" erases what was drawn.
        """
        self.say(f"{_DRAWN}{text}")

    def close(self, timeout_s: float = 1.0) -> None:
        """Wait until the last lines are read.

        Args:
            timeout_s: how long a reader may take nothing; one that keeps reading gets ten times
                as long.
        """
        if self._thread is None or not self._thread.is_alive():
            return
        with self._changed:
            self._say_what_was_lost()
            self._is_closing = True
            self._changed.notify()
        began = time.monotonic()
        end = began + _SLOW_FACTOR * timeout_s
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
        self._size += len(text) + _LINE_CHARS
        self._changed.notify()

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._is_closing)
            self._moved = time.monotonic()
            if not self._lines:
                return None
            text = self._lines.popleft()
            self._size -= len(text) + _LINE_CHARS
            return text

    @property
    def _descriptor(self) -> int:
        return _STDERR if self._log is None else self._log.descriptor

    def _write(self) -> None:
        has_drawn = False
        while (text := self._next()) is not None:
            is_drawing = text.startswith(_DRAWN)
            if is_drawing and self._log is not None:
                continue
            line = escaped(text.removeprefix(_DRAWN)) + ("" if is_drawing else "\n")
            # Not through sys.stderr: a thread that is blocked in it would hold its lock at exit.
            rest = f"{_ERASE if has_drawn else ''}{line}".encode(errors="backslashreplace")
            has_drawn = is_drawing and len(text) > len(_DRAWN)
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                    self._moved = time.monotonic()
            except OSError:
                if self._log is None:
                    return  # closed: nothing more can be said
            if self._log is not None:
                self._log.keep_small()  # a full disk may have room again later


class LogFile:
    """A log that is written to; a full file is renamed to `<name>.1` and a new one begun.

    So it never takes more than twice `max_bytes` on the disk.

    Args:
        path: of the file; what it holds already is kept.
        max_bytes: size of one file; the line that reaches it still goes into it.
        descriptors: those of which it takes the place.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(
        self, path: Path, max_bytes: int = LOG_BYTES, descriptors: tuple[int, ...] = (_STDERR,)
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._others = descriptors
        self.descriptor = self._open()
        self._share()

    def keep_small(self) -> None:
        """Begin a new file if this one is full; to be called after each write.

        If that fails, the full one is written to: no line is lost for the sake of its size.
        """
        with contextlib.suppress(OSError):
            if os.fstat(self.descriptor).st_size >= self._max_bytes:
                os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
                new = self._open()
                os.dup2(new, self.descriptor, inheritable=False)
                os.close(new)
                self._share()

    def take_stderr(self) -> None:
        """Let standard error go there too, and close the one that we were given."""
        self._others = (_STDERR,)
        self._share()

    def close(self) -> None:
        """Close the file; standard error stays there if it was taken."""
        os.close(self.descriptor)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path, flags, 0o600)

    def _share(self) -> None:
        for other in self._others:
            os.dup2(self.descriptor, other)
