"""Inputs become requests: what one message to the gateway carries.

Two kinds of sources: raw lines, which travel unparsed, and Documents, which travel as columnar
batches. A session asks either for its next request and sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from jina.defaults import MAX_REQUEST_DOCS, REQUEST_BYTES, REQUEST_DOCS
from jina.excepts import BadClientInput, DocumentError
from jina.readers import Chunk, LineSource
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.body import write_body
from jina.wire.maps import DOCS, LINES, Call, Part, pack_map


class Request(NamedTuple):
    """One message's worth of input.

    Attributes:
        parts: of the body.
        frames: of the body.
        rows: lines or Documents.
        base: number of the first line in its source; 0 for Documents.
        call: the call map, encoded.
        chunk: the lines, kept until the request is answered; None for Documents.
        docs: the Documents, kept likewise; None for lines or when there are none.
    """

    parts: list[Part]
    frames: list[Any]
    rows: int
    base: int
    call: bytes
    chunk: Chunk | None = None
    docs: DocumentArray | None = None


class RequestSource(Protocol):
    """Where a session takes its requests from, on the session's own thread."""

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""

    def next(self) -> Request | None:
        """The next full request; None when waiting on `fileno` may bring one."""

    def partial(self) -> Request | None:
        """What is at hand, for a sender that has waited long enough; None when there is nothing."""

    def fileno(self) -> int | None:
        """The descriptor to poll for more input; None when `next` never waits."""


class LineRequests:
    """Requests of raw lines.

    Args:
        source: opened; the caller closes it.
        call: for every request; source, key and oversize are filled in.
        request_docs: most lines in a request.
        limit: most lines in all; None for no limit.
    """

    def __init__(
        self,
        source: LineSource,
        call: Call,
        *,
        request_docs: int = REQUEST_DOCS,
        limit: int | None = None,
    ) -> None:
        self._source = source
        self._call = call
        self._request_docs = request_docs
        self._left = limit
        self._packed: tuple[str, str, bytes] = ("", "", b"")

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""
        return self._source.at_end or self._left == 0

    def fileno(self) -> int | None:
        """The descriptor to poll for more input."""
        return self._source.fileno()

    def next(self) -> Request | None:
        """The next full request."""
        return self._request(
            self._source.next_chunk(max_lines=self._most(), max_bytes=REQUEST_BYTES)
        )

    def partial(self) -> Request | None:
        """The complete lines at hand."""
        return self._request(
            self._source.take_partial(max_lines=self._most(), max_bytes=REQUEST_BYTES)
        )

    def _most(self) -> int:
        return self._request_docs if self._left is None else min(self._request_docs, self._left)

    def _request(self, chunk: Chunk | None) -> Request | None:
        if chunk is None:
            return None
        if self._left is not None:
            self._left -= chunk.lines
        part = Part(LINES, DOCS, 1, chunk.lines)
        return Request(
            [part], [chunk.data], chunk.lines, chunk.first_line, self._pack(chunk), chunk
        )

    def _pack(self, chunk: Chunk) -> bytes:
        """The call map: the same bytes for every chunk of a source, but for oversize lines."""
        if not chunk.oversize and self._packed[:2] == (chunk.source, chunk.key):
            return self._packed[2]
        packed = pack_map(call_of(self._call, chunk))
        if not chunk.oversize:
            self._packed = (chunk.source, chunk.key, packed)
        return packed


def call_of(call: Call, chunk: Chunk) -> Call:
    """The call map of one chunk."""
    return Call(
        call.parameters, chunk.source, chunk.key, call.lines, call.tensors, list(chunk.oversize)
    )


class DocumentRequests:
    """Requests of Documents from Python.

    Args:
        inputs: what `post` was given, see `as_documents`.
        call: for every request.
        request_docs: Documents in a request; 0 for all in one.
    """

    def __init__(self, inputs: Any, call: Call, *, request_docs: int = REQUEST_DOCS) -> None:
        self._call = pack_map(call)
        self._request_docs = request_docs if request_docs > 0 else MAX_REQUEST_DOCS
        self.at_end = False
        self._elements: Iterator[Any] | None = None
        self._index = 0
        if inputs is not None:
            self._elements = iter(_elements(inputs))
            # An empty list is a request without Documents, an exhausted generator is none.
            self._send_empty = isinstance(inputs, (list, tuple, DocumentArray)) and not len(inputs)

    def fileno(self) -> None:
        """An iterable cannot be polled: `next` waits for its elements."""

    def partial(self) -> None:
        """There is never a part at hand."""

    def next(self) -> Request | None:
        """The next request."""
        if self._elements is None or self._send_empty:
            self.at_end = True
            return Request([], [], 0, 0, self._call)
        docs: list[Document] = []
        groundtruths: list[Document] = []
        for element in self._elements:
            doc, groundtruth = as_document(element, self._index)
            self._index += 1
            docs.append(doc)
            if groundtruth is not None:
                groundtruths.append(groundtruth)
            if len(docs) >= self._request_docs:
                break
        else:
            self.at_end = True
        if not docs:
            return None
        array = DocumentArray(docs)
        parts, frames = write_body(array, DocumentArray(groundtruths), None)
        return Request(parts, frames, len(docs), 0, self._call, None, array)


def as_document(element: Any, index: int) -> tuple[Document, Document | None]:
    """Make a Document, and its groundtruth when the element is a pair.

    Args:
        element: a Document, str (text), bytes (buffer), dict, numpy array (blob), or a pair.
        index: of the element, for messages.

    Raises:
        BadClientInput: it cannot become a Document.
    """
    if isinstance(element, tuple) and len(element) == 2:
        return _one(element[0], index), _one(element[1], index)
    return _one(element, index), None


def _one(element: Any, index: int) -> Document:
    try:
        if isinstance(element, Document):
            return element
        if isinstance(element, str):
            return Document(text=element)
        if isinstance(element, bytes):
            return Document(buffer=element)
        if isinstance(element, dict):
            return Document(element)
        if hasattr(element, "__array__"):
            return Document(blob=element)
    except DocumentError as error:
        raise BadClientInput(str(error), where=f"inputs[{index}]") from error
    raise BadClientInput(
        f"{type(element).__name__} cannot become a Document",
        where=f"inputs[{index}]",
        hint="give Documents, str, bytes, dict, numpy arrays, or (document, groundtruth) pairs",
    )


def _elements(inputs: Any) -> Iterable[Any]:
    if isinstance(inputs, Callable):  # type: ignore[arg-type]  # the abc is meant
        inputs = inputs()
    if isinstance(inputs, (Document, str, bytes, dict)) or hasattr(inputs, "__array__"):
        return [inputs]
    if isinstance(inputs, tuple) and len(inputs) == 2 and isinstance(inputs[0], Document):
        return [inputs]
    if isinstance(inputs, Iterable):
        return inputs
    raise BadClientInput(
        f"inputs cannot be {type(inputs).__name__}",
        hint="give a Document, a list or generator of Documents, or a function that returns one",
    )
