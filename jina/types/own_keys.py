"""JSON lines with keys of their own: read with a struct that is made for the keys of one line.

Real files have title, body and url on every line. A struct of just these keys is decoded in half
the time of a dict, and written again without ever becoming one. What does not fit it exactly is
read as a dict: the two ways give the same.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any

import msgspec

from jina.types import mapping
from jina.types.record import NO_TAGS, OwnTags, Record, Unread

_WORTH_A_STRUCT = 32  # lines in a chunk; to make one takes as long as to read a hundred without
_RARE_KEYS = (frozenset(mapping.KEYS) | {"content", "document"}) - {"id", "text"}

_MAX_SHAPES = 64  # sets of keys that are remembered
_MAX_KEYS = 32
_MAX_KEY_CHARS = 100

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Pair(Exception):
    """A line that holds a document and its groundtruth."""


def with_own_keys(lines: list[bytes], odd: bytes, key: str, first_line: int) -> list[Record]:
    """Read lines with keys that are no fields: known keys become fields, the rest the tags.

    Args:
        lines: all of a chunk.
        odd: the first of them that is not made of known keys only.
        key: what the ids of lines without one begin with.
        first_line: number of the first line.
    """
    if len(lines) >= _WORTH_A_STRUCT:
        names = _decode_object(odd)
        if _RARE_KEYS.isdisjoint(names):
            shape = shape_of(tuple(name for name in names if name not in ("id", "text")))
            if shape is not None:
                try:
                    return shape.records(lines, key, first_line)
                except msgspec.ValidationError:
                    pass  # not all lines are of this shape
    return list(map(_of_own_keys, lines))


def _of_own_keys(line: bytes) -> Record:
    value = _decode_object(line)
    if _RARE_KEYS.isdisjoint(value):
        id = value.pop("id", "")
        text = value.pop("text", None)
        if type(id) is not str or not (text is None or type(text) is str):
            raise TypeError
        return Record(id, "", text, Unread(value) if value else NO_TAGS)
    if "document" in value:
        raise Pair
    record = Record()
    mapping.fill(record, value)
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

    __slots__ = ("_decode",)

    def __init__(self, keys: tuple[str, ...]) -> None:
        names = {f"own_{i}": key for i, key in enumerate(keys)}
        kind = msgspec.defstruct(
            "Line",
            [*((name, Any) for name in names), ("id", str, ""), ("text", str | None, None)],
            bases=(OwnTags,),
            rename=names,
        )
        self._decode = msgspec.json.Decoder(kind).decode

    def records(self, lines: list[bytes], key: str, first_line: int) -> list[Record]:
        """Read lines.

        Args:
            lines: one Document each.
            key: what the ids of lines without one begin with.
            first_line: number of the first line.

        Raises:
            ValidationError: a line has other keys, or an `id` or `text` that is none.
            MsgspecError: a line is no JSON.
        """
        rows: list[Any] = list(map(self._decode, lines))
        ids = [row.id or f"{key}-{number}" for number, row in enumerate(rows, first_line)]
        texts = [row.text for row in rows]
        # Without id and text, which are not written when unset, each row is the tags of its line.
        for row in rows:
            row.id = ""
            row.text = None
        return list(map(Record, ids, repeat(""), texts, rows))


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
