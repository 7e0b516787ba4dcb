"""A Document as a dict, as JSON, as bytes, copied, pickled and compared."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from jina.excepts import BadDocType, WireError
from jina.types import binary, content
from jina.types.document.fields import Fields
from jina.types.record import Record
from jina.types.tensors import to_json

if TYPE_CHECKING:
    from typing import Self


class Serial(Fields):
    """What leaves a Document as data, and how it comes back."""

    __slots__ = ()

    if TYPE_CHECKING:

        @classmethod
        def _of(cls, record: Record) -> Self: ...

    def dict(self, prettify_ndarrays: bool = False) -> builtins.dict[str, Any]:
        """Return the set fields as plain values; `Document(doc.dict())` gives an equal Document.

        Args:
            prettify_ndarrays: tensors as nested lists, else as {dtype, shape, data} in base64.
        """
        form: Any = "list" if prettify_ndarrays else "base64"
        return content.as_dict(self._record, lambda tensor: to_json(tensor, form))

    def json(self, prettify_ndarrays: bool = False) -> str:
        """Return the set fields as one JSON object; `Document(doc.json())` gives an equal Document.

        Args:
            prettify_ndarrays: as for `dict`.

        Raises:
            DocumentError: a value that JSON cannot carry, such as NaN in the tags.
        """
        # Late: the codecs are made of Documents.
        from jina.types.jsonlines import render_record

        form: Any = "list" if prettify_ndarrays else "base64"
        return render_record(self._record, tensors=form).decode()

    def binary_str(self) -> bytes:
        """Return the whole Document as bytes; `Document(data)` gives it back, tensors bit for bit.

        Raises:
            DocumentError: a value that cannot be carried, such as a set in the tags.
        """
        from jina.types.columns import encode_records  # late: see `json`

        return binary.pack(encode_records([self._record]))

    SerializeToString = binary_str

    @classmethod
    def _record_of_bytes(cls, data: bytes | bytearray | memoryview) -> Record:
        from jina.types.columns import decode  # late: see `json`

        try:
            docs = decode(binary.unpack(data))
            if len(docs) != 1:
                raise WireError(f"{len(docs)} Documents where one is expected")
            return content.detached(docs[0]._record)
        except WireError as err:
            raise BadDocType(f"these bytes are no Document: {err.what}") from err

    @property
    def nbytes(self) -> int:
        """Size of `binary_str`, in bytes."""
        return len(self.binary_str())

    def _detached(self) -> Record:
        return content.detached(self._record)

    def __copy__(self) -> Self:
        """Return a Document with its own fields, tags, scores; tensors and children are shared."""
        doc = type(self)._of(content.shallow(self._record))
        give(doc, added(self))
        return doc

    def __deepcopy__(self, memo: builtins.dict[int, Any]) -> Self:
        """Return a Document that shares nothing with this one."""
        doc = type(self)._of(self._detached())
        memo[id(self)] = doc
        state = added(self)
        if state is not None:
            # Late: only subclasses with attributes of their own need it.
            from copy import deepcopy

            give(doc, deepcopy(state, memo))
        return doc

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the binary form, with what a subclass added."""
        return _unpickled, (type(self), self.binary_str()), added(self)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same content in every field, id included."""
        if isinstance(other, Serial):
            return content.equal(self._record, other._record)
        return NotImplemented

    # Documents change: they cannot be keys.
    __hash__ = None  # type: ignore[assignment]


def added(doc: Serial) -> Any:
    """Return what a subclass added to a Document, as `__getstate__` gives it; None for nothing."""
    state = doc.__getstate__()
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        attributes, slots = state
        slots = {name: value for name, value in slots.items() if name != "_record"}
        state = (attributes, slots) if slots else attributes
    return state or None


def give(doc: Any, state: Any) -> None:
    """Set what `added` returned, as unpickling does."""
    if state is None:
        return
    if hasattr(doc, "__setstate__"):
        doc.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) else (state, {})
    if attributes:
        doc.__dict__.update(attributes)
    for name, value in slots.items():
        setattr(doc, name, value)


def _unpickled(kind: type[Any], data: bytes) -> Any:
    return kind._of(kind._record_of_bytes(data))
