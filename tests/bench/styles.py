"""The kinds of JSON lines that the benchmark uses, and what becomes of each.

Every program in a run does the same with a line: it upper-cases the Document's text.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

Row = dict[str, Any]

_SEED = 20211
_POOL = 4_000  # different passages; a file repeats them with other ids and tags
_TEXT_CHARS = 200


class Style(NamedTuple):
    """A kind of JSON lines."""

    title: str
    endpoint: str
    """The Executor's endpoint that upper-cases these."""
    make: Callable[[int, str, str, random.Random], Row]
    """(line number, topic, passage, random numbers) -> the line."""
    to_document: Callable[[Row, str, int], Row]
    """(line, stream key, line number) -> the Document."""
    work: Callable[[Row], None]
    """What the worker does to a Document, in place."""


def _make_ids(number: int, topic: str, passage: str, rng: random.Random) -> Row:
    tags = {"topic": topic, "page": number % 977, "weight": round(rng.random(), 3)}
    return {"id": f"{rng.getrandbits(64):016x}", "text": passage, "tags": tags}


def _make_titled(number: int, topic: str, passage: str, rng: random.Random) -> Row:
    url = f"https://example.org/{topic}/{number}-{rng.getrandbits(24):x}.html"
    return {"title": topic.title(), "url": url, "text": passage}


def _make_bodies(number: int, topic: str, passage: str, rng: random.Random) -> Row:
    row = _make_titled(number, topic, passage, rng)
    row["body"] = row.pop("text")
    return row


def _ids_document(row: Row, key: str, number: int) -> Row:
    return row


def _titled_document(row: Row, key: str, number: int) -> Row:
    return {"id": f"{key}-{number}", "text": row.pop("text"), "tags": row}


def _bodies_document(row: Row, key: str, number: int) -> Row:
    return {"id": f"{key}-{number}", "tags": row}


def _upper_text(document: Row) -> None:
    document["mime_type"] = "text/plain"
    document["text"] = document["text"].upper()


def _upper_body(document: Row) -> None:
    document["mime_type"] = "text/plain"
    document["text"] = document["tags"]["body"].upper()


STYLES = {
    "ids": Style(
        "lines with id, text and three tags", "/upper", _make_ids, _ids_document, _upper_text
    ),
    "titled": Style(
        "lines with title, url and text, no id",
        "/upper",
        _make_titled,
        _titled_document,
        _upper_text,
    ),
    "bodies": Style(
        "lines with title, url and body, no id: the Executor reads the body from the tags",
        "/body",
        _make_bodies,
        _bodies_document,
        _upper_body,
    ),
}


@cache
def _passages() -> list[tuple[str, str]]:
    """Return (topic, passage of about 200 characters) pairs from CPython's language reference."""
    from pydoc_data.topics import topics

    rng = random.Random(_SEED)
    passages = []
    for topic in sorted(topics):
        words = topics[topic].split()
        while len(words) > 8:
            size = taken = 0
            wanted = rng.randint(_TEXT_CHARS // 2, _TEXT_CHARS * 3 // 2)
            while taken < len(words) and size < wanted:
                size += len(words[taken]) + 1
                taken += 1
            passages.append((topic, " ".join(words[:taken])))
            del words[:taken]
    rng.shuffle(passages)
    return passages[:_POOL]


def rows(style: str, count: int) -> Iterator[Row]:
    """Yield lines of a style, the same ones at every call."""
    make = STYLES[style].make
    rng = random.Random(_SEED)
    pool = _passages()
    for number in range(1, count + 1):
        topic, passage = pool[number % len(pool)]
        yield make(number, topic, passage, rng)


def write_lines(path: Path, style: str, count: int) -> Path:
    """Write a file of lines as json.dumps does, and return its path."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows(style, count):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path
