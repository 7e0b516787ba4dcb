"""What a front says: a line for each request if it is asked to, and messages for whoever runs it.

Standard output is a pipe that the supervisor reads. If it is slow, lines wait here, and beyond a
bound they are dropped and counted: writing never blocks the loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import time
from collections import deque
from typing import Protocol

import msgspec

from jina.terminal_text import one_line

_DELAY_S = 0.05  # that lines are gathered
_RETRY_S = 0.005  # between looks at a pipe that is full
_MOST_BYTES = 4 * 1024 * 1024  # that wait
_PIECE_BYTES = select.PIPE_BUF  # a pipe that can be written to has room for as much
_LAST_S = 0.5  # for what is left at the end
_PATH_CHARS = 1_000


class Told(Protocol):
    """What a line tells of a request."""

    client: str
    method: str
    path: str
    request_id: bytes
    documents: int
    failed: int


class LogWriter:
    """Writes lines to a descriptor as fast as they are read there.

    Args:
        descriptor: a pipe, a terminal or a file.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLOUT)
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, line: bytes) -> None:
        """Take a line, with its newline; it is written soon."""
        if self._bytes + len(line) > _MOST_BYTES:
            self._dropped += 1
            return
        self._lines.append(line)
        self._bytes += len(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY_S, self._on_timer)

    def close(self) -> None:
        """Write what is left, unless nobody reads it."""
        if self._timer is not None:
            self._timer.cancel()
        until = time.monotonic() + _LAST_S
        while not self._flush() and time.monotonic() < until:
            self._ready.poll(50)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._flush():
            self._timer = asyncio.get_running_loop().call_later(_RETRY_S, self._on_timer)

    def _flush(self) -> bool:
        """Write what can be written at once; whether nothing is left."""
        while self._lines:
            if not self._ready.poll(0):
                return False
            piece = self._next_piece()
            self._bytes -= len(piece)
            try:
                os.write(self._descriptor, piece)
            except OSError:  # nobody reads it any more, or the disk is full: serving goes on
                self._lines.clear()
                self._bytes = 0
            if self._dropped and not self._lines:
                self._lines.append(b"%d lines of the log were dropped\n" % self._dropped)
                self._bytes += len(self._lines[0])
                self._dropped = 0
        return True

    def _next_piece(self) -> bytes:
        """Whole lines as far as they fit, or the beginning of a longer one."""
        taken = [self._lines.popleft()]
        size = len(taken[0])
        if size > _PIECE_BYTES:
            self._lines.appendleft(taken[0][_PIECE_BYTES:])
            return taken[0][:_PIECE_BYTES]
        while self._lines and size + len(self._lines[0]) <= _PIECE_BYTES:
            size += len(self._lines[0])
            taken.append(self._lines.popleft())
        return b"".join(taken)


class Log(logging.Handler):
    """The lines of one front, as text or as JSON.

    Args:
        writer: takes them.
        is_json: each is a JSON object.
    """

    def __init__(self, writer: LogWriter, is_json: bool) -> None:
        super().__init__()
        self._writer = writer
        self._is_json = is_json
        self._second = 0
        self._clock = ""

    def install(self) -> None:
        """Take what this process logs, uvicorn's warnings too."""
        root = logging.getLogger()
        root.handlers = [self]
        root.setLevel(logging.WARNING)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
        super().close()

    def request(self, told: Told, status: int, size: int, seconds: float) -> None:
        """Tell of a request that has been answered.

        Args:
            told: the request.
            status: of HTTP.
            size: of the answer's body, in bytes.
            seconds: that it took.
        """
        path = told.path[:_PATH_CHARS]
        if self._is_json:
            line = msgspec.json.encode(
                {
                    "time": self._now(),
                    "level": "info",
                    "client": told.client,
                    "method": told.method,
                    "path": path,
                    "status": status,
                    "bytes": size,
                    "ms": round(seconds * 1000, 3),
                    "request_id": told.request_id.decode(),
                    "documents": told.documents,
                    "failed": told.failed,
                }
            )
        else:
            line = (
                f"{self._now()} {told.client} {told.method} {one_line(path)} {status} {size} B"
                f" {seconds * 1000:.1f} ms {told.request_id.decode()}"
                f" {told.documents}/{told.failed}"
            ).encode()
        self._writer.write(line + b"\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of anything else; a message that cannot be made is dropped."""
        try:
            text = self.format(record)  # with the traceback, if there is one
        except Exception:  # the arguments of a library's message may not fit its text
            self.handleError(record)
            return
        if self._is_json:
            told = {"time": self._now(), "level": record.levelname.lower(), "message": text}
            self._writer.write(msgspec.json.encode(told) + b"\n")
        else:
            self._writer.write(text.encode("utf-8", "backslashreplace") + b"\n")

    def _now(self) -> str:
        """The time in UTC, to the millisecond."""
        second, part = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second = second
            self._clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._clock}.{part // 1_000_000:03}Z"
