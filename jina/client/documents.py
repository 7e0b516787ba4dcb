"""Turn Documents from Python into requests: columnar batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jina.client.requests import Request
from jina.defaults import MAX_REQUEST_BYTES, MAX_REQUEST_DOCS, REQUEST_BYTES, REQUEST_DOCS
from jina.excepts import BadClientInput, DocumentError, described
from jina.records.sizes import size_of
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.body import write_body
from jina.wire.maps import Call, pack_map

_END = object()


class DocumentRequests:
    """Requests of Documents from Python.

    Args:
        inputs: what `post` was given, see `as_documents`.
        call: for every request.
        request_docs: Documents in a request, fewer only if they do not fit into a message; 0 for
            as many as fit. None for what is usual: 100, or fewer if they are large.
    """

    def __init__(self, inputs: Any, call: Call, *, request_docs: int | None = None) -> None:
        self._call = pack_map(call)
        # Tensors have frames of their own, so only contents can be too many for a message.
        self._counts_tensors = request_docs is None
        self._most_bytes = REQUEST_BYTES if request_docs is None else MAX_REQUEST_BYTES
        request_docs = REQUEST_DOCS if request_docs is None else request_docs
        self._request_docs = request_docs if request_docs > 0 else MAX_REQUEST_DOCS
        self._waiting: tuple[Document, Document | None] | None = None  # it did not fit any more
        self.at_end = False
        self._elements: Iterator[Any] | None = None
        self._index = 0
        if inputs is not None:
            self._elements = iter(_elements(inputs))
            # An empty list is a request without Documents, an exhausted generator is none.
            self._send_empty = isinstance(inputs, (list, tuple, DocumentArray)) and not len(inputs)

    def fileno(self) -> None:
        """None: an iterable cannot be polled, `next` waits for its elements."""

    def partial(self) -> None:
        """None: nothing is ever kept back."""

    def next(self) -> Request | None:
        """The next request."""
        if self._elements is None or self._send_empty:
            self.at_end = True
            return Request([], [], 0, 0, self._call)
        docs: list[Document] = []
        groundtruths: list[Document] = []
        size = 0
        while len(docs) < self._request_docs:
            doc, truth = self._waiting or self._pair()
            self._waiting = None
            if doc is None:
                self.at_end = True
                break
            size += self._size(doc) if truth is None else self._size(doc) + self._size(truth)
            if size > self._most_bytes and docs:
                self._waiting = doc, truth
                break
            docs.append(doc)
            if truth is not None:
                groundtruths.append(truth)
        if not docs:
            return None
        array = DocumentArray._of_rows(docs)
        beside = DocumentArray._of_rows(groundtruths) if groundtruths else None
        parts, frames = write_body(array, beside, None)
        return Request(parts, frames, len(docs), 0, self._call, None, array)

    def _pair(self) -> tuple[Document | None, Document | None]:
        """The next Document, and its groundtruth if it has one; no Document at the end."""
        try:
            element = _END if self._elements is None else next(self._elements, _END)
        except Exception as error:  # the user's own code
            raise BadClientInput(
                f"the inputs raised {described(error)}",
                where=f"inputs[{self._index}]",
            ) from error
        if element is _END:
            return None, None
        self._index += 1
        if isinstance(element, Document):
            return element, None
        return as_document(element, self._index - 1)

    def _size(self, doc: Document) -> int:
        in_body, tensors = size_of(doc._record)
        return in_body + tensors if self._counts_tensors else in_body


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
        hint="use Documents, str, bytes, dict, numpy arrays, or (document, groundtruth) pairs",
    )


def _elements(inputs: Any) -> Iterable[Any]:
    if isinstance(inputs, Document):
        return [inputs]
    if callable(inputs):
        inputs = inputs()
    if isinstance(inputs, (Document, str, bytes, dict)) or hasattr(inputs, "__array__"):
        return [inputs]
    if isinstance(inputs, tuple) and len(inputs) == 2 and isinstance(inputs[0], Document):
        return [inputs]
    if isinstance(inputs, Iterable):
        return inputs
    raise BadClientInput(
        f"inputs cannot be {type(inputs).__name__}",
        hint="use a Document, a list or generator of Documents, or a function that returns one",
    )
