"""Whatever a Document holds survives the wire, JSON, bytes, dict, pickle and copies."""

from __future__ import annotations

import copy
import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.records import record_ops
from jina.types import codec
from tests.records.strategies import documents

ONE_OF_EACH = {
    "text": "x",
    "buffer": b"x",
    "blob": np.ones(2),
    "embedding": np.ones(2),
    "tags": {"k": 1},
    "uri": "u",
    "mime_type": "a/b",
    "parent_id": "p",
    "granularity": 1,
    "adjacency": 1,
    "offset": 1,
    "modality": "m",
    "location": [1],
    "weight": 0.5,
    "content_hash": "h",
    "scores": {"s": 1.0},
    "evaluations": {"s": 1.0},
    "chunks": [Document(id="c")],
    "matches": [Document(id="m")],
}

some = settings(max_examples=40, deadline=None)


def frames_of(docs):
    """As they arrive: bytes that belong to nobody else."""
    return [bytes(frame) for frame in codec.encode(docs)]


@some
@given(st.lists(documents, max_size=4))
def test_wire_gives_back_equal_documents(docs):
    docs = DocumentArray(docs)
    back = codec.decode(frames_of(docs))
    assert len(back) == len(docs)
    assert back == docs
    # Rows that were read are encoded anew, to the same content.
    assert codec.decode(frames_of(back)) == docs


@some
@given(st.lists(documents, max_size=4))
def test_the_wire_sets_no_field_that_was_unset_and_json_shows_no_difference(docs):
    docs = DocumentArray(docs)
    back = codec.decode(frames_of(docs))
    again = codec.decode(frames_of(back))
    assert codec.render(docs) == codec.render(back) == codec.render(again)
    for one, two, three in zip(docs, back, again, strict=True):
        assert one.non_empty_fields == two.non_empty_fields == three.non_empty_fields


@pytest.mark.parametrize("name", sorted(ONE_OF_EACH))
def test_a_field_that_is_set_in_one_row_stays_unset_in_the_others(name):
    fields = {name: ONE_OF_EACH[name]}
    for rows in ([{}, fields], [fields, {}], [{}, fields, {}]):
        docs = DocumentArray([Document(id=f"i{n}", **row) for n, row in enumerate(rows)])
        text = codec.render(docs)
        parsed = codec.parse_lines(text, key="k", first_line=1).docs
        for before in (docs, parsed):
            back = codec.decode(frames_of(before))
            list(back)  # rows, from now on
            assert codec.render(back) == text
            assert codec.render(codec.decode(frames_of(back))) == text


def test_a_weight_of_zero_that_was_said_stays_said():
    text = b'{"id":"a","weight":0.0}\n{"id":"b"}\n{"id":"c","weight":-0.0}\n'
    docs = codec.parse_lines(text, key="k", first_line=1).docs
    for count in (1, 2, 3):
        lines = b"".join(text.splitlines(keepends=True)[:count])
        back = codec.decode(frames_of(DocumentArray(docs[:count])))
        assert [doc.weight for doc in back] == [0] * count
        assert codec.render(back) == lines


EMPTY = {
    **{"tags": b"{}", "location": b"[]", "scores": b"{ }", "evaluations": b"{}"},
    **{"chunks": b"[]", "matches": b"[ ]"},
}
READS = ("id", "text", "tags", "scores", "evaluations", "location", "chunks", "matches", "weight")


@pytest.mark.parametrize("rows", [1, 3, 40])
@given(
    st.sets(st.sampled_from(sorted(EMPTY))),
    st.sampled_from([b"", b',"weight":0', b',"weight":-0.0', b',"weight":0.5']),
    st.sampled_from([b"", b',"text":"x"', b',"own":1', b',"tags":{ \t }', b',"tags":{"k":1}']),
    st.sets(st.sampled_from(READS)),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_neither_reads_nor_the_wire_change_what_is_shown(rows, empty, weight, more, reads, nested):
    """An empty container is unset, a weight of zero is not, whoever looks and on whatever way."""
    empty = empty - {"tags"} if b"tags" in more else empty
    odd = b"".join(b',"%s":%s' % (name.encode(), EMPTY[name]) for name in sorted(empty))
    fields = b'"id":"a"' + weight + more + odd
    if nested and not empty & {"chunks"}:
        fields += b',"chunks":[{%s}]' % fields.replace(b',"own":1', b"")
    ways = []
    for way in ("here", "sent and read", "read and sent"):
        docs = codec.parse_lines(b"{%s}\n" % fields * rows, key="k", first_line=1).docs
        if way == "sent and read":
            docs = codec.decode(frames_of(docs))
        for doc in docs:
            for name in reads:
                getattr(doc, name)
        if way == "read and sent":
            docs = codec.decode(frames_of(docs))
        assert [doc.dict() for doc in docs] == list(map(json.loads, map(Document.json, docs)))
        ways.append(codec.render(docs))
    unread = codec.parse_lines(b"{%s}\n" % fields * rows, key="k", first_line=1).docs
    assert set(ways) == {codec.render(unread)}
    shown = json.loads(ways[0].splitlines()[0])
    assert not shown.keys() & (empty - {"tags"} if b"own" in more else empty)
    assert ("weight" in shown) == bool(weight)


def test_a_weight_of_zero_that_was_said_is_in_the_dict_as_in_the_json():
    doc = Document(id="a", weight=0)
    assert doc.dict() == json.loads(doc.json()) == {"id": "a", "weight": 0.0}
    assert doc == Document(id="a")  # the number is the same
    assert Document(id="a").dict() == {"id": "a"}


@pytest.mark.parametrize("name", ["tags", "scores", "location", "chunks"])
def test_an_empty_container_that_a_document_is_made_with_is_unset(name):
    assert (
        Document({"id": "a", name: {} if name in ("tags", "scores") else []}).json() == '{"id":"a"}'
    )


def test_a_weight_that_was_taken_back_is_unset():
    docs = DocumentArray([Document(id="a", weight=1), Document(id="b", weight=2)])
    docs[0].weight = None
    assert codec.render(docs[:1]) == b'{"id":"a"}\n'
    back = codec.decode(frames_of(docs))
    assert back.get_attributes("weight") == [0, 2]
    assert codec.render(back) == b'{"id":"a"}\n{"id":"b","weight":2.0}\n'


@some
@given(st.lists(documents, min_size=1, max_size=4))
def test_untouched_columns_are_sent_on_as_they_came(docs):
    frames = frames_of(DocumentArray(docs))
    assert all(a is b for a, b in zip(codec.encode(codec.decode(frames)), frames, strict=True))


@some
@given(st.lists(documents, min_size=1, max_size=3))
def test_rows_that_were_only_wrapped_encode_to_the_same_content(docs):
    back = codec.decode(frames_of(DocumentArray(docs)))
    assert [doc.id for doc in back] == [doc.id for doc in docs]
    assert codec.decode(frames_of(back)) == DocumentArray(docs)


@some
@given(st.lists(documents, max_size=3), st.sampled_from(["list", "typed", "base64"]))
def test_json_lines_give_back_documents(docs, form):
    docs = DocumentArray(docs)
    text = codec.render(docs, tensors=form)
    assert text.count(b"\n") == len(docs)
    back = codec.parse_lines(text, key="k", first_line=1)
    assert back.errors == []
    if form != "list":
        assert back.docs == docs
    else:
        for one, two in zip(back.docs, docs, strict=True):
            assert_equal_once_rounded(one._record, two._record)


@some
@given(st.lists(documents, min_size=1, max_size=4))
def test_a_few_documents_become_lines_only_where_nothing_is_lost(docs):
    docs = DocumentArray(docs)
    text = codec.render_few(docs)
    if text is not None:
        back = codec.parse_lines(text, key="k", first_line=1)
        assert (back.errors, back.groundtruths) == ([], None)
        assert back.docs == docs
        assert [repr(doc.tags) for doc in back.docs] == [repr(doc.tags) for doc in docs]


@pytest.mark.parametrize(
    "fields",
    [
        {"buffer": b"x"},
        {"blob": np.zeros(2)},
        {"embedding": np.zeros(2)},
        {"weight": 0.5},
        {"tags": {"x": math.inf}},
        {"tags": {"x": b"bytes"}},
        {"text": "\ud800"},
        {"text": "x" * 20_000},
        {"id": ""},
        {"scores": {"s": 1.0}},
        {"chunks": [Document()]},
        {"matches": [Document()]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_lines_would_change_stays_columns(fields):
    assert codec.render_few(DocumentArray([Document(id="a")])) == b'{"id":"a"}\n'
    doc = Document(id="a", **{k: v for k, v in fields.items() if k != "id"})
    doc.id = fields.get("id", "a")
    assert codec.render_few(DocumentArray([doc])) is None


def test_many_documents_and_untouched_columns_stay_columns():
    many = DocumentArray([Document(text="x") for _ in range(5)])
    assert codec.render_few(many) is None
    assert codec.render_few(DocumentArray()) is None
    assert codec.render_few(codec.decode(frames_of(many[:1]))) is None


def assert_equal_once_rounded(one, two):
    """The numbers of the first, rounded to the dtypes of the second, are those of the second."""
    for name in ("blob", "embedding"):
        value = record_ops.tensor(getattr(two, name))
        if isinstance(value, np.ndarray):
            setattr(one, name, record_ops.tensor(getattr(one, name)).astype(value.dtype))
    for name in ("chunks", "matches"):
        ones, twos = (
            record_ops.children(getattr(one, name)),
            record_ops.children(getattr(two, name)),
        )
        assert len(ones) == len(twos)
        for a, b in zip(ones, twos, strict=True):
            assert_equal_once_rounded(a, b)
    assert record_ops.equal(one, two)


@some
@given(documents)
def test_bytes_dict_json_pickle_and_copies_give_an_equal_document(doc):
    assert Document(doc.binary_str()) == doc
    assert Document(doc.SerializeToString()) == doc
    assert Document(doc.dict()) == doc
    assert Document(doc.json()) == doc
    assert pickle.loads(pickle.dumps(doc)) == doc
    assert copy.copy(doc) == doc
    assert copy.deepcopy(doc) == doc
    assert Document(doc, copy=True) == doc
    assert Document(doc) == doc
    str(doc), repr(doc)


@some
@given(documents)
def test_a_deep_copy_shares_nothing(doc):
    before = doc.binary_str()
    other = copy.deepcopy(doc)
    other.tags["new"] = 1
    other.scores["new"] = 1
    other.location.append(1)
    if isinstance(other.embedding, np.ndarray):
        other.embedding[...] = 0
    other.chunks.append(Document())
    for chunk in other.chunks:
        chunk.text = "changed"
    assert Document(doc.binary_str()) == Document(before)
