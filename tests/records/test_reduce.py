"""What several shards answered becomes one answer: compared with a model in plain dicts."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.records.reduce import reduced
from jina.types import codec
from jina.wire import body as bodies

Plain = dict[str, Any]

CONTENTS = ("text", "blob", "buffer")
small = st.integers(0, 2)
word = st.sampled_from(["", "x", "y"])
by_name = st.dictionaries(st.sampled_from("pqr"), small.map(float), max_size=2)
children = st.lists(
    st.builds(lambda id, text: Document(id=id, text=text), st.sampled_from("klm"), word), max_size=3
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    doc = Document(id=draw(st.sampled_from("abcd")))
    content = draw(st.sampled_from(["", "text", "buffer", "blob"]))
    if content:
        values = {"text": "some", "buffer": b"some", "blob": np.arange(2)}
        setattr(doc, content, values[content])
    if draw(st.booleans()):
        doc.embedding = np.arange(draw(st.integers(1, 2)), dtype="float32")
    if draw(st.booleans()):
        doc.weight = draw(small.map(float))
    doc.uri, doc.modality = draw(word), draw(word)
    doc.tags = draw(by_name)
    doc.scores, doc.evaluations = draw(by_name), draw(by_name)
    doc.location = draw(st.lists(small, max_size=2))
    doc.chunks, doc.matches = draw(children), draw(children)
    return doc


shards = st.lists(st.lists(documents(), max_size=4).map(DocumentArray), min_size=1, max_size=4)


def model(parts: Sequence[Sequence[Plain]]) -> list[Plain]:
    """The rules, one field after the other."""
    whole: list[tuple[tuple[str, int], Plain]] = []
    for part in parts:
        ids = [doc["id"] for doc in part]
        for index, doc in enumerate(part):
            key = (doc["id"], ids[:index].count(doc["id"]))
            same = [own for known, own in whole if known == key]
            if same:
                put_together(same[0], doc)
            else:
                whole.append((key, deepcopy(doc)))
    return [doc for _, doc in whole]


def put_together(own: Plain, other: Plain) -> None:
    has_content = any(name in own for name in CONTENTS)
    for name, value in other.items():
        if name in ("chunks", "matches"):
            ids = [child["id"] for child in own.get(name, [])]
            new = [child for child in value if child["id"] not in ids]
            own[name] = [*own.get(name, []), *new]
        elif name in ("tags", "scores", "evaluations"):
            own[name] = {**value, **own.get(name, {})}
        elif name in CONTENTS:
            if not has_content:
                own[name] = value
        else:
            own.setdefault(name, value)


def as_rows(docs: DocumentArray) -> DocumentArray:
    return docs


def as_columns(docs: DocumentArray) -> DocumentArray:
    return codec.decode([bytes(frame) for frame in codec.encode(docs)])


def as_lines(docs: DocumentArray) -> DocumentArray:
    return codec.parse_lines(codec.render(docs), key="k", first_line=1).docs


@st.composite
def like_shards(draw: st.DrawFn) -> list[DocumentArray]:
    """What shards answer most often: the same Documents, of which each has set some columns."""
    base = DocumentArray(draw(st.lists(documents(), min_size=1, max_size=4)))
    kept = draw(st.sets(st.sampled_from(["tags", "uri", "scores", "matches", "embedding"])))
    for doc in base:
        doc.pop(*({"tags", "uri", "scores", "matches", "embedding"} - kept))
    parts = []
    for shard in range(draw(st.integers(2, 4))):
        part = deepcopy(base)
        for field in draw(st.sets(st.sampled_from(["uri", "matches", "embedding", "gone"]))):
            for number, doc in enumerate(part):
                if field == "uri":
                    doc.uri = draw(st.sampled_from(["", f"of {shard}"]))
                elif field == "matches":
                    doc.matches.append(Document(id=draw(st.sampled_from("klmn"))))
                elif field == "embedding":
                    doc.embedding = np.full(2, shard * 10 + number)
                else:
                    doc.pop("tags", "matches")
        parts.append(part)
    return parts


@pytest.mark.parametrize("form", [as_rows, as_columns, as_lines])
@given(parts=shards | like_shards())
def test_it_is_what_the_rules_say(form: Any, parts: list[DocumentArray]) -> None:
    plain = [[doc.dict() for doc in form(part)] for part in parts]
    arrays = [form(part) for part in parts]
    found = DocumentArray._of_records(reduced([array._records() for array in arrays]))
    assert [doc.dict() for doc in found] == model(plain)
    # The same of undecoded columns, where the arrays have them.
    found = bodies.reduced([form(part) for part in parts])
    assert [doc.dict() for doc in as_columns(found)] == model(plain)
    assert [doc.dict() for doc in found] == model(plain)


@given(parts=shards)
def test_each_part_is_in_it_exactly_once(parts: list[DocumentArray]) -> None:
    for number, part in enumerate(parts):
        for place, doc in enumerate(part):
            doc.tags = {f"{number}.{place}": True}
    due = sorted(mark for part in parts for doc in part for mark in doc.tags)
    found = DocumentArray._of_records(reduced([part._records() for part in parts]))
    assert sorted(mark for doc in found for mark in doc.tags) == due


def test_an_id_that_every_shard_gives_twice_stays_two_documents() -> None:
    parts = [
        DocumentArray([Document(id="a", tags={f"{shard}.{n}": 1}) for n in range(2)])
        for shard in range(2)
    ]
    found = DocumentArray._of_records(reduced([part._records() for part in parts]))
    assert [sorted(doc.tags) for doc in found] == [["0.0", "1.0"], ["0.1", "1.1"]]


def test_nothing_is_reduced_to_nothing() -> None:
    assert reduced([]) == []
    assert reduced([[], []]) == []


def test_embeddings_of_different_widths_are_not_compared() -> None:
    """The first shard's is kept, and other Documents keep theirs."""
    parts = [
        DocumentArray([Document(id="a", embedding=np.zeros(3))]),
        DocumentArray(
            [Document(id="a", embedding=np.ones(4)), Document(id="b", embedding=np.ones(4))]
        ),
    ]
    found = as_columns(DocumentArray._of_records(reduced([part._records() for part in parts])))
    assert [doc.embedding.shape for doc in found] == [(3,), (4,)]


def test_columns_that_are_equal_stay_undecoded() -> None:
    docs = DocumentArray([Document(id=str(n), text=f"text {n}", tags={"n": n}) for n in range(9)])
    whole = bodies.reduced([as_columns(docs) for _ in range(4)])
    assert whole._columns is not None
    assert whole._columns.wire is not None
    with_matches = as_columns(docs)
    with_matches[0].matches.append(Document(id="m"))
    whole = bodies.reduced([as_columns(docs), as_columns(with_matches)])
    assert whole._columns is not None
    assert [len(doc.matches) for doc in whole][:2] == [1, 0]
