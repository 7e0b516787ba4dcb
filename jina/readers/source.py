"""One stream of line chunks from several inputs, in order.

Chunks are raw bytes: nothing here knows JSON or Documents.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple

from jina.defaults import KIB, MAX_LINE_BYTES, REQUEST_BYTES, REQUEST_DOCS
from jina.excepts import InputError
from jina.readers.inputs import Input, find_inputs
from jina.readers.keys import file_key, random_key
from jina.readers.lines import LineCutter
from jina.readers.streams import ByteStream, DescriptorStream, GzipStream

_BLOCK_BYTES = 256 * KIB  # larger ones leave the processor's cache and gain nothing


class Chunk(NamedTuple):
    """Whole lines of one source."""

    data: bytes
    """Each line ends in a newline, the last of a file too; a leading UTF-8 BOM is cut."""
    lines: int
    """Lines in data, blank ones included."""
    first_line: int
    """1-based number of the first line in its source."""
    source: str
    """The file's name as the user gave it, or "<stdin>"."""
    key: str
    """Stream key, 16 hex digits; a line without an id is called `<key>-<line number>`."""
    oversize: tuple[tuple[int, int, int], ...] = ()
    """(row in data, line number, size in bytes) of lines over the limit: an empty line stands in
    their place, so rows and line numbers are true."""


class LineSource:
    """Reads inputs one after the other; a chunk never spans two of them.

    The sender's loop, in one thread:

        chunk = source.next_chunk(...)
        if chunk is None and not source.at_end:
            poll source.fileno(); after REQUEST_IDLE_S without a new line: source.take_partial()

    Args:
        inputs: what to read, as find_inputs checked it.
        stdin_fd: the descriptor of standard input; it is neither closed nor changed.
        max_line_bytes: longer lines are not held but reported in Chunk.oversize.
    """

    def __init__(
        self, inputs: Sequence[Input], *, stdin_fd: int = 0, max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        self._inputs = list(inputs)
        self._stdin_fd = stdin_fd
        self._max_line_bytes = max_line_bytes
        self._block_bytes = min(_BLOCK_BYTES, max_line_bytes)
        self._index = -1  # of the input that is being read
        self._stream: ByteStream | None = None
        self._cutter = LineCutter(max_line_bytes)
        self._name = ""
        self._key = ""
        self._keys_seen: set[str] = set()
        self._bytes_done = 0  # of the inputs before this one
        self._failure: InputError | None = None
        self.at_end = not self._inputs
        """Nothing is left: the last chunk has been handed out."""
        self.lines_read = 0
        """Lines handed out, of all sources."""

    @property
    def bytes_read(self) -> int:
        """Bytes read from the inputs so far; of compressed files, compressed bytes."""
        return self._bytes_done + (0 if self._stream is None else self._stream.position())

    @property
    def total_bytes(self) -> int | None:
        """Bytes in all inputs together; None when one of them has no size, such as a pipe."""
        sizes = [one.size_bytes for one in self._inputs]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def is_fed_by(self, file: str | int) -> bool:
        """Whether a regular file, given by path or descriptor, is one of the inputs."""
        with contextlib.suppress(OSError, ValueError):
            wanted = os.stat(file)
            return stat.S_ISREG(wanted.st_mode) and any(
                os.path.samestat(wanted, os.stat(self._stdin_fd if one.path is None else one.path))
                for one in self._inputs
            )
        return False

    def fileno(self) -> int | None:
        """The descriptor to poll; None when the next chunk cannot make us wait."""
        return None if self._stream is None else self._stream.fileno()

    def next_chunk(self, *, max_lines: int, max_bytes: int) -> Chunk | None:
        """The next full chunk, or the rest of a source at its end.

        Args:
            max_lines: most lines in the chunk, at least 1.
            max_bytes: most bytes in the chunk, at least 1; one line alone may be longer.

        Returns:
            None when more input is needed and not there yet, or at_end.

        Raises:
            InputError: an input broke off; all whole lines before that place were handed out.
                Nothing more is read after it.
        """
        while not self.at_end:
            chunk = self._take(max_lines, max_bytes, partial=self._failure is not None)
            if chunk is not None:
                return chunk
            if self._failure is not None:
                self.close()
                raise self._failure
            if not self._read_on():
                return None
        return None

    def take_partial(
        self, *, max_lines: int = REQUEST_DOCS, max_bytes: int = REQUEST_BYTES
    ) -> Chunk | None:
        """The complete lines at hand, for a sender that has waited long enough.

        Nothing is read; None when not even one line is complete.
        """
        return None if self.at_end else self._take(max_lines, max_bytes, partial=True)

    def close(self) -> None:
        """Let go of the open file; may be called twice."""
        self.at_end = True
        self._close_stream()

    def __enter__(self) -> LineSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, max_lines: int, max_bytes: int, *, partial: bool) -> Chunk | None:
        cut = self._cutter.take(max_lines, max_bytes, partial=partial)
        if cut is None:
            return None
        self.lines_read += cut.lines
        return Chunk(cut.data, cut.lines, cut.first_line, self._name, self._key, cut.oversize)

    def _read_on(self) -> bool:
        """Bring in a block, an end or the next source; False when none is there yet."""
        if self._stream is None:
            self._open_next()
            return True
        try:
            block = self._stream.read(self._block_bytes)
        except InputError as err:
            # What is complete goes out first; the broken-off line does not.
            self._failure = err
            return True
        if block is None:
            return False
        if block:
            self._cutter.feed(block)
        else:
            self._cutter.finish()
            self._close_stream()
        return True

    def _open_next(self) -> None:
        self._index += 1
        if self._index == len(self._inputs):
            self.at_end = True
            return
        one = self._inputs[self._index]
        self._name = one.name
        self._cutter = LineCutter(self._max_line_bytes)
        if one.path is None:
            self._key = random_key()
            self._stream = DescriptorStream(self._stdin_fd, one.name, owned=False)
            return
        try:
            # A fifo without a writer would block in open(); this descriptor is ours alone.
            extra = os.O_NONBLOCK if one.is_fifo else 0
            descriptor = os.open(one.path, os.O_RDONLY | os.O_CLOEXEC | extra)
        except OSError as err:
            self.close()
            raise InputError(f"cannot be read: {err.strerror}", where=one.name) from err
        self._key = (
            random_key() if one.size_bytes is None else file_key(descriptor, self._keys_seen)
        )
        if one.is_gzip:
            self._stream = GzipStream(descriptor, one.name)
        else:
            self._stream = DescriptorStream(descriptor, one.name, owned=True)

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._bytes_done += self._stream.position()
            self._stream.close()
            self._stream = None


def open_inputs(inputs: Sequence[str], *, stdin_fd: int = 0) -> LineSource:
    """Check all inputs, then give a source that reads them in order.

    Args:
        inputs: paths, "-" for standard input, patterns such as "data/*.jsonl" (read in sorted
            order). A name that ends in .gz is unpacked on the way.
        stdin_fd: the descriptor that "-" stands for.

    Returns:
        A source that the caller closes.

    Raises:
        InputError: a name that cannot be read; nothing has been read then.
    """
    return LineSource(find_inputs(inputs, stdin_fd=stdin_fd), stdin_fd=stdin_fd)
