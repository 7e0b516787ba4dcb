"""Write lines so that an interruption cuts none, and it is known how much was written."""

from __future__ import annotations

import os
import select
import time

from jina.client.holding import held

_PIPE_BYTES = 4096  # of one write: what polls as writable takes so much at once (PIPE_BUF)
_PATIENCE_S = 0.5  # for the rest of a line, after an interruption


class LineWriter:
    """Writes to a descriptor.

    Args:
        descriptor: open for writing.
        may_block: it is no regular file: its reader may be slow.

    Attributes:
        size: bytes that it has written.
    """

    def __init__(self, descriptor: int, *, may_block: bool) -> None:
        self._descriptor = descriptor
        self._may_block = may_block
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write everything. If it is interrupted, the line that was begun is finished first.

        Raises:
            OSError: it cannot be written.
        """
        rest = memoryview(data)
        if not self._may_block:
            with held():
                while rest:
                    rest = rest[self._put(rest) :]
            return
        begun = False  # a line is written in part
        try:
            while rest:
                select.select([], [self._descriptor], [])
                with held():
                    written = self._put(rest[:_PIPE_BYTES])
                    begun = not bytes(rest[:written]).endswith(b"\n") if written else begun
                    rest = rest[written:]
        except OSError:
            raise
        except BaseException:  # Ctrl-C, or a signal handler's exception: no line is left cut
            if begun:
                with held():
                    self._finish_line(rest)
            raise

    def _finish_line(self, rest: memoryview) -> None:
        """Write up to the next newline, if its reader still takes it."""
        line = bytes(rest[: bytes(rest).find(b"\n") + 1])
        deadline = time.monotonic() + _PATIENCE_S
        while line and (left := deadline - time.monotonic()) > 0:
            if not select.select([], [self._descriptor], [], left)[1]:
                return
            line = line[self._put(memoryview(line)[:_PIPE_BYTES]) :]

    def _put(self, data: memoryview) -> int:
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:  # a pipe that somebody made non-blocking, and that is full
            return 0
        self.size += written
        return written
