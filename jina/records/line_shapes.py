"""Read JSON lines with keys of their own, with a struct made for the keys of one of them.

Real files have title, body and url on every line. A struct with just these keys is decoded in half
the time of a dict, and written again without ever becoming one. Lines that do not fit it exactly
are read as dicts; the result is the same.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import msgspec

from jina.records import mapping
from jina.records.record import NO_TAGS, Live, OwnTags, Reads, Record

_WORTH_A_STRUCT = 32  # lines in a chunk; making a struct takes as long as reading 100 without it
_RARE_KEYS = (frozenset(mapping.KEYS) | {"content", "document"}) - {"id", "text"}

_IDS = frozenset({str})
_TEXTS = frozenset({str, type(None)})

_CHUNKS_BETWEEN_TRIALS = 50
_MAX_SHAPES = 64  # sets of keys that are remembered
_MAX_KEYS = 32
_MAX_KEY_CHARS = 100

_new_object = object.__new__
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Pair(Exception):
    """A line that holds a document and its groundtruth."""


def with_own_keys(lines: list[bytes], odd: bytes, key: str, first_line: int) -> list[Record]:
    """Read lines with keys of their own: keys that name fields become fields, all others tags.

    Args:
        lines: all lines of a chunk.
        odd: the first line with keys of its own.
        key: what the ids of lines without one begin with.
        first_line: number of the first line.

    Returns:
        A record for each line; each has an id.
    """
    if len(lines) >= _WORTH_A_STRUCT:
        names = _decode_object(odd)
        if _RARE_KEYS.isdisjoint(names):
            shape = shape_of(tuple(name for name in names if name not in ("id", "text")))
            if shape is not None and not shape.is_better_read_as_dicts():
                try:
                    return shape.records(lines, key, first_line)
                except msgspec.ValidationError:
                    pass  # not all lines are of this shape
    return _as_dicts(lines, key, first_line)


def _as_dicts(lines: list[bytes], key: str, first_line: int) -> list[Record]:
    values = list(map(_decode_object, lines))
    if not all(map(_RARE_KEYS.isdisjoint, values)):
        return [
            _with_rare_keys(value, key, number) for number, value in enumerate(values, first_line)
        ]
    ids = [value.pop("id", "") for value in values]
    if int in map(type, ids):
        ids = [str(id) if type(id) is int else id for id in ids]
    texts = [value.pop("text", None) for value in values]
    if not (_IDS.issuperset(map(type, ids)) and _TEXTS.issuperset(map(type, texts))):
        raise TypeError
    tags: list[Any] = list(map(_new_object, repeat(Live, len(values))))
    for live, value in zip(tags, values, strict=True):
        live.value = value
    if not all(values):
        tags = [live if live.value else NO_TAGS for live in tags]
    return list(map(Record, _filled_ids(ids, key, first_line), repeat(""), texts, tags))


def _filled_ids(ids: list[str], key: str, first_line: int) -> list[str]:
    """Return the ids, with a new one for each line that has none."""
    return [id or f"{key}-{number}" for number, id in enumerate(ids, first_line)]


def _with_rare_keys(value: dict[str, Any], key: str, number: int) -> Record:
    if "document" in value:
        raise Pair
    record = Record()
    mapping.fill(record, value)
    record.id = record.id or f"{key}-{number}"
    return record


class Shape:
    """Reads lines that have exactly these keys, and perhaps `id` and `text`.

    The tags of all lines get the order of these keys. JSON objects have no order, and checking it
    in each line would cost half of what is gained.

    Args:
        keys: at least one.

    Raises:
        ValueError: keys that a struct cannot have, such as some with quotes in them.
    """

    __slots__ = ("_decode", "_dict_chunks", "_reads", "_rows")

    def __init__(self, keys: tuple[str, ...]) -> None:
        names = {f"own_{i}": key for i, key in enumerate(keys)}
        self._reads = Reads()
        self._rows = 0  # in the last chunk that was read with the struct
        self._dict_chunks = 0  # chunks read as dicts since then
        kind = msgspec.defstruct(
            "Line",
            [*((name, Any) for name in names), ("id", str, ""), ("text", str | None, None)],
            bases=(OwnTags,),
            namespace={"reads": self._reads},
            rename=names,
        )
        self._decode: Any = msgspec.json.Decoder(kind).decode

    def is_better_read_as_dicts(self) -> bool:
        """Whether most of these tags are read as dicts anyway, so that dicts are cheaper.

        After 50 chunks of dicts the struct is tried again, in case that has changed.
        """
        if self._reads.count * 2 <= self._rows or self._dict_chunks >= _CHUNKS_BETWEEN_TRIALS:
            return False
        self._dict_chunks += 1
        return True

    def records(self, lines: list[bytes], key: str, first_line: int) -> list[Record]:
        """Read lines.

        Args:
            lines: one Document each.
            key: what the ids of lines without one begin with.
            first_line: number of the first line.

        Returns:
            A record for each line; each has an id.

        Raises:
            ValidationError: a line has other keys, or an `id` or `text` that is not text.
            MsgspecError: a line is not JSON.
        """
        rows = list(map(self._decode, lines))
        self._reads.count = self._dict_chunks = 0
        self._rows = len(rows)
        ids = [row.id for row in rows]
        texts = [row.text for row in rows]
        # Unset fields are not written: without id and text, each row serves as the line's tags.
        if any(ids):
            for row in rows:
                row.id = ""
        if texts.count(None) < len(texts):
            for row in rows:
                row.text = None
        return list(map(Record, _filled_ids(ids, key, first_line), repeat(""), texts, rows))


_shapes: dict[tuple[str, ...], Shape | None] = {}


def shape_of(keys: tuple[str, ...]) -> Shape | None:
    """Return the Shape that reads lines with these keys of their own.

    None for keys that a struct cannot have, and for keys that are met for the first time: if every
    chunk has other keys, making structs does not pay.
    """
    shape = _shapes.get(keys)
    if shape is not None:
        return shape
    if keys in _shapes and 0 < len(keys) <= _MAX_KEYS and max(map(len, keys)) <= _MAX_KEY_CHARS:
        try:
            shape = Shape(keys)
        except (ValueError, TypeError):
            shape = None
    elif len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()  # ordinary files have few; hostile input may have any number
    _shapes[keys] = shape
    return shape
