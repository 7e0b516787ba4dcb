"""The DocumentArray: a list of Documents that may stay columns until somebody asks for a row.

An array is either columnar (undecoded columns from a message, no Documents yet) or row-wise (a list
of Documents). It changes once, when a Document is first asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, SupportsIndex, overload

from jina.excepts import BadDocType
from jina.records import ids
from jina.records.batch import Columns
from jina.records.mapping import kind_of
from jina.records.record import Record
from jina.types.arrays.methods import ArrayMethods
from jina.types.arrays.positions import check_elements, find_positions, is_position, several
from jina.types.arrays.selection import first
from jina.types.document import Document, wrapped

_new_object = object.__new__

# A columnar array becomes row-wise once: two threads that ask must see the same Documents.
_publish = threading.Lock()


class DocumentArray(ArrayMethods[Document, "DocumentArray"]):
    """A list of Documents, with access by position, id, slice, mask and column.

    Args:
        docs: Documents in any iterable, one Document, or None. With another DocumentArray, the
            Documents are shared and the list is not.
    """

    __slots__ = (
        "__weakref__",
        "_columns",
        "_index",
        "_index_age",
        "_rows",
    )
    _columns: Columns | None
    _index: dict[str, int] | None
    _index_age: int
    _rows: list[Document]

    def __init__(self, docs: Iterable[Document] | Document | None = None) -> None:
        self._columns = None
        self._index = None
        if docs is None:
            self._rows = []
        elif isinstance(docs, Document):
            self._rows = [docs]
        else:
            self._rows = list(several(docs))
            check_elements(self._rows, Document)

    @classmethod
    def _of_columns(cls, columns: Columns) -> DocumentArray:
        """Wrap columns; no Document is made."""
        self = _new_object(cls)
        self._columns = columns
        self._index = None
        return self

    @classmethod
    def _of_rows(cls, rows: list[Document]) -> DocumentArray:
        """Wrap a list of Documents, which is not checked and belongs to the array from now on."""
        self = _new_object(cls)
        self._columns = None
        self._index = None
        self._rows = rows
        return self

    @classmethod
    def _of_records(cls, records: list[Record]) -> DocumentArray:
        """Put a Document over each record."""
        return cls._of_rows(wrapped(records))

    def _records(self) -> list[Record]:
        """Return the record under each Document."""
        return [doc._record for doc in self._docs]

    @staticmethod
    def _new(docs: list[Document]) -> DocumentArray:
        return DocumentArray._of_rows(docs)

    @staticmethod
    def _new_of(records: list[Record]) -> DocumentArray:
        return DocumentArray._of_records(records)

    @classmethod
    def concat(cls, arrays: Iterable[DocumentArray]) -> DocumentArray:
        """Return one array with the Documents of all, in order; they are shared."""
        parts = list(arrays)
        whole = cls()
        for part in parts:
            whole._rows += part._docs
        return whole

    @property
    def _docs(self) -> list[Document]:
        """The list of Documents; made now if the array is still columnar."""
        if self._columns is not None:
            with _publish:
                columns = self._columns
                if columns is not None:
                    self._rows = wrapped(columns.records())
                    self._columns = None
        return self._rows

    def _changed(self) -> None:
        """Forget the position of each id: the Documents have changed."""
        self._index = None

    def _adopted(self, doc: Any) -> Document:
        """Return the Document that is stored for one that is added."""
        if not isinstance(doc, Document):
            raise BadDocType(f"{kind_of(doc)} is not a Document", hint="wrap it: Document(...)")
        return doc

    # --- reading --------------------------------------------------------------------------------

    def __len__(self) -> int:
        columns = self._columns
        return len(self._rows) if columns is None else columns.rows

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Document]:
        return iter(self._docs)

    def __reversed__(self) -> Iterator[Document]:
        return reversed(self._docs)

    def __contains__(self, id: object) -> bool:
        """Whether a Document has this id.

        Raises:
            TypeError: not a str; ask with `doc.id in docs`.
        """
        if not isinstance(id, str):
            raise TypeError(f"`in` takes the id of a Document, not {kind_of(id)}")
        return id in self._ids()

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> Document: ...
    @overload
    def __getitem__(self, key: slice | Iterable[Any]) -> DocumentArray: ...
    def __getitem__(self, key: Any) -> Any:
        """Return a Document by position or id, or an array by slice, positions or boolean mask.

        Raises:
            IndexError: no such position, or a key of another type.
            KeyError: no such id.
        """
        if isinstance(key, str):
            return self._docs[self._position(key)]
        if isinstance(key, slice):
            return DocumentArray._of_rows(self._docs[key])
        if type(key) is int or is_position(key):
            try:
                return self._docs[key]
            except IndexError:
                raise IndexError(
                    f"position {key} is out of range: there are {len(self)} Documents"
                ) from None
        return DocumentArray._of_rows(
            [self._docs[i] for i in find_positions(key, len(self), self._position)]
        )

    def _ids(self) -> dict[str, int]:
        """Return the position of each id; the last one for an id that occurs twice."""
        index = self._index
        if index is None or self._index_age != ids.Changes.count:
            age = ids.Changes.count
            index = {doc._record.id: i for i, doc in enumerate(self._docs)}
            self._index, self._index_age = index, age
        return index

    def _position(self, id: str) -> int:
        try:
            return self._ids()[id]
        except KeyError:
            raise KeyError(f"no Document has the id {id!r}") from None

    def index(self, doc: Document) -> int:
        """Return the position of the first equal Document.

        Raises:
            ValueError: there is none.
        """
        return self._docs.index(doc)

    def count(self, doc: Document) -> int:
        """Return how many Documents equal this one."""
        return self._docs.count(doc)

    def __eq__(self, other: object) -> bool:
        """Whether both hold equal Documents in the same order."""
        if isinstance(other, DocumentArray):
            return self is other or self._docs == other._docs
        return NotImplemented

    __hash__ = None  # type: ignore[assignment] # arrays change: they cannot be keys

    # --- changing -------------------------------------------------------------------------------

    def append(self, doc: Document) -> Document:
        """Add a Document at the end, and return the one that is stored."""
        rows = self._docs
        doc = self._adopted(doc)
        rows.append(doc)
        index = self._index
        if index is not None:
            index[doc._record.id] = len(rows) - 1
        return doc

    def extend(self, docs: Iterable[Document] | None) -> None:
        """Add Documents at the end; None adds nothing."""
        if docs is not None:
            new = [self._adopted(doc) for doc in several(docs)]
            self._docs.extend(new)
            self._changed()

    def insert(self, position: SupportsIndex, doc: Document) -> None:
        """Add a Document before a position."""
        self._docs.insert(position, self._adopted(doc))
        self._changed()

    def __setitem__(self, key: Any, value: Any) -> None:
        """Replace the Document at a position or with an id, or the Documents of a slice.

        Raises:
            IndexError: no such position, or a key of another type.
            KeyError: no such id.
        """
        if isinstance(key, str):
            self._docs[self._position(key)] = self._adopted(value)
        elif isinstance(key, slice):
            self._docs[key] = [self._adopted(doc) for doc in several(value)]
        elif is_position(key):
            self._docs[key] = self._adopted(value)
        else:
            raise IndexError(f"use a position, an id or a slice, not {key!r}")
        self._changed()

    def __delitem__(self, key: Any) -> None:
        """Remove a Document by position or id, or the Documents of a slice or mask."""
        if isinstance(key, str):
            del self._docs[self._position(key)]
        elif isinstance(key, slice) or (is_position(key)):
            del self._docs[key]
        else:
            gone = set(find_positions(key, len(self), self._position))
            self._docs[:] = [doc for i, doc in enumerate(self._docs) if i not in gone]
        self._changed()

    def pop(self, key: SupportsIndex | str = -1) -> Document:
        """Remove and return a Document by position or id; the last one by default."""
        doc = self._docs.pop(self._position(key) if isinstance(key, str) else key)
        self._changed()
        return doc

    def remove(self, doc: Document) -> None:
        """Remove the first Document that equals this one.

        Raises:
            ValueError: there is none.
        """
        self._docs.remove(doc)
        self._changed()

    def clear(self) -> None:
        """Remove all Documents from the array."""
        self._columns = None
        self._rows = []
        self._changed()

    def reverse(self) -> None:
        """Reverse the order in place."""
        self._docs.reverse()
        self._changed()

    def sort(
        self, key: Callable[[Document], Any], top_k: int | None = None, reverse: bool = False
    ) -> None:
        """Sort in place; Documents have no order of their own, so `key` is needed.

        Args:
            key: returns the value that a Document is sorted by.
            top_k: how many to sort to the front; the others follow in their old order. All are
                sorted by default.
            reverse: put the greatest first.
        """
        if top_k:
            order = first(list(map(key, self._docs)), top_k, reverse)
            self._docs[:] = [self._docs[position] for position in order]
        else:
            self._docs.sort(key=key, reverse=reverse)
        self._changed()

    def __add__(self, other: Iterable[Document]) -> DocumentArray:
        """Return a new array with the Documents of both."""
        whole = DocumentArray(self)
        whole.extend(other)
        return whole

    def __iadd__(self, other: Iterable[Document]) -> DocumentArray:
        """Add Documents at the end."""
        self.extend(other)
        return self

    def __copy__(self) -> DocumentArray:
        """Return a new array of the same Documents."""
        new = self._copied_as()._of_rows(list(self._docs))
        if attributes := self._subclass_attributes():
            new.__dict__.update(attributes)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> DocumentArray:
        """Return a new array of copies; a Document that occurs twice is copied once."""
        new = memo[id(self)] = self._copied_as()._of_rows([])
        new._rows += deepcopy(self._docs, memo)
        if attributes := self._subclass_attributes():
            new.__dict__.update(deepcopy(attributes, memo))
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a list of Documents, with what a subclass added."""
        return (
            _unpickled,
            (self._copied_as(), list(self._docs)),
            self._subclass_attributes() or None,
        )

    def _copied_as(self) -> type[DocumentArray]:
        """Return the class of a copy."""
        return type(self)

    def _subclass_attributes(self) -> dict[str, Any]:
        """Return the attributes that a subclass added."""
        return getattr(self, "__dict__", {})

    # --- printed --------------------------------------------------------------------------------

    def __str__(self) -> str:
        """How many Documents, and the first three of them."""
        count = len(self)
        note = " (showing first three)" if count > 3 else ""
        lines = ",\n".join(str(doc) for doc in self._docs[:3])
        return f"DocumentArray has {count} items{note}:\n{lines}"


def _unpickled(kind: type[DocumentArray], docs: list[Document]) -> DocumentArray:
    return kind._of_rows(docs)
