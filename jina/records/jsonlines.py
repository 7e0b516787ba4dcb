"""JSON lines to records and back.

A line is one Document, or `{"document": …, "groundtruth": …}`. Keys that are not fields go into the
tags. A line that cannot be read becomes an error of its own and never affects its neighbours.

Only fields that are set are written. JSON has neither NaN nor infinity: a tensor that holds one is
written as base64 ({dtype, shape, data}); in tags and scores they are an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, NoReturn

import msgspec

from jina.defaults import KIB
from jina.excepts import DocumentError
from jina.records import mapping
from jina.records.bad_lines import id_of, why
from jina.records.line_shapes import Pair, with_own_keys
from jina.records.record import CONTENT_FIELDS, NO_TAGS, Live, Record, Tensor
from jina.records.record_ops import children, set_fields
from jina.records.score import Scores, checked
from jina.records.tags import are_filled_objects, check_size, plain_tags
from jina.records.tensors import Cell, JsonForm, from_json, to_json_text

BAD_LINE = "jina.excepts.BadLine"

Buffer = bytes | bytearray | memoryview


class LineError(msgspec.Struct):
    """Says why one line is not a Document.

    Args:
        row: 0-based index of the line in its chunk, blank lines counted.
        line: 1-based number of the line in its source.
        type: dotted name of the error's class.
        message: what is wrong, and where in the line.
        id: the Document's id; empty if it could not be read.
    """

    row: int
    line: int
    type: str
    message: str
    id: str = ""


class ParsedLines(msgspec.Struct, frozen=True):
    """The records and the errors of a chunk of lines.

    Args:
        records: the Documents, in the order of their lines.
        groundtruths: one for each of `records`, or None if no line has one. A line without one
            gets an empty Document with the same id.
        errors: one for each line that is not a Document, in order.
    """

    records: list[Record]
    groundtruths: list[Record] | None
    errors: list[LineError]


def _tensor_of(kind: type, value: Any) -> Any:
    if kind is Tensor:
        return from_json(value)
    raise NotImplementedError


_decode = msgspec.json.Decoder(Record, dec_hook=_tensor_of).decode
_decode_any = msgspec.json.Decoder().decode


def parse(chunk: Buffer | list[bytes], *, key: str, first_line: int) -> ParsedLines:
    """Read a chunk of JSON lines.

    Args:
        chunk: whole lines of UTF-8, in one piece or each by itself; the last one may lack its line
            end.
        key: what the ids of lines without one begin with; `key-N` for line N.
        first_line: 1-based number of the chunk's first line in its source.

    Returns:
        Every line that is not blank, as one Document or as one error.
    """
    lines = chunk if isinstance(chunk, list) else list(BytesIO(chunk))
    records: list[Record] = []
    try:
        records.extend(map(_decode, lines))  # keeps what was read before an error
        _check(records, lines)
    except _CarriageReturn:
        return parse(list(map(_spaced, lines)), key=key, first_line=first_line)
    except _REFUSED:
        try:
            check_size(b"".join(lines) if lines is chunk else chunk)
            # If one line has keys of its own, the others usually have them too.
            odd = lines[len(records) % len(lines)]
            records = with_own_keys(lines, odd, key, first_line)
        except _REFUSED:
            return _LineByLine(key, first_line).parse(lines)
        return ParsedLines(records, None, [])
    if not all([record.id for record in records]):
        for number, record in enumerate(records, first_line):
            if not record.id:
                record.id = f"{key}-{number}"
    return ParsedLines(records, None, [])


class _CarriageReturn(Exception):
    """Raised at a carriage return in undecoded tags."""


def _spaced(line: bytes) -> bytes:
    """A line without carriage returns; JSON escapes those in texts, so all others are white space.

    Tags that stay undecoded are written as they came, and some programs end a line at them.
    """
    return line.replace(b"\r", b" ")


_REFUSED = (
    msgspec.MsgspecError,
    UnicodeDecodeError,
    RecursionError,
    ValueError,
    TypeError,
    Pair,
)


def _check(records: list[Record], lines: list[bytes]) -> None:
    """Refuse what the decoder lets pass: it leaves tags undecoded. Empty ones become unset."""
    tags = [tags for record in records if (tags := record.tags) is not NO_TAGS]
    undecoded = b"\0".join(tags)
    if tags and not are_filled_objects(undecoded, len(tags)):
        for record in records:
            _check_one(record)
    _check_text(undecoded)
    rare = [
        record
        for record in records
        if record.blob is not None
        or record.buffer is not None
        or record.chunks is not None
        or record.matches is not None
    ]
    for record in rare:
        _check_one(record)
    for line in lines if rare else ():  # chunks and matches have tags, too
        _check_text(line.rstrip(b"\r\n"))


def _check_text(undecoded: bytes) -> None:
    undecoded.decode()
    if b"\r" in undecoded:
        raise _CarriageReturn


def _check_one(record: Record) -> None:
    value = bytes(record.tags)
    if value == b"null" or (value[:1] == b"{" and not value[1:-1].strip()):
        record.tags = NO_TAGS
    elif value and value[0] != 0x7B:
        kind = mapping.kind_of(_decode_any(value))
        raise DocumentError(f"`tags` is {kind}, expected an object")
    contents = [name for name in CONTENT_FIELDS if getattr(record, name) is not None]
    if len(contents) > 1:
        raise DocumentError(f"one Document has one content, not {' and '.join(contents)}")
    for name in ("chunks", "matches"):
        below = getattr(record, name)
        for child in below or ():
            _check_one(child)
        if below is not None and not below:
            setattr(record, name, None)


class _LineByLine:
    """Reads a chunk line by line, after the fast way has failed."""

    def __init__(self, key: str, first_line: int) -> None:
        self.key = key
        self.first_line = first_line
        self.records: list[Record] = []
        self.groundtruths: list[Record | None] = []
        self.errors: list[LineError] = []
        self.is_typed = True  # until a line has keys of its own: the others then have them too

    def parse(self, lines: list[bytes]) -> ParsedLines:
        for row, line in enumerate(lines):
            number = self.first_line + row
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                self._read(line, number)
            except (
                msgspec.MsgspecError,
                UnicodeDecodeError,
                RecursionError,
                ValueError,
                TypeError,
            ) as err:
                self.errors.append(LineError(row, number, BAD_LINE, why(line, err), id_of(line)))
        truths = None
        if any(truth is not None for truth in self.groundtruths):
            truths = [
                Record(record.id) if truth is None else truth
                for record, truth in zip(self.records, self.groundtruths, strict=True)
            ]
        return ParsedLines(self.records, truths, self.errors)

    def _read(self, line: bytes, number: int) -> None:
        truth = None
        line.decode()
        record = self._typed(_spaced(line)) if self.is_typed else None
        if record is None:
            check_size(line)
            value = _decode_any(line)
            if not isinstance(value, dict):
                raise DocumentError(
                    f"a JSON {_NAMES.get(type(value), 'value')}, expected an object"
                )
            if value.keys() == {"document", "groundtruth"}:
                truth = self._record(value["groundtruth"], number)
                value = value["document"]
            record = self._record(value, number)
        if not record.id:
            record.id = f"{self.key}-{number}"
        self.records.append(record)
        self.groundtruths.append(truth)

    def _typed(self, line: bytes) -> Record | None:
        try:
            record: Record = _decode(line)
        except msgspec.ValidationError:
            self.is_typed = False
            return None
        _check_one(record)
        return record

    def _record(self, value: Any, number: int) -> Record:
        if not isinstance(value, dict):
            raise DocumentError(f"a JSON {_NAMES.get(type(value), 'value')}, expected an object")
        record = Record()
        mapping.fill(record, value)
        if not record.id:
            record.id = f"{self.key}-{number}"
        return record


_NAMES = {
    list: "list",
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


# --- writing ------------------------------------------------------------------------------------


# What msgspec and our hook raise for values that have no JSON.
_UNWRITABLE = (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError)


class _EmptyValue(Exception):
    """Raised at an empty container that was handed out: its field counts as unset."""


def _hook(form: JsonForm) -> Callable[[Any], Any]:
    def plain_value(value: Any) -> Any:
        kind = type(value)
        if kind is Live:
            held = value.value
            if not held:
                raise _EmptyValue
            if type(held) is dict:
                return plain_tags(held)  # by far the most frequent case
            if type(held) is Scores:
                return _checked_scores(held)
            return mapping.locations(held)
        if kind is Cell:
            return to_json_text(value.get(), form)
        if hasattr(kind, "_records"):  # a ChildRange of a nested batch, or an array of Documents
            rows = children(value)
            if not rows:
                raise _EmptyValue
            return rows
        return to_json_text(value, form)

    return plain_value


_ENCODERS: dict[str, msgspec.json.Encoder] = {
    "list": msgspec.json.Encoder(enc_hook=_hook("list")),
    "typed": msgspec.json.Encoder(enc_hook=_hook("typed")),
    "base64": msgspec.json.Encoder(enc_hook=_hook("base64")),
}


def render(records: Sequence[Record], *, tensors: JsonForm = "list") -> bytes:
    """Write Documents as JSON lines, each with its line end.

    Args:
        records: one for each Document.
        tensors: see `to_json`.

    Raises:
        DocumentError: a value that JSON cannot carry; the message names field and id.
    """
    try:
        return _ENCODERS[tensors].encode_lines(records)
    except (_EmptyValue, *_UNWRITABLE):
        return b"".join(render_record(record, tensors=tensors) + b"\n" for record in records)


def line_ends(text: bytes) -> int:
    """How many line ends there are."""
    # Five times as quick as count(), which looks at one byte after the other.
    return len(text.replace(b"\n", b"\n\n")) - len(text)


def render_few(records: Sequence[Record]) -> bytes | None:
    """Write a few small Documents as JSON lines, if `parse` gives exactly the same Documents back.

    With so few rows, lines take half as long as columns.

    Returns:
        The lines; None if there are many Documents, long texts, or values that JSON does not carry
        exactly. Also None for a value that cannot be sent at all: `columns.encode` says why.
    """
    if not 0 < len(records) <= _FEW:
        return None
    for record in records:
        if (
            not record.id  # `parse` would give it one
            or record.buffer is not None
            or record.blob is not None
            or record.embedding is not None
            or record.chunks is not None
            or record.matches is not None
            or record.scores is not None
            or record.evaluations is not None
            or record.weight  # JSON would write NaN as null
            or (record.text is not None and len(record.text) > _SHORT)
        ):
            return None
    try:
        text = _ENCODERS["list"].encode_lines(records)
    except (_EmptyValue, *_UNWRITABLE):
        return None
    return text if len(text) <= _SHORT * _FEW else None


_FEW = 4  # Documents
_SHORT = 16 * KIB


def render_record(record: Record, *, tensors: JsonForm = "list") -> bytes:
    """Write one record as a JSON object, without a line end; see `render`."""
    encode = _ENCODERS[tensors].encode
    try:
        return encode(record)
    except _EmptyValue:
        return _encode_pruned(record, tensors)
    except _UNWRITABLE as err:
        _blame(record, tensors, err)


def _encode_pruned(record: Record, tensors: JsonForm) -> bytes:
    """Write a record without the containers that were handed out and are empty."""
    try:
        return _ENCODERS[tensors].encode(_pruned(record))
    except _UNWRITABLE as err:
        _blame(record, tensors, err)


def _pruned(record: Record) -> Record:
    fields = {name: getattr(record, name) for name in set_fields(record)}
    for name in ("chunks", "matches"):
        if name in fields:
            fields[name] = [_pruned(child) for child in children(fields[name])]
    return Record(**fields)


def _checked_scores(scores: Any) -> Any:
    scores = checked(scores)
    for name, score in scores.items():
        if not math.isfinite(score.value):
            number = mapping.named(score.value)
            raise DocumentError(f"the score `{name}` is {number}, which JSON cannot represent")
        for operand in score.operands:
            _checked_scores({f"{name}.operands": operand})
    return scores


def _blame(record: Record, tensors: JsonForm, err: Exception) -> NoReturn:
    """Say which field of a record cannot be written."""
    if isinstance(err, RecursionError):
        # Tags that are nested too deeply are found before they are written: it is the children.
        raise DocumentError(
            f"the chunks and matches of Document {record.id!r} are nested too deeply"
        ) from err
    for name in set_fields(record):
        value = getattr(record, name)
        alone = Record(**{name: value})
        try:
            if name not in ("chunks", "matches"):
                _ENCODERS[tensors].encode(alone)
        except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as cause:
            known = cause if isinstance(cause, DocumentError) else DocumentError(str(cause))
            raise DocumentError(
                f"`{name}` of Document {record.id!r} cannot be written as JSON: {known.what}",
                hint=known.hint,
            ) from cause
    for name in ("chunks", "matches"):
        for child in children(getattr(record, name)):
            render_record(child, tensors=tensors)
    raise DocumentError(f"Document {record.id!r} cannot be written as JSON: {err}") from err
