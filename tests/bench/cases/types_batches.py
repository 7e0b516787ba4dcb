"""Measure batches of 100 Documents in one process without a Flow: columns to objects and back."""

from __future__ import annotations

from itertools import count
from typing import Any

from jina import Document, DocumentArray
from jina.types import codec
from jina.wire.body import read_body, write_body
from jina.wire.maps import Call
from tests.bench.cases.types_timing import compared, spent_us
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.styles import rows
from tests.bench.subject import BATCH, DIMENSIONS

_CALLS = 200  # in a turn; with so many, what the variant before left in the caches does not count


class PlainDocument:
    """What one would write by hand for a Document with these three attributes."""

    __slots__ = ("id", "tags", "text")

    def __init__(self, id: str = "", text: str = "", tags: Any = None) -> None:
        self.id = id
        self.text = text
        self.tags = tags


def _rows() -> list[dict[str, Any]]:
    """Return rows with an id, 200 ASCII characters of text and three tags."""
    found = list(rows("ids", BATCH))
    for row in found:
        row["text"] = row["text"].encode("ascii", "replace").decode().ljust(200)[:200]
    return found


def turns(options: Options) -> list[Table]:
    """Measure a message turned into Documents, their texts upper-cased, and back."""
    found = _rows()
    docs = DocumentArray([Document(row) for row in found])
    frames = [bytes(frame) for frame in codec.encode(docs)]
    plain = [PlainDocument(row["id"], row["text"], row["tags"]) for row in found]
    texts = [one.text for one in plain]

    def loop() -> None:
        docs = codec.decode(frames)
        for doc in docs:
            doc.text = doc.text.upper()
        codec.encode(docs)

    def plain_loop() -> None:
        for doc in plain:
            doc.text = doc.text.upper()

    def column() -> None:
        docs = codec.decode(frames)
        docs.texts = [text.upper() for text in docs.texts]
        codec.encode(docs)

    def touch_tags() -> None:
        docs = codec.decode(frames)
        for doc in docs:
            doc.tags["seen"] = 1
        codec.encode(docs)

    best = spent_us(
        {
            "loop over Documents": loop,
            "loop over plain objects": plain_loop,
            "texts as a column": column,
            "list comprehension": lambda: [text.upper() for text in texts],
            "a tag set in each": touch_tags,
            "passed through": lambda: codec.encode(codec.decode(frames)),
        },
        options,
        _CALLS,
    )
    bounds = {
        # With counters of edits that told arrays what had not been touched this was 6.3. They cost
        # more to understand than 0.3 µs a Document are worth: no chain of Executors is slower.
        ("loop over Documents", "loop over plain objects"): 11.0,
        ("texts as a column", "list comprehension"): 2.5,
    }
    return [compared(f"From message to message, batch of {BATCH}", best, bounds)]


def tensors(options: Options) -> list[Table]:
    """Measure embeddings that are read as a matrix, and one after the other."""
    import numpy as np

    docs = DocumentArray([Document(id=str(i)) for i in range(BATCH)])
    matrix = np.ones((BATCH, DIMENSIONS), np.float32)
    docs = codec.decode(codec.encode(docs))
    docs.embeddings = matrix
    body, data = codec.encode(docs)
    frames = [bytes(body), bytearray(data)]  # as they arrive, in memory of our own

    def whole() -> None:
        docs = codec.decode(frames)
        docs.embeddings = docs.embeddings
        codec.encode(docs)

    def each() -> None:
        docs = codec.decode(frames)
        for doc, row in zip(docs, matrix, strict=True):
            doc.embedding = row
        codec.encode(docs)

    best = spent_us({"a matrix in, a matrix out": whole, "row by row": each}, options, _CALLS)
    table = compared(f"{BATCH} embeddings of {DIMENSIONS} float32", best, {})
    table.figures.append(
        Figure("a matrix in, a matrix out, CPU µs", best["a matrix in, a matrix out"], 10.0)
    )
    return [table]


def single(options: Options) -> list[Table]:
    """Measure a request of one Document, written and read as client and worker do it."""
    doc = Document(id="0123456789abcdef", text="hello world", mime_type="text/plain")
    parts, frames = write_body(DocumentArray([doc]), None, None)
    call = Call({})
    number = count()

    best = spent_us(
        {
            "write": lambda: write_body(DocumentArray([doc]), None, None),
            "read": lambda: read_body(parts, frames, 1, call, 1).docs[0][0].text,
            "Document(text=…)": lambda: Document(text="hello world"),
            "plain object": lambda: PlainDocument(f"{next(number):012x}", "hello world"),
        },
        options,
        2_000,
    )
    table = compared("One Document", best, {})
    table.figures = [
        Figure("write, CPU µs", best["write"], 2.5),
        Figure("read, CPU µs", best["read"], 4.0),
        Figure(
            "Document(text=…) beyond a plain object, CPU µs",
            best["Document(text=…)"] - best["plain object"],
            0.6,
        ),
    ]
    return [table]


CASES = [
    Case("types-turns", "Documents of a batch read and changed", turns),
    Case("types-tensors", "Tensors of a batch read and replaced", tensors),
    Case("types-single", "One Document made, written and read", single),
]
