"""The tags of Documents as a table, so that a filter looks them up and reads no Documents.

A row for each tag: `author.name` is the tag `name` in the map `author`, and a list has a row for
each of its items. What is compared with nothing, such as a map, has a row that says it is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE tags (
    name TEXT NOT NULL,
    type TEXT NOT NULL,  -- number, text, bool or other
    value NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (name, type, value, row)
) WITHOUT ROWID
"""
OTHER = ("other", "")


def put(sql: sqlite3.Connection, row: int, content: Mapping[str, Any]) -> None:
    """Add the tags of a Document, given as the content of its JSON."""
    rows = [(*tag, row) for tag in _tags(content)]
    if rows:
        sql.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?, ?, ?)", rows)


def remove(sql: sqlite3.Connection, row: int, content: Mapping[str, Any]) -> None:
    """Remove what `put` added."""
    rows = [(*tag, row) for tag in _tags(content)]
    query = "DELETE FROM tags WHERE (name, type, value, row) = (?, ?, ?, ?)"
    if rows:
        sql.executemany(query, rows)


def typed(value: Any) -> tuple[str, Any]:
    """The type and the value of a single tag, as they stand in the table."""
    if isinstance(value, bool):
        return "bool", int(value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return "number", value
    if isinstance(value, int | float) and not math.isnan(value):
        return "number", float(value)
    if isinstance(value, str):
        return "text", value
    return OTHER


def _tags(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    tags = content.get("tags")
    if isinstance(tags, Mapping):
        yield from _named(tags, "")


def _named(tags: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, Any]]:
    for key, value in tags.items():
        name = prefix + key
        if value is None:
            continue
        for each in (value or [None]) if isinstance(value, list) else [value]:
            yield name, *typed(each)
        if isinstance(value, Mapping):
            yield from _named(value, f"{name}.")
