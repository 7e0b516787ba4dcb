"""JSON lines with keys of their own: read with a struct that is made for the keys of one line.

Real files have title, body and url on every line. A struct of just these keys is decoded in half
the time of a dict, and written again without ever becoming one. What does not fit it exactly is
read as a dict: the two ways give the same.
"""

from __future__ import annotations

from itertools import repeat
from operator import itemgetter
from typing import Any

import msgspec

from jina.records import mapping
from jina.records.record import NO_TAGS, Live, OwnTags, Reads, Record

_WORTH_A_STRUCT = 32  # lines in a chunk; to make one takes as long as to read a hundred without
_RARE_KEYS = (frozenset(mapping.KEYS) | {"content", "document"}) - {"id", "text"}

_IDS = frozenset({str})
_TEXTS = frozenset({str, type(None)})

_CHUNKS_TILL_A_NEW_LOOK = 50
_MAX_SHAPES = 64  # sets of keys that are remembered
_MAX_KEYS = 32
_MAX_KEY_CHARS = 100

_new_object = object.__new__
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Pair(Exception):
    """A line that holds a document and its groundtruth."""


def with_own_keys(
    data: bytes, lines: list[bytes], odd: bytes, key: str, first_line: int
) -> list[Record]:
    """Read lines with keys that are no fields: known keys become fields, the rest the tags.

    All records have an id.

    Args:
        data: a chunk.
        lines: all of its lines.
        odd: the first of them that is not made of known keys only.
        key: what the ids of lines without one begin with.
        first_line: number of the first line.
    """
    if len(lines) >= _WORTH_A_STRUCT:
        names = _decode_object(odd)
        if _RARE_KEYS.isdisjoint(names):
            shape = shape_of(tuple(name for name in names if name not in ("id", "text")))
            if shape is not None and not shape.is_better_read_as_dicts():
                try:
                    return shape.records(data, lines, key, first_line)
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
    texts = [value.pop("text", None) for value in values]
    if not (_IDS.issuperset(map(type, ids)) and _TEXTS.issuperset(map(type, texts))):
        raise TypeError
    tags: list[Any] = list(map(_new_object, repeat(Live, len(values))))
    for live, value in zip(tags, values, strict=True):
        live.value = value
    if not all(values):
        tags = [live if live.value else NO_TAGS for live in tags]
    return list(map(Record, _named(ids, key, first_line), repeat(""), texts, tags))


def _named(ids: list[str], key: str, first_line: int) -> list[str]:
    """Return the ids, with one for each line that has none."""
    if not any(ids) and "\0" not in key:
        # All in one text, then cut: less work than one text after the other.
        form = (key.replace("%", "%%") + "-%d\0") * len(ids)
        return (form[:-1] % (*range(first_line, first_line + len(ids)),)).split("\0")
    return [id or f"{key}-{number}" for number, id in enumerate(ids, first_line)]


def _with_rare_keys(value: dict[str, Any], key: str, number: int) -> Record:
    if "document" in value:
        raise Pair
    record = Record()
    mapping.fill(record, value)
    record.id = record.id or f"{key}-{number}"
    return record


class Shape:
    """Reads lines that have exactly these keys, and maybe `id` and `text`.

    The tags have the order of these keys in all lines, whatever it is in a line: JSON knows none,
    and to look at it would cost half of what is gained.

    Args:
        keys: at least one.

    Raises:
        ValueError: keys that no struct can have, such as some with quotes in them.
    """

    __slots__ = ("_decode", "_decode_lines", "_dict_chunks", "_reads", "_rows")

    def __init__(self, keys: tuple[str, ...]) -> None:
        names = {f"own_{i}": key for i, key in enumerate(keys)}
        self._reads = Reads()
        self._rows = 0  # of the last chunk that was read with the struct
        self._dict_chunks = 0  # that were read without it since
        kind = msgspec.defstruct(
            "Line",
            [*((name, Any) for name in names), ("id", str, ""), ("text", str | None, None)],
            bases=(OwnTags,),
            namespace={"reads": self._reads},
            rename=names,
        )
        decoder: Any = msgspec.json.Decoder(kind)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines

    def is_better_read_as_dicts(self) -> bool:
        """Whether the tags of most of these lines are read as dicts in the end.

        To make dicts at once is cheaper then. Now and then it is found out anew.
        """
        if self._reads.count * 2 <= self._rows or self._dict_chunks >= _CHUNKS_TILL_A_NEW_LOOK:
            return False
        self._dict_chunks += 1
        return True

    def records(self, data: bytes, lines: list[bytes], key: str, first_line: int) -> list[Record]:
        """Read lines.

        Args:
            data: all lines in one piece.
            lines: one Document each.
            key: what the ids of lines without one begin with.
            first_line: number of the first line.

        Raises:
            ValidationError: a line has other keys, or an `id` or `text` that is none.
            MsgspecError: a line is no JSON.
        """
        rows = self._decode_lines(data) if _is_an_object_each(lines) else []
        if len(rows) != len(lines):
            rows = list(map(self._decode, lines))
        self._reads.count = self._dict_chunks = 0
        self._rows = len(rows)
        ids = [row.id for row in rows]
        texts = [row.text for row in rows]
        # Without id and text, which are not written when unset, each row is the tags of its line.
        if any(ids):
            for row in rows:
                row.id = ""
        if texts.count(None) < len(texts):
            for row in rows:
                row.text = None
        return list(map(Record, _named(ids, key, first_line), repeat(""), texts, rows))


_first, _last = itemgetter(0), itemgetter(-2)


def _is_an_object_each(lines: list[bytes]) -> bool:
    """Whether these can be decoded in one go, if that gives as many values as there are lines.

    The decoder takes a line's end for a blank. Where every line begins with a brace and ends with
    one, no value reaches over a line's end: JSON has no "}{" within a value, nor a line's end in a
    text. So each line holds at least one value.
    """
    try:
        starts, ends = bytes(map(_first, lines)), bytes(map(_last, lines))
    except IndexError:  # a blank line
        return False
    return starts.count(b"{") == len(lines) == ends.count(b"}") and lines[-1].endswith(b"\n")


_shapes: dict[tuple[str, ...], Shape | None] = {}


def shape_of(keys: tuple[str, ...]) -> Shape | None:
    """Return what reads lines with these keys of their own.

    None where they are too odd for it, and when they are met for the first time: where every chunk
    has others, no struct is worth its making.
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
        _shapes.clear()  # files of one kind have few: this is for input that is made to have many
    _shapes[keys] = shape
    return shape
