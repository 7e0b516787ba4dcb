"""DocumentArrays to message frames and back: the columnar codec.

    frames   [body, tensor frame, tensor frame, …]

The layout of a body is drawn in `jina.types.batch`. Columns that nobody touched are sent on as the
bytes that they came as.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import is_not
from typing import Any

import msgspec

from jina.defaults import MAX_BATCH_DOCS, MAX_BATCHES, MAX_DEPTH, MAX_FRAME_BYTES
from jina.excepts import DocumentError
from jina.types.arrays.document import DocumentArray
from jina.types.batch import (
    CELLS,
    CODE_OF,
    CONSTANT,
    DENSE,
    ENTRY,
    HEAD,
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
    parse,
)
from jina.types.cells import CellColumn, DenseColumn, FrameWriter, gathered
from jina.types.content import children
from jina.types.record import (
    CHILD_FIELDS,
    COUNT_FIELDS,
    DEFAULTS,
    EASY_FIELDS,
    FIELDS,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    TEXT_FIELDS,
    Live,
    Record,
)
from jina.types.untyped import join_tags

_encode = msgspec.msgpack.Encoder().encode

_COMPARED = TEXT_FIELDS | COUNT_FIELDS
_DEFAULTS = tuple(DEFAULTS[field] for field in FIELDS)
# Fields whose values users may hold and change.
_HELD = SCORE_FIELDS | {"location"}

# field, kind, aux, bytes
_Entry = tuple[str, int, int, Any]


def encode(docs: DocumentArray) -> list[Buffer]:
    """Return the frames of a message: the body, then the tensor frames.

    Tensors of 64 KiB and more are not copied: they must not change until the frames are sent.

    Raises:
        DocumentError: a value that cannot be carried; the message names field and id.
    """
    columns = docs._columns
    if columns is not None and columns.wire is not None:
        return columns.wire
    if columns is None:
        return encode_records([doc._record for doc in docs], docs._fields())
    state = _Writing()
    body = state.columns(columns, MAX_DEPTH)
    return [body, *state.frames.frames]


def encode_records(records: list[Record], fields: frozenset[str] | None = None) -> list[Buffer]:
    """Return the frames of a message with these records; see `encode`.

    Args:
        records: whose.
        fields: those that may be set at all, None if that is not known.
    """
    state = _Writing()
    body = state.rows(records, MAX_DEPTH, fields)
    return [body, *state.frames.frames]


def decode(frames: Sequence[Buffer]) -> DocumentArray:
    """Return the array in these frames, still as columns: only directories are read.

    The frames belong to the array from now on; large tensors are used in place.

    Raises:
        WireError: a directory that is wrong or beyond the limits. A damaged column is found, with
            the same error, when it is first read.
    """
    return DocumentArray._of_columns(parse(frames))


class _Writing:
    """One message being written: its tensor frames and what it may still grow by."""

    def __init__(self) -> None:
        self.frames = FrameWriter()
        self.docs = MAX_BATCH_DOCS
        self.batches = MAX_BATCHES

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

    def rows(
        self, records: list[Record], depth: int, fields: frozenset[str] | None = None
    ) -> bytes:
        """Write Records, column by column; columns that are unset in every row are left out."""
        count = len(records)
        self._spend(count, depth)
        entries: list[_Entry] = []
        for field, values in _gathered(records, fields) if records else ():
            if field != "id" and _is_unset(field, values):
                continue
            entry = self._field(field, values, records, depth)
            if entry is not None:
                entries.append(entry)
        return _body(count, entries)

    def _field(
        self, field: str, values: Sequence[Any], records: list[Record], depth: int
    ) -> _Entry | None:
        try:
            if field in TENSOR_FIELDS:
                return self._tensor(field, gathered(values))
            if field in CHILD_FIELDS:
                return self._children(field, values, depth)
            if field == "tags":
                return _tags(values, records)
            if field in _HELD:
                values = [_settled(value) for value in values]
                if not any(values):
                    return None
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
        is_dense, frame, data = column.emit(self.frames)
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


def _gathered(
    records: list[Record], fields: frozenset[str] | None
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the values of each field that may be set, one per record."""
    if fields is None:
        rows = map(msgspec.structs.astuple, records)
        if len(records) == 1:  # requests of one Document are frequent, and most fields are unset
            for field, value, default in zip(FIELDS, next(rows), _DEFAULTS):  # noqa: B905
                if value is not default:
                    yield field, (value,)
            return
        yield from zip(FIELDS, zip(*rows, strict=True), strict=True)
        return
    yield "id", [record.id for record in records]
    yield "mime_type", [record.mime_type for record in records]
    yield "text", [record.text for record in records]
    yield "tags", [record.tags for record in records]
    if any(
        [
            record.buffer is not None or record.blob is not None or record.embedding is not None
            for record in records
        ]
    ):
        yield "buffer", [record.buffer for record in records]
        yield "blob", [record.blob for record in records]
        yield "embedding", [record.embedding for record in records]
    for field in fields.difference(EASY_FIELDS, ("id",)):
        yield field, [getattr(record, field) for record in records]


def _is_unset(field: str, values: Sequence[Any]) -> bool:
    default = DEFAULTS[field]
    if field in _COMPARED:
        return values.count(default) == len(values)
    # By identity: arrays and dicts answer == with something else than yes or no.
    return not any(map(is_not, values, repeat(default)))


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


def _settled(value: Any) -> Any:
    return (value.value or None) if type(value) is Live else value


def _blame(field: str, values: Sequence[Any], records: list[Record], err: Exception) -> str:
    """Say which Document's value cannot be sent."""
    for index, value in enumerate(values):
        try:
            if field == "tags":
                join_tags([value])
            else:
                _encode(value)
        except (TypeError, OverflowError, UnicodeEncodeError, DocumentError) as cause:
            name = records[index].id if index < len(records) else f"number {index}"
            return f"`{field}` of Document {name!r} cannot be sent: {cause}"
    return f"`{field}` cannot be sent: {err}"


def _body(rows: int, entries: list[_Entry]) -> bytes:
    head = [HEAD.pack(MAGIC, VERSION, len(entries), rows)]
    head += [
        ENTRY.pack(CODE_OF[field], kind, 0, aux, len(data)) for field, kind, aux, data in entries
    ]
    body = b"".join(head + [data for _, _, _, data in entries])
    if len(body) > MAX_FRAME_BYTES:
        raise DocumentError(
            f"a batch of {len(body)} bytes; a message frame holds at most {MAX_FRAME_BYTES}",
            hint="send fewer Documents in one request",
        )
    return body
