"""The elements of `data`, in the body of a request, as JSON lines for the wire.

Documents are not built here. An element stays in the bytes in which it came, and the first worker
reads it. Only text, and Documents in the words of Jina 3, are rewritten.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec

from jina.http.problems import BadBody, Place, Problem, not_json
from jina.records.dialects import JINA_3

_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_children = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_encode = msgspec.json.Encoder().encode

_REFUSED = (msgspec.MsgspecError, UnicodeError, RecursionError)
_WHITE = bytes.maketrans(b"\r\n", b"  ")  # white space for sure: JSON escapes both in strings
_FIRST = itemgetter(0)
_OBJECT = frozenset(b"{")


def lines_of(body: bytes, data: Sequence[msgspec.Raw], dialect: str, max_docs: int) -> bytes:
    """The elements of `data` as JSON lines.

    Args:
        body: that they stand in.
        data: Documents or text, as they came.
        dialect: in whose words they are.
        max_docs: how many there may be.

    Raises:
        BadBody: there are more, or one of them is neither an object nor text.
    """
    rows = _rows(body, data, max_docs)
    if not rows:
        return b""
    lines = b"\n".join([*rows, b""])
    is_plain = _OBJECT.issuperset(map(_FIRST, rows))
    if is_plain and not (dialect == JINA_3 and _is_in_other_words(lines)):
        return lines
    return b"\n".join([_line(row, index, dialect) for index, row in enumerate(rows)] + [b""])


def _rows(body: bytes, data: Sequence[msgspec.Raw], max_docs: int) -> list[bytes]:
    """The elements of a list, each on one line."""
    if len(data) > max_docs:
        raise BadBody(too_many(f"{len(data)} Documents", max_docs))
    rows = list(map(bytes, data))
    if b"\n" in body or b"\r" in body:
        return [row.translate(_WHITE) for row in rows]
    return rows


def _is_in_other_words(lines: bytes) -> bool:
    """Whether these may be Documents as Jina 3 names their fields, unset ones included."""
    return b'"blob"' in lines or b'"tensor"' in lines or b"null" in lines


def pairs_of(
    body: bytes,
    data: Sequence[msgspec.Raw],
    truths: Sequence[msgspec.Raw],
    dialect: str,
    max_docs: int,
) -> bytes:
    """The elements of `data` with their groundtruths as JSON lines.

    Raises:
        BadBody: likewise, or there are not as many of both.
    """
    rows = _rows(body, data, max_docs)
    if len(truths) != len(data):
        what = f"{len(truths)} groundtruths for {len(data)} Documents"
        raise BadBody(Problem(["body", "data", "groundtruths"], what, "value_error"))
    sides = [
        [_line(row, index, dialect) for index, row in enumerate(side)]
        for side in (rows, _rows(body, truths, max_docs))
    ]
    return b"".join(
        b'{"document":%b,"groundtruth":%b}\n' % pair for pair in zip(*sides, strict=True)
    )


def _line(row: bytes, index: int, dialect: str) -> bytes:
    """One Document, from an object or from text."""
    place: Place = ["body", "data", index]
    if row[0] == ord('"'):
        return _line_of_text(row, place, dialect)
    if row[0] != ord("{"):
        raise BadBody(Problem(place, "value is not a valid dict", "type_error.dict"))
    if dialect != JINA_3:
        return row
    try:
        return _encode(_in_our_words(_decode_fields(row)))
    except _REFUSED as error:
        raise BadBody(not_json(row, error, place)) from error


def _line_of_text(row: bytes, place: Place, dialect: str) -> bytes:
    """A Document with this text; as in Jina 2, text that is a JSON object is a Document."""
    try:
        text = _decode_any(row)
    except _REFUSED as error:
        raise BadBody(not_json(row, error, place)) from error
    if text.lstrip()[:1] == "{":
        try:
            fields = _decode_fields(text)
            return _encode(_in_our_words(fields) if dialect == JINA_3 else fields).translate(_WHITE)
        except _REFUSED:
            pass
    return _encode({"text": text})


def _in_our_words(fields: dict[str, msgspec.Raw]) -> dict[str, Any]:
    """The fields of a Document of Jina 3: `blob` holds bytes there, and `tensor` numbers."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        raw = bytes(value)
        if raw == b"null":
            continue
        if name in ("chunks", "matches") and raw[:1] == b"[":
            found[name] = [_in_our_words(child) for child in _decode_children(raw)]
        elif name in ("scores", "evaluations") and raw[:1] == b"{":
            found[name] = _without_nulls(_decode_any(raw))
        elif name == "blob" and raw[:1] == b'"':
            found["buffer"] = value
        else:
            found["blob" if name == "tensor" else name] = value
    return found


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def too_many(found: str, max_docs: int) -> Problem:
    """What is said of too many Documents."""
    what = f"{found} in one request; at most {max_docs} are taken"
    return Problem(["body", "data"], what, "value_error.list.max_items")
