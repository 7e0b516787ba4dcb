"""docs/wire.md shows the bytes that are sent."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jina import Document, DocumentArray
from jina.records.batch import CODE_OF
from jina.types import codec
from jina.wire import header as wire
from jina.wire.maps import DOCS, LINES, Call, Part, Route, pack_map

TEXT = (Path(__file__).parents[2] / "docs" / "wire.md").read_text("utf-8")
EXAMPLES = [bytes.fromhex(found) for found in re.findall(r"```hex\n(.*?)```", TEXT, re.S)]


def test_the_request_is_the_one_that_is_sent() -> None:
    route = pack_map(Route("/index", None, [Part(LINES, DOCS, 1, 2)]))
    call = pack_map(Call({}, "data.jsonl", "0011223344556677", True))
    lines = b'{"text":"a"}\n{"text":"b"}\n'
    sent = wire.pack_message(
        wire.REQUEST, [lines], number=7, rows=2, base=101, route=route, call=call
    )
    assert sent == EXAMPLES[:1]


def test_the_batch_is_the_one_that_is_sent() -> None:
    docs = DocumentArray([Document(id="a", text="hi"), Document(id="b", text="you")])
    docs[0].embedding = np.array([1, 2], "float32")
    docs[1].embedding = np.array([3, 4], "float32")
    assert [bytes(frame) for frame in codec.encode(docs)] == EXAMPLES[1:]


def test_every_kind_and_every_field_is_named() -> None:
    for kind in wire.KINDS:
        assert f"| {kind} | " in TEXT
    words = " ".join(TEXT.split())
    for name, code in CODE_OF.items():
        assert f"{code} {name}" in words
