"""What a worker does for a request that is done in parts, whatever form its body has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import Document, DocumentArray, Executor, requests
from jina.runtime.lots import Desk
from jina.types import codec
from jina.wire.body import read_body
from jina.wire.header import Header
from jina.wire.maps import DOCS, LINES, Call, ErrorInfo, Part
from tests.runtime.test_lots import SPEC, header, outcomes

BAD = ErrorInfo("ValueError", "a bad one", "a")


class Plain(Executor):
    """Writes in capitals, unless there is a `bad` one; notes what it got."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls: list[list[str]] = []

    @requests(on="/upper")
    def upper(self, docs: DocumentArray, **kwargs: Any) -> None:
        self.calls.append(docs.texts)
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("a bad one")
            doc.text = doc.text.upper()


def desk(executor: Executor) -> Desk:
    return Desk(executor, SPEC, ["/upper"], {})


def in_halves(worker: Desk, make: Any, rows: int, *, carry: bool) -> tuple[list[Part], list[Any]]:
    """Do a request as the router has it done, row by row; with `carry` each has those before it."""
    parts: list[Part] = []
    frames: list[Any] = []
    for row in range(rows):
        cut: dict[str, Any] = {"first": row, "stop": row + 1}
        before = (parts, frames) if carry else ([], [])
        try:
            own = worker.run(make(before, **cut))
        except ValueError:
            own = worker.run(make(before, blame=BAD, **cut))
        parts, frames = own if carry else ([*parts, *own[0]], [*frames, *own[1]])
    return parts, frames


def of_lines(*texts: str, is_last: bool = True) -> Any:
    def make(before: tuple[list[Part], list[Any]], **cut: Any) -> Header:
        text = "".join(f'{{"text": "{line}"}}\n' if line != "!" else "!\n" for line in texts)
        body = [Part(LINES, DOCS, 1, len(texts)), *before[0]], [text.encode(), *before[1]]
        return header(1, body=body, is_last=is_last, carried=len(before[0]), **cut)

    return make


@pytest.mark.parametrize("carry", [False, True])
def test_lines_have_their_outcomes_in_their_places(carry: bool) -> None:
    executor = Plain()
    texts = ["a", "bad", "!", "b", "bad"]
    parts, frames = in_halves(desk(executor), of_lines(*texts), 5, carry=carry)
    assert sum(part.failed for part in parts) == 3
    whole = [Part(LINES, DOCS, 1, sum(part.rows for part in parts))], [b"".join(frames)]
    assert outcomes(whole) == [
        ("k1-1", "A"),
        ("k1-2", "ValueError"),
        ("k1-3", "jina.excepts.BadLine"),
        ("k1-4", "B"),
        ("k1-5", "ValueError"),
    ]
    assert executor.calls == [["a"], ["bad"], ["b"], ["bad"]]


def test_blank_lines_have_none_and_others_keep_their_numbers() -> None:
    text = b'\n{"text": "a"}\n  \n\n{"text": "b"}\n{"text": "c"}'
    body = [Part(LINES, DOCS, 1, 6)], [text]
    written = desk(Plain()).run(header(1, body=body, first=1, stop=3))
    assert outcomes(written) == [("k1-5", "B"), ("k1-6", "C")]


@given(
    texts=st.lists(st.sampled_from(["a", "bad", "!", "b"]), min_size=1, max_size=8),
    carry=st.booleans(),
)
def test_the_next_node_finds_each_line_once(texts: list[str], carry: bool) -> None:
    parts, frames = in_halves(
        desk(Plain()), of_lines(*texts, is_last=False), len(texts), carry=carry
    )
    body = read_body(parts, frames, 1, Call(), 1)
    assert body.docs[0].texts == [text.upper() for text in texts if text in "ab"]
    failed = [n for n, text in enumerate(texts) if text in ("bad", "!")]
    found = body.failures
    assert [each.place for each in (found.failures if found else ())] == failed
    assert found is None or found.total == len(texts)


@pytest.mark.parametrize("carry", [False, True])
def test_columns_are_put_together_too(carry: bool) -> None:
    texts = ["a" * 300, "bad", "b" * 300]
    batch = codec.encode(DocumentArray([Document(id=text[0], text=text) for text in texts]))

    def make(before: tuple[list[Part], list[Any]], **cut: Any) -> Header:
        own = Part(1, DOCS, len(batch), 3)
        body = [own, *before[0]], [*batch, *before[1]]
        return header(1, body=body, is_last=False, carried=len(before[0]), **cut)

    parts, frames = in_halves(desk(Plain()), make, 3, carry=carry)
    body = read_body(parts, frames, 1, Call(), 1)
    assert [doc.text[:2] for doc in body.docs[0]] == ["AA", "BB"]
    assert body.failures is not None
    assert [(each.place, each.id, each.type) for each in body.failures.failures] == [
        (1, "b", "ValueError")
    ]
