"""Cut blocks of bytes into runs of whole lines.

It opens no file and knows nothing of JSON; CRLF and blank lines are passed on as they are.
"""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from typing import NamedTuple, Protocol

from jina.defaults import MAX_LINE_BYTES, MIB

_BOM = b"\xef\xbb\xbf"


class Refused(NamedTuple):
    """A line that is not a Document; in the data of its run a blank line takes its place."""

    row: int
    """In its run."""
    message: str
    id: str = ""
    """Of its Document, where it is known."""


class CutLines(NamedTuple):
    """A run of whole lines."""

    pieces: list[bytes]
    """The lines, each by itself or several in one piece; each ends in a newline."""
    lines: int
    """How many, blank ones included."""
    first_line: int
    """1-based number of the first one."""
    oversize: tuple[tuple[int, int, int], ...]
    """(row in this run, line number, size in bytes) of each line that was too long to keep."""
    refused: tuple[Refused, ...] = ()
    places: tuple[str, ...] = ()
    """Where each line was in its source, such as "3:17"; empty where line numbers say it."""

    @property
    def data(self) -> bytes:
        """The lines in one piece."""
        return b"".join(self.pieces)


class Cutter(Protocol):
    """Turns one source into JSON lines; LineSource calls it, from one thread."""

    @property
    def held_bytes(self) -> int:
        """About how many bytes were fed of which `take` has returned nothing yet."""

    def feed(self, block: bytes) -> None:
        """Add the next block; `take` has returned None."""

    def finish(self) -> None:
        """The source has ended; `take` has returned None."""

    def take(self, max_lines: int, max_bytes: int, *, partial: bool = False) -> CutLines | None:
        """Cut the next run; see LineCutter.take.

        Raises:
            InputError: the source is damaged here; everything before has been returned.
        """


class LineCutter:
    """Turns the blocks of one source, in order, into runs of lines.

    The caller takes runs until it gets None. Then it feeds the next block or, at the end of the
    source, finishes and takes the rest. Python's own line iteration over a block is twice as fast
    as a loop over `find`, so a run comes as a list of lines.

    Args:
        max_line_bytes: a longer line (not counting its newline) is dropped while it is read, and
            an empty line takes its place. Blocks must not be longer than this.
        first_line: number of the first line, where reading begins within a source.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES, first_line: int = 1) -> None:
        self.max_line_bytes = max_line_bytes
        self._block = BytesIO()
        self._block_bytes = 0
        self._lines: list[bytes] = []  # whole lines, until there are enough for a run
        self._size = 0  # bytes in _lines
        self._tail = bytearray()  # the start of a line whose end has not arrived yet
        self._tail_size = 0  # bytes of that line so far, including dropped ones
        self._is_dropping = False  # that line is too long: its pieces are not kept
        self._oversize: list[tuple[int, int]] = []  # (line number, size) among _lines
        self._next_line = first_line  # number of the first line in _lines
        self._is_finished = False

    @property
    def next_line(self) -> int:
        """Number of the line after the last one taken."""
        return self._next_line

    @property
    def held_bytes(self) -> int:
        """See Cutter."""
        return self._block_bytes - self._block.tell() + self._size + len(self._tail)

    def feed(self, block: bytes) -> None:
        """Add the next block; `take` has returned None, so that the last one is used up."""
        self._block = BytesIO(block)
        self._block_bytes = len(block)

    def finish(self) -> None:
        """The source has ended; a last line without a newline counts as a line."""
        self._is_finished = True
        if self._next_line == 1 and not self._lines and self._tail == _BOM:
            self._tail_size = 0  # a file that holds only the mark is empty
        if self._tail_size:
            self._end_line(b"\n")

    def take(self, max_lines: int, max_bytes: int, *, partial: bool = False) -> CutLines | None:
        """Cut the next run of lines.

        Args:
            max_lines: most lines in the run, at least 1.
            max_bytes: most bytes in the run, at least 1; one line alone may be longer.
            partial: take the lines that are here, even if there is room for more.

        Returns:
            None when the run is not full yet, or when nothing is left after the end.
        """
        lines = self._lines
        if len(lines) < max_lines and self._size < max_bytes:
            self._split(max_lines - len(lines))
        count = len(lines)
        is_full = count >= max_lines or self._size >= max_bytes
        if not count or not (is_full or partial or self._is_finished):
            return None
        if count > max_lines or self._size > max_bytes:
            count = _fitting(lines, max_lines, max_bytes)
        return self._cut(count)

    def _split(self, count: int) -> None:
        """Move up to `count` lines from the block to the lines that wait."""
        block = self._block
        if self._tail_size:
            piece = block.readline()
            if not piece.endswith(b"\n"):
                self._keep(piece)
                return
            self._end_line(piece)
            count -= 1
        start = block.tell()
        lines = list(islice(block, count))
        if not lines:
            return
        self._size += block.tell() - start
        if not lines[-1].endswith(b"\n"):
            piece = lines.pop()
            self._size -= len(piece)
            self._keep(piece)
        self._lines += lines

    def _keep(self, piece: bytes) -> None:
        """Keep the start, or the next piece, of a line whose end has not arrived yet."""
        self._tail_size += len(piece)
        if self._is_dropping or self._tail_size > self.max_line_bytes:
            self._is_dropping = True
            self._tail.clear()
        else:
            self._tail += piece

    def _end_line(self, piece: bytes) -> None:
        """Join a line that came in several pieces; this is the last one."""
        size = self._tail_size + len(piece) - 1
        if size > self.max_line_bytes:
            self._oversize.append((self._next_line + len(self._lines), size))
            line = b"\n"
        else:
            line = b"".join((self._tail, piece))
        self._tail.clear()
        self._tail_size = 0
        self._is_dropping = False
        self._lines.append(line)
        self._size += len(line)

    def _cut(self, count: int) -> CutLines:
        """Make a run of the first `count` waiting lines."""
        first_line = self._next_line
        lines, self._lines = self._lines[:count], self._lines[count:]
        self._size = self._size - sum(map(len, lines)) if self._lines else 0
        self._next_line += count
        oversize: tuple[tuple[int, int, int], ...] = ()
        if self._oversize:
            here = [entry for entry in self._oversize if entry[0] < self._next_line]
            oversize = tuple((number - first_line, number, size) for number, size in here)
            del self._oversize[: len(here)]
        if first_line == 1:
            lines[0] = lines[0].removeprefix(_BOM)
        return CutLines(lines, count, first_line, oversize)


def _fitting(lines: list[bytes], max_lines: int, max_bytes: int) -> int:
    """How many of the lines fit into one run, at least one."""
    size = 0
    for count, line in enumerate(lines[:max_lines]):
        size += len(line)
        if size > max_bytes:
            return max(count, 1)
    return min(len(lines), max_lines)


def too_long(what: str, size: int, limit: int = MAX_LINE_BYTES) -> str:
    """The message for a line, row, element or file that is over the limit."""
    shown = f"{limit // MIB} MiB" if limit >= MIB else f"{limit} bytes"
    text = f"{what} of more than {shown} ({size} bytes seen), which is too long"
    # Whoever writes JSON or a table can write something shorter.
    is_written = what in ("a line", "an element")
    return f"{text}; put the content in a file, and its path in `uri`" if is_written else text


def not_utf8(err: UnicodeDecodeError) -> str:
    """The message for a line with a wrong byte, counted from 1; the same as for JSON lines."""
    return f"not valid UTF-8: byte 0x{err.object[err.start]:02x} at byte {err.start + 1}"
