"""Records to message frames: the columnar codec; `batch` reads the frames again.

    frames   [body, tensor frame, tensor frame, …]

The layout of a body is drawn in `jina.records.batch`. Columns that nobody touched are sent on as
the bytes that they came as.
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
    Columns,
    Constant,
    Nested,
    Part,
    Raw,
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
from jina.records.tensor_columns import CellColumn, DenseColumn, FrameWriter, gathered

_encode = msgspec.msgpack.Encoder().encode

_UNSET = tuple(DEFAULTS.values())
_NOTHING = frozenset({type(None)})
_NO_WEIGHT = DEFAULTS["weight"]
# Fields whose values users may hold and change.
_HELD = SCORE_FIELDS | {"location"}

# field, kind, aux, bytes
_Entry = tuple[str, int, int, Any]


def encode(source: Columns | list[Record]) -> list[Buffer]:
    """Return the frames of a message: the body, then the tensor frames.

    Args:
        source: a batch that is still columns, or the records of its rows.

    Tensors of 64 KiB and more are not copied: they must not change until the frames are sent.

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
    """One message being written: its tensor frames and what it may still grow by."""

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
                hint="send fewer Documents in one request",
            )

    def columns(self, columns: Columns, depth: int) -> bytes:
        """Write a batch that is still columns; undecoded ones are copied."""
        self._spend(columns.rows, depth)
        entries: list[_Entry] = []
        for field, column in columns.columns.items() if columns.rows else ():
            if type(column) is Raw:
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
        """Write Records, column by column; columns that are unset in every row are left out.

        Args:
            records: of the rows.
            depth: how many levels may still lie below.
        """
        self._spend(len(records), depth)
        entries: list[_Entry] = []
        for field, values in _gathered(records):
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
                return self._tensor(field, gathered(values))
            if field in CHILD_FIELDS:
                return self._children(field, values, depth)
            if field == "tags":
                return _tags(values, records)
            if field in _HELD:
                check = locations if field == "location" else checked
                values = [_settled(value, check) for value in values]
                if not any(values):
                    return None
            if field == "weight":
                # By identity: JSON shows a 0.0 that was said, and none that was not.
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


def _gathered(records: list[Record]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the ids, and each other field that is set in a record: one value per record."""
    is_alone = len(records) == 1
    rows = zip(*map(astuple, records), strict=True)
    for field, default, values in zip(FIELDS, _UNSET, rows, strict=False):
        is_unset = values[0] is default and (is_alone or _is_unset(field, default, values))
        if field == "id" or not is_unset:
            yield field, values


def _is_unset(field: str, default: Any, values: tuple[Any, ...]) -> bool:
    """Whether all values, the first of which is the default, are the default."""
    if field in TENSOR_FIELDS:  # arrays answer == with an array
        return _NOTHING.issuperset(map(type, values))
    if field == "weight":  # a 0.0 that was said is another one than the default
        return not any(map(is_not, values, repeat(default)))
    return values.count(default) == len(values)


def _untouched(values: Sequence[Any]) -> Nested | None:
    """Return the nested batch, if every row still holds exactly its own share of it."""
    nested = next((value.nested for value in values if type(value) is Part), None)
    if nested is None or nested.counts is None or len(nested.counts) != len(values):
        return None
    position = 0
    for value, count in zip(values, nested.counts, strict=True):
        if count == 0:
            if value is not None:
                return None
            continue
        if type(value) is not Part or value.nested is not nested or value.start != position:
            return None
        position += count
    return nested


def _tags(values: Sequence[Any], records: list[Record]) -> _Entry | None:
    try:
        data = join_tags(values)
    except DocumentError as err:
        raise DocumentError(_blame("tags", values, records, err), hint=err.hint) from err
    return ("tags", TAGS, 0, data) if data else None


def _settled(value: Any, check: Callable[[Any], Any]) -> Any:
    """Return what users held as it can be sent: they may have put anything there.

    None for what is empty: it counts as unset.
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
            elif field in _HELD:
                _encode(_settled(value, locations if field == "location" else checked))
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


# Head and directory in one go, by the number of columns; field, kind and flags are one number.
_HEADS = [Struct("<4sHHI" + "IIQ" * count).pack for count in range(len(FIELDS) + 1)]


def _checked(body: bytes) -> bytes:
    if len(body) > MAX_FRAME_BYTES:
        raise DocumentError(
            f"a batch of {len(body)} bytes; a message frame holds at most {MAX_FRAME_BYTES}",
            hint="send fewer Documents in one request",
        )
    return body
