"""Write Records, or a batch that is still columns, as message frames; `batch` reads them.

    frames   [body, tensor frame, tensor frame, …]

The layout of a body is drawn in `jina.records.batch`. A column that nobody touched is sent on in
the bytes in which it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from operator import is_not
from struct import Struct
from typing import Any

import msgspec
from msgspec.structs import astuple

from jina.defaults import MAX_BATCH_DOCS, MAX_BATCHES, MAX_DEPTH, MAX_FRAME_BYTES
from jina.excepts import DocumentError
from jina.records.batch import (
    CELLS,
    CODE_OF,
    CONSTANT,
    DENSE,
    MAGIC,
    NESTED,
    REPEATED,
    TAGS,
    VALUES,
    VERSION,
    Buffer,
    ChildRange,
    Columns,
    Constant,
    Nested,
    RawColumn,
)
from jina.records.mapping import locations
from jina.records.record import (
    CHILD_FIELDS,
    DEFAULTS,
    FIELDS,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    Live,
    Record,
)
from jina.records.record_ops import children
from jina.records.score import checked
from jina.records.tags import join_tags
from jina.records.tensor_columns import CellColumn, DenseColumn, FrameWriter, tensor_column

_encode = msgspec.msgpack.Encoder().encode

_UNSET = tuple(DEFAULTS.values())
_NONE_ONLY = frozenset({type(None)})
_NO_WEIGHT = DEFAULTS["weight"]
# Fields whose values users may hold and change.
_CHANGEABLE = SCORE_FIELDS | {"location"}

# field, kind, aux, bytes
_Entry = tuple[str, int, int, Any]


def encode(source: Columns | list[Record]) -> list[Buffer]:
    """Return the frames of a message: the body, then the tensor frames.

    Tensors of 64 KiB and more are not copied: they must not change until the frames are sent.

    Args:
        source: a batch that is still columns, or the records of its rows.

    Raises:
        DocumentError: a value that cannot be carried; the message names field and id.
    """
    if isinstance(source, Columns):
        return source.wire or _columns_of(source)
    state = _Writing()
    return [state.rows(source, MAX_DEPTH), *state.frames()]


def _columns_of(columns: Columns) -> list[Buffer]:
    state = _Writing()
    return [state.columns(columns, MAX_DEPTH), *state.frames()]


class _Writing:
    """Writes one message; it holds the tensor frames, and how much the message may still grow."""

    __slots__ = ("batches", "docs", "writer")

    def __init__(self) -> None:
        self.writer: FrameWriter | None = None
        self.docs = MAX_BATCH_DOCS
        self.batches = MAX_BATCHES

    def frames(self) -> list[Buffer]:
        """Return the tensor frames."""
        return [] if self.writer is None else self.writer.frames

    def _spend(self, rows: int, depth: int) -> None:
        self.docs -= rows
        self.batches -= 1
        if depth < 0:
            raise DocumentError(f"chunks and matches are nested deeper than {MAX_DEPTH}")
        if self.docs < 0 or self.batches < 0:
            raise DocumentError(
                f"one request holds at most {MAX_BATCH_DOCS} Documents, children included",
                hint="send fewer Documents per request",
            )

    def columns(self, columns: Columns, depth: int) -> bytes:
        """Write a batch that is still columns; undecoded columns are copied as they are."""
        self._spend(columns.rows, depth)
        entries: list[_Entry] = []
        for field, column in columns.columns.items() if columns.rows else ():
            if type(column) is RawColumn:
                if column.kind in {DENSE, CELLS}:
                    entries.append(self._tensor(field, columns.tensor(field)))
                else:
                    entries.append((field, column.kind, column.aux, column.data))
            elif type(column) is Constant and field != "id":
                entries.append((field, CONSTANT, 0, _encode(column.value)))
            elif type(column) is Nested:
                inner = self.columns(column.columns, depth - 1)
                counts = column.raw_counts
                entries.append((field, NESTED, len(counts), b"".join((counts, inner))))
            elif isinstance(column, (DenseColumn, CellColumn)):
                entries.append(self._tensor(field, column))
            else:
                entry = self._field(field, columns.values(field), [], depth)
                if entry is not None:
                    entries.append(entry)
        return _body(columns.rows, entries)

    def rows(self, records: list[Record], depth: int) -> bytes:
        """Write Records column by column; columns that are unset in every row are left out.

        Args:
            records: one for each row.
            depth: how many more levels of children there may be.
        """
        self._spend(len(records), depth)
        entries: list[_Entry] = []
        for field, values in _values_by_field(records):
            entry = self._field(field, values, records, depth)
            if entry is not None:
                entries.append(entry)
        return _body(len(records), entries)

    def _field(
        self, field: str, values: Sequence[Any], records: list[Record], depth: int
    ) -> _Entry | None:
        try:
            if len(values) == 1 and field in REPEATED:
                return field, VALUES, 0, _encode(values)
            if field in TENSOR_FIELDS:
                return self._tensor(field, tensor_column(values))
            if field in CHILD_FIELDS:
                return self._children(field, values, depth)
            if field == "tags":
                return _tags(values, records)
            if field in _CHANGEABLE:
                check = locations if field == "location" else checked
                values = [_sendable(value, check) for value in values]
                if not any(values):
                    return None
            if field == "weight":
                # By identity: a 0.0 that was set is shown in JSON, the default is not.
                values = [None if value is _NO_WEIGHT else value for value in values]
            first = values[0]
            if (
                field in REPEATED
                and values[-1] is first
                and len(values) > 1
                and values.count(first) == len(values)
            ):
                return field, CONSTANT, 0, _encode(first)
            return field, VALUES, 0, _encode(values)
        except (TypeError, OverflowError, UnicodeEncodeError) as err:
            raise DocumentError(_blame(field, values, records, err)) from err

    def _tensor(self, field: str, column: Any) -> _Entry:
        if self.writer is None:
            self.writer = FrameWriter()
        is_dense, frame, data = column.emit(self.writer)
        return field, DENSE if is_dense else CELLS, frame, data

    def _children(self, field: str, values: Sequence[Any], depth: int) -> _Entry | None:
        nested = _untouched(values)
        if nested is not None:
            counts: Any = nested.raw_counts
            inner = self.columns(nested.columns, depth - 1)
        else:
            rows = [children(value) for value in values]
            if not any(rows):
                return None
            counts = _encode([len(row) for row in rows])
            inner = self.rows([record for row in rows for record in row], depth - 1)
        return field, NESTED, len(counts), b"".join((counts, inner))


def _values_by_field(records: list[Record]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield each field that is set in any record, and always `id`, with one value per record."""
    is_alone = len(records) == 1
    rows = zip(*map(astuple, records), strict=True)
    for field, default, values in zip(FIELDS, _UNSET, rows, strict=False):
        is_unset = values[0] is default and (is_alone or _is_unset(field, default, values))
        if field == "id" or not is_unset:
            yield field, values


def _is_unset(field: str, default: Any, values: tuple[Any, ...]) -> bool:
    """Whether all values are the default, given that the first one is."""
    if field in TENSOR_FIELDS:  # arrays answer == with an array
        return _NONE_ONLY.issuperset(map(type, values))
    if field == "weight":  # a 0.0 that was set is not the default object
        return not any(map(is_not, values, repeat(default)))
    return values.count(default) == len(values)


def _untouched(values: Sequence[Any]) -> Nested | None:
    """Return the nested batch if every row still has exactly its own part of it."""
    nested = next((value.nested for value in values if type(value) is ChildRange), None)
    if nested is None or nested.counts is None or len(nested.counts) != len(values):
        return None
    if nested.columns.is_read:  # another Document that shares the rows may have changed them
        return None
    position = 0
    for value, count in zip(values, nested.counts, strict=True):
        if count == 0:
            if value is not None:
                return None
            continue
        if type(value) is not ChildRange or value.nested is not nested or value.start != position:
            return None
        position += count
    return nested


def _tags(values: Sequence[Any], records: list[Record]) -> _Entry | None:
    try:
        data = join_tags(values)
    except DocumentError as err:
        raise DocumentError(_blame("tags", values, records, err), hint=err.hint) from err
    return ("tags", TAGS, 0, data) if data else None


def _sendable(value: Any, check: Callable[[Any], Any]) -> Any:
    """Return a value that users may have changed in a form that can be sent.

    None if it is empty, which counts as unset.
    """
    if type(value) is not Live:
        return value or None
    return check(value.value) if value.value else None


def _blame(field: str, values: Sequence[Any], records: list[Record], err: Exception) -> str:
    """Say which Document's value cannot be sent."""
    for index, value in enumerate(values):
        try:
            if field == "tags":
                join_tags([value])
            elif field in _CHANGEABLE:
                _encode(_sendable(value, locations if field == "location" else checked))
            else:
                _encode(value)
        except (TypeError, OverflowError, UnicodeEncodeError, DocumentError) as cause:
            name = records[index].id if index < len(records) else f"number {index}"
            why = cause.what if isinstance(cause, DocumentError) else cause
            return f"`{field}` of Document {name!r} cannot be sent: {why}"
    return f"`{field}` cannot be sent: {err}"


def _body(rows: int, entries: list[_Entry]) -> bytes:
    directory: list[int] = []
    columns = []
    for field, kind, aux, data in entries:
        directory += (CODE_OF[field] | kind << 8, aux, len(data))
        columns.append(data)
    count = len(entries)
    return _checked(b"".join((_HEADS[count](MAGIC, VERSION, count, rows, *directory), *columns)))


# Packs head and directory in one go, by the number of columns. Field, kind and flags of an entry
# are one number.
_HEADS = [Struct("<4sHHI" + "IIQ" * count).pack for count in range(len(FIELDS) + 1)]


def _checked(body: bytes) -> bytes:
    if len(body) > MAX_FRAME_BYTES:
        raise DocumentError(
            f"a batch of {len(body)} bytes; a message frame holds at most {MAX_FRAME_BYTES}",
            hint="send fewer Documents per request",
        )
    return body
