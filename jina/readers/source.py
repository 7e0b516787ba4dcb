"""Read several inputs, in order, as one stream of chunks of lines.

Chunks are raw bytes: nothing here knows JSON or Documents. Where a reader makes Documents itself,
they are passed on as they are.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from jina.defaults import ENDLESS_LINE_BYTES, KIB, MAX_LINE_BYTES, MIB, REQUEST_BYTES, REQUEST_DOCS
from jina.excepts import InputError, JinaError
from jina.readers.formats import STORED
from jina.readers.inputs import Input, find_inputs
from jina.readers.lines import Cutter, LineCutter
from jina.readers.options import ReadOptions, Renames
from jina.readers.remote import RemoteStream, open_descriptor
from jina.readers.stream_keys import file_key, random_key
from jina.readers.streams import ByteStream, DescriptorStream, refuse_packed

if TYPE_CHECKING:
    from jina.readers.rows import RowReader, Rows

_BLOCK_BYTES = 256 * KIB  # larger ones leave the processor's cache and gain nothing


class Chunk(NamedTuple):
    """Whole lines of one source."""

    pieces: list[bytes]
    """The lines, each by itself or several in one piece. Each line ends in a newline, the last of a
    file too; a leading UTF-8 BOM is cut."""
    lines: int
    """How many, blank ones included."""
    first_line: int
    """1-based number of the first line in its source."""
    source: str
    """The file's name as the user gave it, or "<stdin>"."""
    key: str
    """Stream key, 16 hex digits; a line without an id is called `<key>-<line number>`."""
    oversize: tuple[tuple[int, int, int], ...] = ()
    """(row in data, line number, size in bytes) of lines over the limit. An empty line takes the
    place of each, so that rows and line numbers stay right."""

    @property
    def data(self) -> bytes:
        """The lines in one piece."""
        return b"".join(self.pieces)

    @property
    def each(self) -> list[bytes]:
        """The lines, each by itself."""
        return self.pieces if len(self.pieces) == self.lines else list(BytesIO(self.data))

    @property
    def is_blank(self) -> bool:
        """Whether no line has an outcome: all are blank."""
        return not self.oversize and all(map(bytes.isspace, self.pieces))


class LineSource:
    """Reads inputs one after the other; a chunk never spans two of them.

    The sender loops, in one thread:

        chunk = source.next_chunk(...)
        if chunk is None and not source.at_end:
            poll source.fileno(); after REQUEST_IDLE_S without a new line: source.take_partial()

    Args:
        inputs: what to read, checked by find_inputs.
        stdin_fd: the descriptor of standard input; it is neither closed nor changed.
        max_line_bytes: longer lines are not kept but reported in Chunk.oversize.
        options: how to read them; the format is not used, because each input has its own.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        *,
        stdin_fd: int = 0,
        max_line_bytes: int = MAX_LINE_BYTES,
        options: ReadOptions | None = None,
    ) -> None:
        self._inputs = list(inputs)
        self._options = options or ReadOptions()
        self.renames = Renames(self._options.resolver)
        """The new names for keys, and which of them nothing has needed so far."""
        self._stdin_fd = stdin_fd
        self._max_line_bytes = max_line_bytes
        self._block_bytes = min(_BLOCK_BYTES, max_line_bytes)
        self._index = -1  # of the input that is being read
        self._stream: ByteStream | None = None
        self._is_begun = False  # the stream has given a block
        self._cutter: Cutter = LineCutter(max_line_bytes)
        self._rows: RowReader | None = None  # instead of stream and cutter
        self._name = ""
        self._key = ""
        self._keys_seen: set[str] = set()
        self._bytes_done = 0  # of the inputs before this one
        self._closed_at = 0  # how far the last input was read when it was closed
        self._fed_bytes = 0  # of this input, to the cutter
        self._unbroken_bytes = 0  # since lines were last taken
        self._failure: InputError | None = None
        self.at_end = not self._inputs
        """Nothing is left: the last chunk has been returned."""
        self.lines_read = 0
        """Lines returned so far, of all inputs."""
        self.lines_before = self._inputs[0].first_line - 1 if self._inputs else 0
        """Lines of the first input that are before its range."""

    @property
    def bytes_read(self) -> int:
        """Bytes read from the inputs so far; of compressed files, compressed bytes."""
        reading = self._stream if self._rows is None else self._rows
        return self._bytes_done + (0 if reading is None else reading.position())

    @property
    def bytes_taken(self) -> int:
        """About how many of those bytes the lines had that were returned so far."""
        if self._rows is not None or not self._fed_bytes:
            return self.bytes_read
        read = self._closed_at if self._stream is None else self._stream.position()
        # What is held may be unpacked, and `read` counts packed bytes.
        return self.bytes_read - read * self._cutter.held_bytes // self._fed_bytes

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
                if one.remote is None
            )
        return False

    def fileno(self) -> int | None:
        """The descriptor to poll; None when nothing has to be waited for."""
        return None if self._stream is None else self._stream.fileno()

    def next_chunk(self, *, max_lines: int, max_bytes: int) -> Chunk | Rows | None:
        """The next full chunk, or the rest of a source at its end.

        Args:
            max_lines: most lines in the chunk, at least 1.
            max_bytes: most bytes in the chunk, at least 1; one line alone may be longer.

        Returns:
            Lines, or Documents where the reader makes them itself. None when more input is needed
            that has not arrived yet, or at the end.

        Raises:
            InputError: an input breaks off; all whole lines before that place have been returned.
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
    ) -> Chunk | Rows | None:
        """The complete lines that are here, for a sender that has waited long enough.

        Nothing is read. None when not even one line is complete.
        """
        return None if self.at_end else self._take(max_lines, max_bytes, partial=True)

    def close(self) -> None:
        """Let go of the open file; may be called twice."""
        self.at_end = True
        self._close_input()

    def __enter__(self) -> LineSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, max_lines: int, max_bytes: int, *, partial: bool) -> Chunk | Rows | None:
        try:
            if self._rows is not None:
                return self._take_rows(self._rows, max_lines, max_bytes)
            if type(self._cutter) is not LineCutter:
                # What these make of the lines is longer, and must fit into a frame, too.
                max_bytes = min(max_bytes, REQUEST_BYTES)
            cut = self._cutter.take(max_lines, max_bytes, partial=partial)
        except InputError:
            self.close()
            raise
        if cut is None:
            return None
        self._unbroken_bytes = 0
        self.lines_read += cut.lines
        if cut.refused or cut.places:
            # Late: it makes Documents, and most runs need none.
            from jina.readers.rows import rows_of_lines

            return rows_of_lines(cut, self._name, self._key)
        return Chunk(cut.pieces, cut.lines, cut.first_line, self._name, self._key, cut.oversize)

    def _take_rows(self, reader: RowReader, max_rows: int, max_bytes: int) -> Rows | None:
        rows = reader.take(max_rows, max_bytes)
        if rows is None:
            self._close_input()
        else:
            self.lines_read += rows.lines
        return rows

    def _read_on(self) -> bool:
        """Read a block, note an end or open the next input; False when nothing has arrived yet."""
        if self._stream is None:
            if self._rows is None:
                self._open_next()
            return True
        try:
            self._check_that_lines_end()
            block = self._stream.read(self._block_bytes)
            if block and not self._is_begun:
                self._is_begun = True
                refuse_packed(block, self._name)
        except InputError as err:
            # The complete lines are sent first; the one that breaks off is not.
            self._failure = err
            return True
        if block is None:
            return False
        if block:
            self._fed_bytes += len(block)
            self._unbroken_bytes += len(block)
            self._cutter.feed(block)
        else:
            self._cutter.finish()
            self._close_input()
        return True

    def _check_that_lines_end(self) -> None:
        """Give up a pipe or device that sends a line without end, such as /dev/zero.

        Raises:
            InputError: it has sent far more than the longest line may have.
        """
        if self._unbroken_bytes <= ENDLESS_LINE_BYTES:
            return
        if self._inputs[self._index].size_bytes is None:
            raise InputError(
                f"a line does not end within {ENDLESS_LINE_BYTES // MIB} MiB; the limit is "
                f"{MAX_LINE_BYTES // MIB} MiB",
                where=self._name,
                hint="is it text? each line is one Document",
            )

    def _open_next(self) -> None:
        self._index += 1
        if self._index == len(self._inputs):
            self.at_end = True
            return
        one = self._inputs[self._index]
        self._name = one.name
        self._is_begun = one.first_line > 1  # only the start of a file can say what it is
        self._fed_bytes = 0
        self._cutter = self._new_cutter(one)
        if one.format == "files":
            self._open_files()
        elif one.path is None:
            self._key = random_key()
            self._stream = DescriptorStream(self._stdin_fd, one.name, owned=False)
        else:
            self._open_file(one)

    def _open_file(self, one: Input) -> None:
        try:
            if one.remote is not None and not one.is_gzip and one.format not in STORED:
                self._key, self._stream = one.key, RemoteStream(one)
                return
            descriptor = open_descriptor(one)
            self._key = self._key_of(one, descriptor)
        except OSError as err:
            self.close()
            raise InputError(f"cannot be read: {err.strerror}", where=one.name) from err
        except JinaError:
            self.close()
            raise
        if one.format in STORED:
            try:
                self._rows = self._new_rows(one, descriptor)
            except JinaError:
                self.close()
                raise
        elif one.is_gzip:
            # Late: few inputs are compressed.
            from jina.readers.gzipped import GzipStream

            self._stream = GzipStream(descriptor, one.name)
        else:
            self._stream = DescriptorStream(
                descriptor, one.name, owned=True, start=one.start, stop=one.stop
            )

    def _new_cutter(self, one: Input) -> Cutter:
        if one.format in STORED or (one.format == "jsonl" and not self.renames.resolver):
            return LineCutter(self._max_line_bytes, one.first_line)  # a container's stays empty
        # Late: most inputs are JSON lines that keep their keys.
        from jina.readers.cutters import new_cutter

        return new_cutter(one.format, self.renames, one.name, self._max_line_bytes, one.first_line)

    def _new_rows(self, one: Input, descriptor: int) -> RowReader:
        self.renames.meet(self.renames.resolver)  # the container itself refuses unknown names
        if one.format in ("npy", "npz"):
            from jina.readers.arrays import open_arrays  # late: numpy

            return open_arrays(one, self.renames.resolver, descriptor, self._key)
        from jina.readers.columnar import open_columnar  # late: pyarrow, an optional package

        return open_columnar(one, self.renames.resolver, descriptor, self._key)

    def _key_of(self, one: Input, descriptor: int) -> str:
        if one.key:
            return one.key
        if one.size_bytes is None:
            return random_key()
        try:
            return file_key(descriptor, self._keys_seen)
        except OSError:
            os.close(descriptor)
            raise

    def _open_files(self) -> None:
        """Read this file and those that follow as one source: a request takes several of them."""
        # Late: it makes Documents.
        from jina.readers.files import FileReader

        end = self._index
        while end < len(self._inputs) and self._inputs[end].format == "files":
            end += 1
        files = self._inputs[self._index : end]
        self._index = end - 1
        self._rows = FileReader(files, self._options.content, self._keys_seen)

    def _close_input(self) -> None:
        """Let go of the input that is being read."""
        for reading in (self._stream, self._rows):
            if reading is not None:
                self._closed_at = reading.position()
                self._bytes_done += self._closed_at
                reading.close()
        self._stream = self._rows = None


def open_inputs(
    inputs: Sequence[str], *, stdin_fd: int = 0, options: ReadOptions | None = None
) -> LineSource:
    """Check all inputs, then return a source that reads them in order.

    Args:
        inputs: paths, "-" for standard input, patterns such as "data/*.jsonl" (read in sorted
            order), URLs. A name that ends in .gz is unpacked on the way.
        stdin_fd: the descriptor for "-".
        options: how they are read, beyond their names.

    Returns:
        A source, which the caller closes.

    Raises:
        InputError: one of them cannot be read; nothing has been read then.
    """
    found = find_inputs(inputs, stdin_fd=stdin_fd, options=options)
    return LineSource(found, stdin_fd=stdin_fd, options=options)
