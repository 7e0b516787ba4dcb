"""Measure JSON lines turned into Documents and back, in one process."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import msgspec

from jina.types import codec
from tests.bench.cases.types_timing import compared, spent_us
from tests.bench.options import Case, Options
from tests.bench.report import Table
from tests.bench.styles import rows

_LINES = 1_000


def _chunk(style: str) -> bytes:
    found = islice(rows(style, _LINES), _LINES)
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in found)


def _known() -> Any:
    return msgspec.defstruct("Known", [("id", str), ("text", str), ("tags", dict[str, Any])])


def _titled() -> Any:
    return msgspec.defstruct("Titled", [("title", str), ("url", str), ("text", str)])


def _bodies() -> Any:
    return msgspec.defstruct("Bodies", [("title", str), ("url", str), ("body", str)])


def parsing(options: Options) -> list[Table]:
    """Compare a line turned into a Document with one decoded into a struct made for its keys."""
    tables = []
    for style, struct, bound in (
        ("ids", _known(), 1.6),
        ("titled", _titled(), 2.5),
        ("bodies", _bodies(), 2.5),
    ):
        chunk = _chunk(style)
        lines = chunk.splitlines()
        decode = msgspec.json.Decoder(struct).decode
        best = spent_us(
            {
                "jina": lambda chunk=chunk: codec.parse_lines(chunk, key="k", first_line=1),  # type: ignore[misc]
                "msgspec, a struct of these keys": lambda decode=decode, lines=lines: list(  # type: ignore[misc]
                    map(decode, lines)
                ),
            },
            options,
            4,
        )
        bounds = {("jina", "msgspec, a struct of these keys"): bound}
        tables.append(compared(f"{_LINES} lines of the style {style!r}", best, bounds))
    return tables


def rendering(options: Options) -> list[Table]:
    """Compare writing Documents whose tags were read with writing the same as plain dicts."""
    docs = codec.parse_lines(_chunk("bodies"), key="k", first_line=1).docs
    plain = [{"id": doc.id, "tags": dict(doc.tags)} for doc in docs]
    encoder = msgspec.json.Encoder()

    def untyped() -> None:
        encoder.encode_lines(plain)

    best = spent_us(
        {"tags that were read": lambda: codec.render(docs), "plain dicts": untyped},
        options,
        4,
    )
    bounds = {("tags that were read", "plain dicts"): 4.0}
    mixed = [doc.tags.update(score=0.5, parts=["a", "b"], none=None) for doc in docs]
    plain = [{"id": doc.id, "tags": dict(doc.tags)} for doc in docs]
    assert len(mixed) == len(plain)
    rich = spent_us(
        {"rich tags that were read": lambda: codec.render(docs), "plain dicts": untyped},
        options,
        4,
    )
    return [
        compared(f"{_LINES} Documents to lines", best, bounds),
        compared(
            f"{_LINES} Documents with floats, lists and None in their tags to lines",
            rich,
            {},
        ),
    ]


CASES = [
    Case("types-lines", "JSON lines to Documents", parsing),
    Case("types-render", "Documents to JSON lines", rendering),
]
