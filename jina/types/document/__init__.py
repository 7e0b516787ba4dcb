"""The Document: one piece of data with what is known about it.

A Document wraps a private record (`jina.records.record`) and holds nothing else, so that two
Documents may share one record, and an array may make them late. It has fields that can be edited
(`fields`, `editing`), it can be turned into data and back (`serial`), and its content can be
converted (`conversions`). The other files of this folder are functions that these call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from jina.excepts import BadDocType, DocumentError
from jina.records import ids, mapping
from jina.records.batch import ChildRange
from jina.records.record import Record
from jina.types.document import display
from jina.types.document.conversions import Conversions
from jina.types.document.editing import ATTRIBUTES, Editing, no_field
from jina.types.document.fields import text_of
from jina.types.document.serial import Serial, restore_state, subclass_state

if TYPE_CHECKING:
    from jina.types.arrays.children import ChunkArray, MatchArray

_new_object = object.__new__


class Document(Editing, Serial, Conversions):
    """One piece of data: its content, what describes it, its chunks and its matches.

    Args:
        document: another Document, a dict, JSON text or what `binary_str` gave. Another Document
            is shared: both wrap the same data. In a dict or JSON, unknown keys go to `tags`.
        field_resolver: new names for keys of the dict, the JSON or the keywords.
        copy: take a deep copy of `document` instead of sharing it.
        **kwargs: fields by name; they are set on top of `document`.

    Raises:
        BadDocType: `document` is none of these, or a value in it has the wrong type.
        ValueError: more than one of content, text, blob and buffer.
        AttributeError: a keyword that is not a field.
    """

    __slots__ = ("__weakref__", "_record")
    _record: Record

    def __init__(
        self,
        document: Any = None,
        field_resolver: Mapping[str, str] | None = None,
        copy: bool = False,
        **kwargs: Any,
    ) -> None:
        if document is not None:
            self._record = _record_from(document, field_resolver, copy)
        elif field_resolver or type(self) is not Document:
            self._record = Record(ids.fresh())
        else:
            text = kwargs.get("text")
            if type(text) is str and len(kwargs) == 1:  # by far the most frequent call
                self._record = Record(ids.fresh(), "text/plain", text)
                return
            # Without the setter: no array can have this Document in its index of ids yet.
            self._record = Record(text_of(kwargs.pop("id")) if "id" in kwargs else ids.fresh())
        if kwargs:
            if len(kwargs) > 1 or field_resolver:
                kwargs = _arranged(kwargs, field_resolver)
            for name in kwargs:
                if name in ATTRIBUTES:
                    setattr(self, name, kwargs[name])
                elif name != "hash_content":  # of Jina 2: here it is hashed when the hash is read
                    raise AttributeError(no_field(name))

    @classmethod
    def _of(cls, record: Record) -> Self:
        """Wrap a record."""
        self = _new_object(cls)
        self._record = record
        return self

    def _like(self, record: Record) -> Self:
        """Wrap a record in the class of this Document, with the attributes that it has."""
        other = type(self)._of(record)
        if type(self) is not Document:
            restore_state(other, subclass_state(self))
        return other

    def __enter__(self) -> Self:
        """Return the Document itself: `with Document() as doc:` is an old way to fill one."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Do nothing: a Document holds nothing that could be closed."""

    # --- children -------------------------------------------------------------------------------

    @property
    def chunks(self) -> ChunkArray:
        """The parts of this Document; what is added is copied, one granularity deeper."""
        value = self._record.chunks
        if type(value) in _UNREAD:
            value = _children(self._record, "chunks")
        array: ChunkArray = value
        return array

    @chunks.setter
    def chunks(self, value: Iterable[Document] | None) -> None:
        _set_children(self._record, "chunks", value)

    @property
    def matches(self) -> MatchArray:
        """The results found for this Document; what is added is copied, one adjacency further."""
        value = self._record.matches
        if type(value) in _UNREAD:
            value = _children(self._record, "matches")
        array: MatchArray = value
        return array

    @matches.setter
    def matches(self, value: Iterable[Document] | None) -> None:
        _set_children(self._record, "matches", value)

    # --- as people see it -----------------------------------------------------------------------

    def __str__(self) -> str:
        """The set fields, like a dict; tensors by dtype and shape."""
        return display.in_full(self._record)

    def __repr__(self) -> str:
        """The class, the set fields without their nesting, and the address."""
        kind = type(self)
        fields = display.in_line(self._record)
        return f"<{kind.__module__}.{kind.__qualname__} {fields} at {id(self)}>"

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        """The set fields, for rich's printer."""
        return display.rich_fields(self._record)

    def _repr_html_(self) -> str:
        """A table of the set fields, for a notebook."""
        return display.html(self._record)

    def plot(self, output: str | Path | None = None, inline_display: bool = False) -> str:
        """Return the Document and its children as a Mermaid graph; nothing leaves the machine.

        Args:
            output: also write it there: a picture if the name ends in `.svg`, else the text.
            inline_display: no effect; a notebook shows the Document by itself.

        Raises:
            ValueError: the name ends like that of a picture of another kind.
        """
        return display.plot(self._record, output)


def wrapped(records: list[Record]) -> list[Document]:
    """Return a Document for each record."""
    if len(records) == 1:
        doc = _new_object(Document)
        doc._record = records[0]
        return [doc]
    docs: list[Document] = list(map(_new_object, repeat(Document, len(records))))
    for doc, record in zip(docs, records, strict=True):
        doc._record = record
    return docs


_UNREAD = frozenset({type(None), list, ChildRange})


def _children(record: Record, field: str) -> Any:
    """Make the array of a record's children, which belongs to it from now on."""
    array = _kind_of(field).of_value(record, getattr(record, field))
    setattr(record, field, array)
    return array


def _set_children(record: Record, field: str, value: Iterable[Document] | None) -> None:
    setattr(record, field, None if value is None else _kind_of(field).filled(record, value))


def _kind_of(field: str) -> Any:
    # Late: arrays are made of Documents, and Documents of arrays.
    from jina.types.arrays.children import KIND_OF

    return KIND_OF[field]


# Set after the others: a given MIME type wins over a guessed one, children copy from their parent.
_LAST = frozenset({"mime_type", "chunks", "matches"})
_CONTENT = frozenset({"content", "text", "blob", "buffer"})


def _arranged(values: dict[str, Any], resolver: Mapping[str, str] | None) -> dict[str, Any]:
    """Return keywords with their resolved names, in the order in which they are set.

    Raises:
        DocumentError: more than one content, or two keywords for one field.
    """
    if resolver:
        values = mapping.resolved(values, resolver)
    contents = _CONTENT.intersection(values)
    if len(contents) > 1 and sum(values[name] is not None for name in contents) > 1:
        raise DocumentError(f"one Document has one content, not {' and '.join(sorted(contents))}")
    if not _LAST.isdisjoint(values):
        values = dict(sorted(values.items(), key=lambda item: item[0] in _LAST))
    return values


def _record_from(source: Any, resolver: Mapping[str, str] | None, copy: bool) -> Record:
    if isinstance(source, Document):
        return source._detached() if copy else source._record
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Document._record_of_bytes(source)
    if isinstance(source, str):
        source = mapping.from_text(source)
    elif not isinstance(source, Mapping):
        raise BadDocType(
            f"{mapping.kind_of(source)} is not a Document",
            hint="a Document is made from a dict, JSON text, bytes or another Document",
        )
    record = Record()
    mapping.fill(record, source, resolver=resolver, child=_child)
    if not record.id:
        record.id = ids.fresh()
    return record


def _child(item: Any) -> Record:
    if isinstance(item, Document):
        return item._record
    raise BadDocType(f"{mapping.kind_of(item)} is not a Document")
