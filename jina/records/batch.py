"""A batch of Documents as columns: parsed from the wire, read and replaced column by column.

There are no Documents here. A column stays undecoded until somebody reads it.

    body       "JDA1" · version u16 · columns u16 · documents u32 · directory · column bytes …
    directory  one entry per column: field u8 · kind u8 · flags u16 · aux u32 · length u64
    kinds      1 values   msgpack array with one value per document; nil is unset
               2 constant one msgpack value for all documents
               3 dense    one tensor, a row per document: [dtype, shape, offset] in frame `aux`
               4 cells    a tensor of its own per document, or nil: see jina.records.tensor_columns
               5 nested   msgpack array of counts (`aux` bytes), then a whole body
               6 tags     JSON list with an object per document; null is unset, and a text is
                          base64 of a msgpack map, for NaN and infinity
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, repeat
from math import isfinite
from struct import Struct
from sys import intern
from typing import Annotated, Any

import msgspec

from jina.defaults import (
    MAX_BATCH_DOCS,
    MAX_BATCHES,
    MAX_DEPTH,
    MAX_FRAMES,
    MAX_UNTYPED_BYTES,
)
from jina.excepts import WireError
from jina.records.record import (
    CHILD_FIELDS,
    COUNT_FIELDS,
    DEFAULTS,
    FIELDS,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    TEXT_FIELDS,
    Live,
    Record,
)
from jina.records.score import NamedScore, Scores
from jina.records.tags import split_tags
from jina.records.tensor_columns import CellColumn, DenseColumn

Buffer = bytes | bytearray | memoryview

MAGIC = b"JDA1"
VERSION = 1
HEAD = Struct("<4sHHI")
ENTRY = Struct("<BBHIQ")
HEAD_SIZE = HEAD.size
ENTRY_SIZE = ENTRY.size
_iter_entries = Struct("<IIQ").iter_unpack  # entries, with field, kind and flags as one number

VALUES, CONSTANT, DENSE, CELLS, NESTED, TAGS = range(1, 7)

CODE_OF = {name: code for code, name in enumerate(FIELDS, start=1)}

_Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
_counts = msgspec.msgpack.Decoder(list[_Count])


def _types() -> dict[str, Any]:
    kinds: dict[str, Any] = dict.fromkeys(TEXT_FIELDS, str)  # what the values of each field are
    kinds |= dict.fromkeys(COUNT_FIELDS, _Count)
    kinds |= {"text": str | None, "buffer": bytes | None, "weight": float | None}
    kinds |= {"location": list[_Count] | None}
    kinds |= dict.fromkeys(("scores", "evaluations"), dict[str, NamedScore] | None)
    return kinds


_VALUE_DECODERS = {name: msgspec.msgpack.Decoder(kind) for name, kind in _types().items()}
_LIST_DECODERS: dict[str, Any] = {
    name: msgspec.msgpack.Decoder(list.__class_getitem__(kind)) for name, kind in _types().items()
}
# Fields whose value may be sent once for all rows, if it is equal in all of them. Not weight and
# scores: 0.0 equals -0.0 but is another number. Not ids: they say how many rows there are.
REPEATED = (TEXT_FIELDS | COUNT_FIELDS | {"text", "buffer"}) - {"id"}
_UNCHECKED = REPEATED | {"id"}
_BOUNDED = frozenset({"location", "scores", "evaluations"})
_WEIGHED = SCORE_FIELDS | {"weight"}
_NO_WEIGHT = DEFAULTS["weight"]


class RawColumn(msgspec.Struct, gc=False, eq=False):
    """A column as it came, undecoded."""

    kind: int
    aux: int  # the number in its entry; see the layout above
    data: memoryview


class Constant:
    """A column with one value for all rows."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Nested:
    """The children of all rows as one batch, and how many belong to each row."""

    __slots__ = ("columns", "counts", "raw_counts")

    def __init__(self, columns: Columns, raw_counts: memoryview) -> None:
        self.columns = columns
        self.raw_counts = raw_counts
        self.counts: list[int] | None = None

    def ranges(self, rows: int) -> list[ChildRange | None]:
        """Return a ChildRange for each row, None for a row without children."""
        if self.counts is None:
            self.counts = _decode(_counts, self.raw_counts, rows, "a count of children")
            if sum(self.counts) != self.columns.rows:
                raise WireError("the counts of children do not add up to the children")
        ends = accumulate(self.counts)
        return [
            ChildRange(self, end - count, end) if count else None
            for count, end in zip(self.counts, ends, strict=True)
        ]


class ChildRange:
    """One row's children within a nested batch that nobody has read yet."""

    __slots__ = ("nested", "start", "stop")

    def __init__(self, nested: Nested, start: int, stop: int) -> None:
        self.nested = nested
        self.start = start
        self.stop = stop

    def _records(self) -> list[Record]:
        """Decode the nested batch, once for all rows, and return this row's Records."""
        return self.nested.columns.records()[self.start : self.stop]


class Columns(msgspec.Struct, eq=False):
    """A batch of `rows` Documents, column by column.

    `columns` maps a field to a RawColumn (undecoded), a list (one value per row), a Constant, a
    DenseColumn, a CellColumn or a Nested. A field that is missing is unset in all rows.
    """

    rows: int
    columns: dict[str, Any]
    frames: Sequence[Any] = ()  # the tensor frames that RawColumns point into
    wire: list[Any] | None = None  # the message, as long as nothing was replaced
    _records: list[Record] | None = None

    def values(self, field: str) -> list[Any]:
        """Return one value per row: plain values, undecoded tags, Cells of tensors, or ChildRanges.

        Raises:
            WireError: the column's bytes do not fit its kind.
        """
        column = self.columns.get(field)
        if column is None:
            return [DEFAULTS[field]] * self.rows
        if type(column) is RawColumn:
            if column.kind == VALUES and field in _UNCHECKED:  # decoding is all
                values: list[Any] = _decode(_LIST_DECODERS[field], column.data, self.rows, field)
                return values
            column = self._decode_column(field, column)
        if type(column) is list:
            return column
        if type(column) is Constant:
            return [column.value] * self.rows
        if type(column) is Nested:
            return column.ranges(self.rows)
        cells: list[Any] = column.cells()
        return cells

    def tensor(self, field: str) -> DenseColumn | CellColumn | None:
        """Return the tensor column of a field, None if no row has one."""
        column = self.columns.get(field)
        if type(column) is RawColumn:
            column = self._decode_column(field, column)
        # The caller may write into the column's memory; the message would then be out of date.
        self.wire = None
        if column is None or isinstance(column, (DenseColumn, CellColumn)):
            return column
        return CellColumn.of(self.values(field))

    def has_matrix(self, field: str, matrix: Any) -> bool:
        """Whether the field's column is this very matrix, with a row for each Document."""
        column = self.columns.get(field)
        return type(column) is DenseColumn and column.is_matrix(matrix, self.rows)

    def put(self, field: str, column: Any) -> None:
        """Replace a column; None unsets it in all rows."""
        self.wire = None
        self._records = None
        if column is None:
            self.columns.pop(field, None)
        else:
            self.columns[field] = column

    def records(self) -> list[Record]:
        """Return a Record per row; the same ones each time.

        Raises:
            WireError: a column's bytes do not fit its kind.
        """
        if self._records is None:
            self._records = self._make_records()
        return self._records

    @property
    def is_read(self) -> bool:
        """Whether the Records were handed out: they may have been changed."""
        return self._records is not None

    def _make_records(self) -> list[Record]:
        columns = self.columns
        if not self.rows:
            return []
        arguments: list[Iterable[Any]] = []
        for name in FIELDS[: max(map(CODE_OF.__getitem__, columns))]:
            if name in columns:
                arguments.append(self.values(name))
            else:
                arguments.append(repeat(DEFAULTS[name]))
        return list(map(Record, *arguments))

    def _decode_column(self, field: str, raw: RawColumn) -> Any:
        """Decode a column that came from the wire, and keep it decoded."""
        column: Any
        if raw.kind == VALUES:
            if field in _BOUNDED and raw.data.nbytes > max(MAX_UNTYPED_BYTES, 64 * self.rows):
                raise WireError(f"the column `{field}` is larger than its {self.rows} rows explain")
            column = _decode(_LIST_DECODERS[field], raw.data, self.rows, field)
            if field not in _WEIGHED:
                pass
            elif field in SCORE_FIELDS:
                # Live, so that NaN is found before the scores are written as JSON.
                column = [Live(Scores(scores)) if scores else None for scores in column]
            else:
                # Encoders know by the default object that it is unset; any other 0.0 was set.
                column = [_NO_WEIGHT if weight is None else weight for weight in column]
                if not all(map(isfinite, column)):
                    raise WireError("the column `weight` holds a number that is not finite")
        elif raw.kind == CONSTANT:
            value = _decode(_VALUE_DECODERS[field], raw.data, None, field)
            # Setting a text compares MIME types, which is quickest when they are one object.
            column = Constant(intern(value) if field == "mime_type" else value)
        elif raw.kind == DENSE:
            column = DenseColumn.parse(raw.data, raw.aux, self.rows, self.frames)
        elif raw.kind == CELLS:
            column = CellColumn.parse(raw.data, self.rows, self.frames)
        else:
            column = split_tags(raw.data, self.rows)
        if raw.kind in (DENSE, CELLS):
            self.columns[field] = column
        return column


_SHORT_HEADS = {rows: 0x90 | rows for rows in range(16)}


def _decode(decoder: Any, data: memoryview, rows: int | None, what: str) -> Any:
    """Decode msgpack; an array's head must say that it has one value per row."""
    # In small batches, most arrays have the short form of the head.
    if (
        rows is not None
        and not (data and data[0] == _SHORT_HEADS.get(rows))
        and _array_length(data) != rows
    ):
        raise WireError(f"the column `{what}` does not have {rows} values")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as err:
        raise WireError(f"the column `{what}` cannot be decoded: {err}") from err


def _array_length(data: memoryview) -> int:
    """Return the length that a msgpack array claims, without allocating anything; -1 if none."""
    if not data:
        return -1
    first = data[0]
    if first & 0xF0 == 0x90:
        return first & 0x0F
    if first == 0xDC and len(data) >= 3:
        return int.from_bytes(data[1:3], "big")
    if first == 0xDD and len(data) >= 5:
        return int.from_bytes(data[1:5], "big")
    return -1


# --- parsing ------------------------------------------------------------------------------------


def _kinds(field: str) -> tuple[int, ...]:
    if field in TENSOR_FIELDS:
        return DENSE, CELLS
    if field in CHILD_FIELDS:
        return (NESTED,)
    if field == "tags":
        return (TAGS,)
    return (VALUES, CONSTANT) if field in REPEATED else (VALUES,)


# By an entry's first four bytes (field, kind, no flags) as one number; all others are unknown.
_FIELD_AND_KIND = {
    code | kind << 8: (field, kind) for field, code in CODE_OF.items() for kind in _kinds(field)
}


class _Budget(msgspec.Struct, gc=False, eq=False):
    """How many more Documents and nested batches a message may hold."""

    docs: int
    batches: int = MAX_BATCHES - 1  # besides the outermost

    def is_spent(self) -> bool:
        """Whether the message holds more than it may."""
        return self.docs < 0 or self.batches < 0


def parse(frames: Sequence[Buffer]) -> Columns:
    """Read the directory of a batch without decoding any column.

    Args:
        frames: the body, then its tensor frames.

    Raises:
        WireError: a directory that is damaged or beyond the limits.
    """
    if not frames or len(frames) > MAX_FRAMES:
        raise WireError(f"a batch comes in 1 to {MAX_FRAMES} frames, not {len(frames)}")
    body = memoryview(frames[0])
    if type(frames[0]) is not bytes:
        body = body.cast("B")
    columns = _parse(body, frames[1:], MAX_DEPTH, None)
    columns.wire = list(frames)
    return columns


def _parse(
    body: memoryview, frames: Sequence[Buffer], depth: int, budget: _Budget | None
) -> Columns:
    size = len(body)
    if size < HEAD_SIZE:
        raise WireError("a batch is cut off in its head")
    magic, version, count, rows = HEAD.unpack_from(body)
    if magic != MAGIC or version != VERSION:
        raise WireError("these bytes are not a batch of version 1")
    if budget is not None:
        budget.docs -= rows
        budget.batches -= 1
    if rows > MAX_BATCH_DOCS or depth < 0 or (budget is not None and budget.is_spent()):
        raise WireError("a batch with more Documents or deeper nesting than allowed")
    start = HEAD_SIZE + count * ENTRY_SIZE
    if count > len(FIELDS) or start > size:
        raise WireError("a batch is cut off in its directory")
    columns: dict[str, Any] = {}
    for word, aux, length in _iter_entries(body[HEAD_SIZE:start]):
        try:
            field, kind = _FIELD_AND_KIND[word]
        except KeyError:
            raise WireError(f"a batch's directory names column {word:#x}: unknown") from None
        data = body[start : start + length]
        start += length
        if kind == NESTED:
            if aux > length:
                raise WireError(f"the column `{field}` is shorter than its counts")
            if budget is None:  # made once, and only if there are nested batches
                budget = _Budget(MAX_BATCH_DOCS - rows)
            inner = _parse(data[aux:], frames, depth - 1, budget)
            columns[field] = Nested(inner, data[:aux])
        elif aux and kind != DENSE:
            raise WireError(f"the column `{field}` has a number that its kind does not use")
        else:
            columns[field] = RawColumn(kind, aux, data)
    if start != size:
        raise WireError("a batch's columns are not as long as its frame")
    if len(columns) != count:
        raise WireError("a batch's directory names a column twice")
    ids = columns.get("id")
    if rows and (
        ids is None
        or ids.kind != VALUES
        or (
            not (ids.data and ids.data[0] == _SHORT_HEADS.get(rows))
            and _array_length(ids.data) != rows
        )
    ):
        # Each id takes at least a byte, so a short message cannot claim millions of Documents.
        raise WireError("a batch without one id per Document")
    return Columns(rows, columns, frames)
