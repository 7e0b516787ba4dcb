"""The columnar codec: which bytes are sent for which Documents."""

from __future__ import annotations

import struct
from copy import copy

import pytest
from hypothesis import given, settings

from jina import Document, DocumentArray, defaults
from jina.excepts import DocumentError
from jina.types import codec
from tests.records.strategies import documents


def test_the_body_of_a_small_batch_is_these_bytes():
    docs = DocumentArray([Document(id="a", text="x"), Document(id="b", text="y", tags={"n": 1})])
    (frame,) = codec.encode(docs)
    assert frame == (
        b"JDA1" + struct.pack("<HHI", 1, 4, 2)
        + struct.pack("<BBHIQ", 1, 1, 0, 0, 5)
        + struct.pack("<BBHIQ", 2, 2, 0, 0, 11)
        + struct.pack("<BBHIQ", 3, 1, 0, 0, 5)
        + struct.pack("<BBHIQ", 4, 6, 0, 0, 14)
        + b"\x92\xa1a\xa1b" + b"\xaatext/plain" + b"\x92\xa1x\xa1y" + b'[null,{"n":1}]'
    )  # fmt: skip


def test_a_nested_batch_is_sent_on_undecoded():
    doc = Document(id="p", chunks=[Document(id="c", embedding=[1.0, 2.0])])
    docs = codec.decode([bytes(f) for f in codec.encode(DocumentArray([doc]))])
    docs[0].text = "changed"
    part = docs[0]._record.chunks
    again = codec.decode([bytes(f) for f in codec.encode(docs)])
    assert docs[0]._record.chunks is part
    assert part.nested.columns._records is None
    assert again[0].chunks[0].embedding.tolist() == [1, 2]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_child_that_was_changed_in_one_document_is_sent_with_each_that_shares_it(rows):
    docs = DocumentArray([Document(id=str(i), chunks=[Document(text="old")]) for i in range(rows)])
    docs[0].chunks[0].chunks.append(Document(text="old"))
    docs = codec.decode([bytes(frame) for frame in codec.encode(docs)])
    copies = DocumentArray([copy(doc) for doc in docs])
    docs[0].chunks[0].text = "new"
    docs[0].chunks[0].chunks[0].text = "new"
    sent = codec.decode(codec.encode(copies))
    assert sent == copies
    assert sent.traverse_flat("c").texts == ["new"] + ["old"] * (rows - 1)
    assert sent.traverse_flat("cc").texts == ["new"]


def test_nesting_beyond_the_limit_is_refused():
    doc = Document()
    for _ in range(defaults.MAX_DEPTH + 1):
        doc = Document(chunks=[doc])
    with pytest.raises(DocumentError, match="nested deeper than 32"):
        codec.encode(DocumentArray([doc]))


@settings(max_examples=60, deadline=None)
@given(documents)
def test_a_document_alone_is_sent_like_one_of_several(doc):
    alone = codec.decode([bytes(frame) for frame in codec.encode(DocumentArray([doc]))])
    several = codec.decode([bytes(frame) for frame in codec.encode(DocumentArray([doc, doc]))])
    assert several == DocumentArray([doc, doc])
    assert alone[0] == several[0] == doc
    assert str(alone[0].weight) == str(doc.weight)
    doc.id = ""
    assert codec.decode(codec.encode(DocumentArray([doc])))[0].id == ""


def test_children_of_two_messages_do_not_change_places():
    """The second row's share lies where the first message has one of its own."""
    messages = []
    for name in "ab":
        docs = DocumentArray([Document(id=f"{name}{i}") for i in range(2)])
        for doc in docs:
            doc.chunks.append(Document(text=f"of {doc.id}"))
        messages.append(codec.decode(codec.encode(docs)))
    mixed = DocumentArray([messages[0][0], messages[1][1]])
    sent = codec.decode(codec.encode(mixed))
    assert [doc.chunks.texts for doc in sent] == [["of a0"], ["of b1"]]


def test_a_document_alone_keeps_the_sign_of_its_weight():
    for weight in (-0.0, 0.0):
        (doc,) = codec.decode(codec.encode(DocumentArray([Document(weight=weight)])))
        assert str(doc.weight) == str(weight)


@pytest.mark.parametrize(
    ("field", "value"), [("embedding", [1.0, 2.0]), ("blob", [3.0]), ("buffer", b"x")]
)
def test_what_is_set_in_one_row_of_a_batch_that_came_is_sent_on(field: str, value: object) -> None:
    """Columns that came without it are not trusted to be all there is."""
    sent = DocumentArray([Document(id=name, text=name) for name in "abc"])
    docs = codec.decode([bytes(frame) for frame in codec.encode(sent)])
    texts = [doc.text for doc in docs]
    setattr(docs[1], field, value)
    back = codec.decode(codec.encode(docs))
    assert list(getattr(back[1], field)) == list(value)  # type: ignore[call-overload]
    assert [doc.text for doc in back] == [texts[0], texts[1] * (field == "embedding"), texts[2]]
