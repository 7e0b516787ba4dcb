"""The arrays `doc.chunks` and `doc.matches`, which make what is added a child of their owner.

A child is a shallow copy: it has its own fields, and shares tensors and children with the Document
that was added. So one Document can be a match of many without being changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self
from weakref import ref

from jina.records.record import MAX_COUNT, Record
from jina.records.record_ops import children, shallow
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document, wrapped


class _Children(DocumentArray):
    __slots__ = ("_owner", "_snapshot")
    _owner: ref[Record]
    _snapshot: tuple[str, int, int, str]

    @classmethod
    def of_value(cls, owner: Record, value: Any) -> Self:
        """Make the array over the records that the owner's record holds, without copying them."""
        self = cls()
        # A weak reference, and a copy of what is needed once the owner is gone: a cycle would keep
        # big tensors waiting for the garbage collector.
        self._owner = ref(owner)
        self._snapshot = (owner.id, owner.granularity, owner.adjacency, owner.mime_type)
        self._rows = wrapped(children(value))
        return self

    @classmethod
    def filled(cls, owner: Record, docs: Iterable[Document]) -> Self:
        """Make an array of copies of these Documents.

        Raises:
            BadDocType: one of them is not a Document.
        """
        self = cls.of_value(owner, None)
        if isinstance(docs, Document):
            docs = [docs]
        self.extend(docs)
        return self

    def _take(self, records: list[Record]) -> None:
        """Add records as they are."""
        self._docs.extend(wrapped(records))
        self._changed()

    def _add(self, record: Record) -> Record:
        """Make this record a child, without copying it, and return it."""
        self._place(record)
        self._take([record])
        return record

    def _of_owner(self) -> tuple[str, int, int, str]:
        owner = self._owner()
        if owner is None:
            return self._snapshot
        return owner.id, owner.granularity, owner.adjacency, owner.mime_type

    def append(self, doc: Document, **fields: Any) -> Document:
        """Store a copy of a Document as a child, set fields of the copy, and return it."""
        child = super().append(doc)
        if fields:
            child.set_attributes(**fields)
        return child

    def _adopted(self, doc: Any) -> Document:
        doc = super()._adopted(doc)
        child = shallow(doc._record)
        self._place(child)
        stored: Document = doc._like(child)
        return stored

    def _copied_as(self) -> type[DocumentArray]:
        return DocumentArray  # a copy has no owner

    def _place(self, child: Record) -> None:
        raise NotImplementedError


class ChunkArray(_Children):
    """The chunks of a Document: one granularity deeper, with their owner's id as parent_id."""

    __slots__ = ()

    def _place(self, child: Record) -> None:
        parent_id, granularity, _, mime_type = self._of_owner()
        child.parent_id = parent_id
        child.granularity = min(granularity + 1, MAX_COUNT)
        child.mime_type = child.mime_type or mime_type


class MatchArray(_Children):
    """The matches of a Document: one adjacency further, with their owner's granularity."""

    __slots__ = ()

    def _place(self, child: Record) -> None:
        _, granularity, adjacency, _ = self._of_owner()
        child.granularity = granularity
        child.adjacency = min(adjacency + 1, MAX_COUNT)


KIND_OF: dict[str, type[_Children]] = {"chunks": ChunkArray, "matches": MatchArray}
