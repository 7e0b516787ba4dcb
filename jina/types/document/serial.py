"""Turn a Document into a dict, JSON, bytes or a copy, and compare it with another."""

from __future__ import annotations

import builtins
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Self

from jina.excepts import BadDocType, WireError
from jina.records import binary, record_ops
from jina.records.batch import parse
from jina.records.columns import encode
from jina.records.jsonlines import render_record
from jina.records.record import Record
from jina.records.tensors import to_json


class Serial:
    """The methods that turn a Document into data; they need nothing of it but the record."""

    __slots__ = ()
    _record: Record

    if TYPE_CHECKING:

        @classmethod
        def _of(cls, record: Record) -> Self: ...

    def dict(self, prettify_ndarrays: bool = False) -> builtins.dict[str, Any]:
        """Return the set fields as plain values; `Document(doc.dict())` gives an equal Document.

        Args:
            prettify_ndarrays: give tensors as nested lists, else as {dtype, shape, data} in base64.
        """
        form: Any = "list" if prettify_ndarrays else "base64"
        return record_ops.as_dict(self._record, lambda tensor: to_json(tensor, form))

    def json(self, prettify_ndarrays: bool = False) -> str:
        """Return the set fields as one JSON object; `Document(doc.json())` gives an equal Document.

        Args:
            prettify_ndarrays: as for `dict`.

        Raises:
            DocumentError: a value that JSON cannot carry, such as NaN in the tags.
        """
        form: Any = "list" if prettify_ndarrays else "base64"
        return render_record(self._record, tensors=form).decode()

    def binary_str(self) -> bytes:
        """Return the whole Document as bytes; `Document(data)` gives it back, tensors bit for bit.

        Raises:
            DocumentError: a value that cannot be carried, such as a set in the tags.
        """
        return binary.pack(encode([self._record]))

    SerializeToString = binary_str

    @classmethod
    def _record_of_bytes(cls, data: bytes | bytearray | memoryview) -> Record:
        try:
            columns = parse(binary.unpack(data))
            if columns.rows != 1:
                raise WireError(f"{columns.rows} Documents where one is expected")
            return record_ops.detached(columns.records()[0])
        except WireError as err:
            raise BadDocType(f"these bytes are not a Document: {err.what}") from err

    @property
    def nbytes(self) -> int:
        """Size of `binary_str`, in bytes."""
        return len(self.binary_str())

    def _detached(self) -> Record:
        return record_ops.detached(self._record)

    def __copy__(self) -> Self:
        """Return a Document with its own fields, tags, scores; tensors and children are shared."""
        doc = type(self)._of(record_ops.shallow(self._record))
        restore_state(doc, subclass_state(self))
        return doc

    def __deepcopy__(self, memo: builtins.dict[int, Any]) -> Self:
        """Return a Document that shares nothing with this one."""
        doc = type(self)._of(self._detached())
        memo[id(self)] = doc
        state = subclass_state(self)
        if state is not None:
            restore_state(doc, deepcopy(state, memo))
        return doc

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the binary form, with the attributes that a subclass added."""
        return _unpickled, (type(self), self.binary_str()), subclass_state(self)

    def __eq__(self, other: object) -> bool:
        """Whether both have the same content in every field, id included."""
        if isinstance(other, Serial):
            return record_ops.equal(self._record, other._record)
        return NotImplemented

    # Documents change: they cannot be keys.
    __hash__ = None  # type: ignore[assignment]


def subclass_state(doc: Serial) -> Any:
    """Return the attributes that a subclass added, in the form of `__getstate__`, or None."""
    state = doc.__getstate__()
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        attributes, slots = state
        slots = {name: value for name, value in slots.items() if name != "_record"}
        state = (attributes, slots) if slots else attributes
    return state or None


def restore_state(doc: Any, state: Any) -> None:
    """Set what `subclass_state` returned, as unpickling does."""
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
