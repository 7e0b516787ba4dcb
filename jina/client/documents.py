"""Turn Documents from Python into requests: columnar batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jina.client.requests import Request
from jina.defaults import MAX_REQUEST_DOCS, REQUEST_DOCS
from jina.excepts import BadClientInput, DocumentError, described
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
        while len(docs) < self._request_docs:
            try:
                element = next(self._elements, _END)
            except Exception as error:  # the user's own code
                raise BadClientInput(
                    f"the inputs raised {described(error)}",
                    where=f"inputs[{self._index}]",
                ) from error
            if element is _END:
                self.at_end = True
                break
            if isinstance(element, Document):
                docs.append(element)
            else:
                doc, groundtruth = as_document(element, self._index)
                docs.append(doc)
                if groundtruth is not None:
                    groundtruths.append(groundtruth)
            self._index += 1
        if not docs:
            return None
        array = DocumentArray._of_rows(docs)
        beside = DocumentArray._of_rows(groundtruths) if groundtruths else None
        parts, frames = write_body(array, beside, None)
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
