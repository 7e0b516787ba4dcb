"""JSON lines with keys of their own: read with a struct that is made for the keys of one line.

Real files have title, body and url on every line. A struct of just these keys is decoded in half
the time of a dict, and written again without ever becoming one. What does not fit it exactly is
read as a dict: the two ways give the same.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

import msgspec

from jina.types.record import OwnTags, Record

_MAX_SHAPES = 64  # sets of keys that are remembered
_MAX_KEYS = 32
_MAX_KEY_CHARS = 100


class Shape:
    """Lines with exactly these keys, and maybe `id` and `text`.

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

    def records(
        self, lines: list[bytes], key: str, first_line: int, other: Callable[[bytes], Record]
    ) -> list[Record]:
        """Read lines.

        Args:
            lines: one Document each.
            key: what the ids of lines without one begin with.
            first_line: number of the first line.
            other: reads a line that has other keys, or an `id` or `text` that is none.

        Raises:
            MsgspecError: a line that is no JSON; and whatever `other` raises.
        """
        try:
            rows: list[Any] = list(map(self._decode, lines))
        except msgspec.ValidationError:
            if len(lines) == 1:
                return [other(lines[0])]
            return [
                record
                for number, line in enumerate(lines, first_line)
                for record in self.records([line], key, number, other)
            ]
        ids = [row.id or f"{key}-{number}" for number, row in enumerate(rows, first_line)]
        texts = [row.text for row in rows]
        # Without id and text, which are not written when unset, each row is the tags of its line.
        for row in rows:
            row.id = ""
            row.text = None
        return list(map(Record, ids, repeat(""), texts, rows))


_shapes: dict[tuple[str, ...], Shape | None] = {}


def shape_of(keys: tuple[str, ...]) -> Shape | None:
    """Return what reads lines with these keys of their own; None where they are too odd for it."""
    try:
        return _shapes[keys]
    except KeyError:
        pass
    shape = None
    if 0 < len(keys) <= _MAX_KEYS and max(map(len, keys)) <= _MAX_KEY_CHARS:
        try:
            shape = Shape(keys)
        except (ValueError, TypeError):
            shape = None
    if len(_shapes) >= _MAX_SHAPES:
        _shapes.clear()  # files of one kind have few: this is for input that is made to have many
    _shapes[keys] = shape
    return shape
