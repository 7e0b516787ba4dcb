"""What one message to the gateway carries, and where an exchange takes its requests from.

Raw lines become requests here, unparsed; Documents do in `jina.client.documents`. No Document is
built here, so that a post of lines does not load what it never uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from jina.defaults import (
    BULK_AFTER_LINES,
    BULK_REQUEST_BYTES,
    BULK_REQUEST_DOCS,
    MAX_REQUEST_BYTES,
    READ_BYTES,
    REQUEST_BYTES,
    REQUEST_DOCS,
)
from jina.excepts import InputError
from jina.readers import Chunk, LineSource, ReadOptions, open_inputs
from jina.wire.maps import DOCS, LINES, Call, Part, pack_map
from jina.writers import Form

if TYPE_CHECKING:
    from jina.readers.rows import Rows
    from jina.types.arrays.document import DocumentArray
    from jina.wire.maps import LineFailures


class Request(msgspec.Struct, frozen=True):
    """One message's worth of input.

    Attributes:
        parts: of the body.
        frames: of the body.
        rows: lines or Documents.
        base: number of the first line in its source; 0 for Documents.
        call: the call map, encoded.
        chunk: the lines, kept until the request is answered; None for Documents.
        docs: the Documents, kept likewise; None for lines or when there are none.
        failures: outcomes of rows that a reader refused, beside the Documents.
        lines_read: lines of all inputs that had been read with this one's last; 0 for Documents.
        bytes_read: likewise the bytes of all inputs, about.
    """

    parts: list[Part]
    frames: list[Any]
    rows: int
    base: int
    call: bytes
    chunk: Chunk | None = None
    docs: DocumentArray | None = None
    failures: LineFailures | None = None
    lines_read: int = 0
    bytes_read: int = 0


class RequestSource(Protocol):
    """Where an exchange takes its requests from, on its own thread."""

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""

    def next(self) -> Request | None:
        """The next full request; None if more input must come first."""

    def partial(self) -> Request | None:
        """The lines at hand, for a sender that has waited long enough; None if there are none."""

    def fileno(self) -> int | None:
        """The descriptor to poll for more input; None when `next` never waits."""


def usual_size(source: LineSource) -> int:
    """The most lines in the next request of a source, if nobody has said how many.

    A request costs the same whatever it holds, half of it in the kernel. So once a file proves
    long, its requests grow, unless its lines are long, too. Those of a pipe never do: somebody may
    be waiting at its end.
    """
    lines = source.lines_before + source.lines_read
    if lines < BULK_AFTER_LINES or source.fileno() is not None:
        return REQUEST_DOCS
    fitting = BULK_REQUEST_BYTES * source.lines_read // max(1, source.bytes_taken)
    return max(REQUEST_DOCS, min(fitting, BULK_REQUEST_DOCS))


class LineRequests:
    """Requests of raw lines.

    Args:
        source: opened; the caller closes it.
        call: for every request; source, key and oversize are filled in.
        request_docs: lines in a request, fewer only if they do not fit into a message; None for
            what suits the input.
        limit: most lines in all; None for no limit.
    """

    def __init__(
        self,
        source: LineSource,
        call: Call,
        *,
        request_docs: int | None = None,
        limit: int | None = None,
    ) -> None:
        self._source = source
        self._call = call
        self._request_docs = request_docs
        self._most_bytes = REQUEST_BYTES if request_docs is None else MAX_REQUEST_BYTES
        self._left = limit
        self._packed: tuple[str, str, bytes] = ("", "", b"")

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""
        return self._source.at_end or (self._left is not None and self._left <= 0)

    def fileno(self) -> int | None:
        """The descriptor to poll for more input."""
        return self._source.fileno()

    def next(self) -> Request | None:
        """The next full request."""
        while not self.at_end:
            chunk = self._source.next_chunk(max_lines=self._most(), max_bytes=self._most_bytes)
            request = self._request(chunk)
            if request is not None or chunk is None:
                return request
        return None

    def partial(self) -> Request | None:
        """The complete lines at hand."""
        return self._request(
            self._source.take_partial(max_lines=self._most(), max_bytes=self._most_bytes)
        )

    def _most(self) -> int:
        most = usual_size(self._source) if self._request_docs is None else self._request_docs
        return most if self._left is None else min(most, self._left)

    def _request(self, chunk: Chunk | Rows | None) -> Request | None:
        if chunk is None:
            return None
        if self._left is not None:
            self._left -= chunk.lines  # a row of several lines may have more than were left
        if not isinstance(chunk, Chunk):
            return self._request_of_rows(chunk)
        if chunk.is_blank:
            return None  # there is nothing to ask for
        data = chunk.data
        chunk = chunk._replace(pieces=[data])  # kept until it is answered, and not twice
        return Request(
            [Part(LINES, DOCS, 1, chunk.lines)],
            [data],
            chunk.lines,
            chunk.first_line,
            self._pack(chunk),
            chunk,
            lines_read=self._source.lines_read,
            bytes_read=self._source.bytes_taken,
        )

    def _request_of_rows(self, rows: Rows) -> Request | None:
        # Late: see the module.
        from jina.wire.body import write_body

        if not len(rows.docs) and rows.failures is None:
            return None
        parts, frames = write_body(rows.docs, rows.groundtruths, rows.failures)
        return Request(
            parts,
            frames,
            rows.lines,
            0,
            pack_map(self._call),
            docs=rows.docs,
            failures=rows.failures,
            lines_read=self._source.lines_read,
            bytes_read=self._source.bytes_taken,
        )

    def _pack(self, chunk: Chunk) -> bytes:
        """The encoded call map: one for all chunks of a source that have no oversize lines."""
        if not chunk.oversize and self._packed[:2] == (chunk.source, chunk.key):
            return self._packed[2]
        packed = pack_map(call_of(self._call, chunk))
        if not chunk.oversize:
            self._packed = (chunk.source, chunk.key, packed)
        return packed


def call_of(call: Call, chunk: Chunk) -> Call:
    """The call map of one chunk."""
    return replace(call, source=chunk.source, key=chunk.key, oversize=list(chunk.oversize))


def call_for(form: Form, call: Call) -> Call:
    """The call of a post whose results are written in a format: what it needs, and no more.

    Raises:
        InputError: the call leaves out what the format is made of.
    """
    if not form.is_stored:
        return call
    if form.name == "parquet":
        return replace(call, tensors="base64")  # it has their types
    if "embedding" in call.exclude or (call.select and "embedding" not in call.select):
        option = "--exclude" if call.exclude else "--select"
        what = "leaves it out" if call.exclude else "does not name it"
        raise InputError(
            f"an array of embeddings needs the field `embedding`, and {option} {what}",
            where="embedding",
        )
    return replace(call, tensors="base64", select=["id", "embedding"], exclude=[])


def open_lines(
    inputs: Sequence[str], reading: ReadOptions, output: str, skipped_lines: int
) -> LineSource:
    """Open the inputs after the lines that have their outcomes already.

    Args:
        inputs: paths, patterns, or "-" for standard input.
        reading: how they are read.
        output: where the results go, "-" for standard output.
        skipped_lines: how many lines at the start to leave out.

    Returns:
        a source that the caller closes.

    Raises:
        InputError: an input cannot be read, or is where the results go.
    """
    lines = open_inputs(inputs, options=reading)
    try:
        if lines.is_fed_by(1 if output == "-" else output):
            raise InputError(
                "this is an input, so the results cannot be written to it",
                where="<stdout>" if output == "-" else output,
                hint="write to another file and rename it afterwards",
            )
        while lines.lines_read < skipped_lines and not lines.at_end:
            most = min(skipped_lines - lines.lines_read, REQUEST_DOCS)
            lines.next_chunk(max_lines=most, max_bytes=READ_BYTES)
    except BaseException:  # refused, or Ctrl-C: nobody else can close the inputs yet
        lines.close()
        raise
    return lines
