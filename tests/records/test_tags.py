"""Tags: the short ways give what the long ones give."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.excepts import DocumentError, WireError
from jina.records import batch
from jina.records import tags as tag_forms
from jina.records.batch import CODE_OF, ENTRY, HEAD, MAGIC
from jina.types import codec
from tests.records import strategies
from tests.records.strategies import words


class Word(str):
    """A text of a subclass."""

    __slots__ = ()


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.builds(Word, words),
    st.binary(max_size=2),
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.arange, st.integers(0, 3)),
    st.sampled_from([(1, 2), {1}, object]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=12),
        st.lists(st.floats(), min_size=9, max_size=12),
        st.dictionaries(words | st.integers(0, 2) | st.builds(Word, words), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(st.dictionaries(words | st.builds(Word, words) | st.just(1), values, max_size=3))
def test_tags_that_pass_the_quick_look_would_not_be_changed(tags):
    outcomes = []
    for look in (lambda: tag_forms.plain(tags, finite=True), lambda: tag_forms.plain_tags(tags)):
        try:
            outcomes.append((look() is tags, ""))
        except DocumentError as err:
            outcomes.append((False, f"{type(err)} {err.what}"))
    assert outcomes[0] == outcomes[1]
    assert tag_forms._is_plain_map(tags) == outcomes[0][0]


def test_tags_without_end_are_refused():
    tags = {}
    tags["tags"] = tags
    with pytest.raises(DocumentError, match="nested too deeply"):
        tag_forms.plain_tags(tags)
    assert not tag_forms._is_plain_map({"x": [math.nan] * 20})


def over_the_wire(docs):
    return codec.decode([bytes(frame) for frame in codec.encode(docs)])


def tags_of(frames):
    """The bytes of the column of tags."""
    return batch.parse(frames).columns["tags"].data


@settings(max_examples=60, deadline=None)
@given(
    st.lists(strategies.documents, min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
    st.sampled_from(["read", "set", "unset", "rename", "swap"]),
)
def test_rows_that_came_as_columns_are_sent_as_rows_that_did_not(docs, which, deed):
    """What an array knows of its rows since they were columns changes nothing of what is sent."""
    came = over_the_wire(DocumentArray(docs))
    made = DocumentArray([Document(doc, copy=True) for doc in docs])
    for array in (came, made):
        for i in which:
            if i >= len(docs):
                continue
            if deed == "read":
                _ = array[i].tags
            elif deed == "set":
                array[i].tags["new"] = [1]
            elif deed == "unset":
                array[i].pop("tags")
            elif deed == "rename":
                array[i].id = f"new-{i}"
            else:
                array[i], array[0] = array[0], array[i]
    list(came)
    assert over_the_wire(came) == over_the_wire(made) == made


def test_tags_that_nobody_read_are_sent_on_as_they_came():
    docs = DocumentArray([Document(id=str(i), tags={"n": i}) for i in range(3)])
    data = bytes(tags_of(codec.encode(docs)))
    spaced = data.replace(b":", b" : ")
    frames = codec.encode(docs)
    head = HEAD.pack(MAGIC, 1, 2, 3)
    ids = batch.parse(frames).columns["id"].data
    entries = ENTRY.pack(CODE_OF["id"], 1, 0, 0, len(ids)) + ENTRY.pack(
        CODE_OF["tags"], 6, 0, 0, len(spaced)
    )
    back = codec.decode([head + entries + ids + spaced])
    for doc in back:
        doc.text = "seen"
    assert tags_of(codec.encode(back)) == spaced
    assert back[1].tags == {"n": 1}
    back[1].tags["n"] = 5
    # The others are still the bytes that they were.
    assert tags_of(codec.encode(back)) == b'[{"n" : 0},{"n":5},{"n" : 2}]'
    back.append(Document())
    assert over_the_wire(back) == back


def test_damaged_tags_are_found_when_a_row_is_read():
    head = HEAD.pack(MAGIC, 1, 2, 1)
    entries = ENTRY.pack(CODE_OF["id"], 1, 0, 0, 3) + ENTRY.pack(CODE_OF["tags"], 6, 0, 0, 3)
    docs = codec.decode([head + entries + b"\x91\xa1a" + b"[5]"])
    assert docs.get_attributes("id") == ["a"]
    for read in (lambda: docs[0], lambda: list(docs), lambda: codec.render(docs)):
        with pytest.raises(WireError, match="the column `tags` cannot be decoded"):
            read()


def test_a_nested_documents_tags_are_written_wherever_it_came_from():
    """Also of children in plain lists."""
    chunk = over_the_wire(DocumentArray([Document(id="c", tags={"x": 1})]))[0]
    parent = Document({"id": "p", "chunks": [chunk]})
    assert '"tags":{"x":1}' in parent.json()
    assert over_the_wire(DocumentArray([parent]))[0].chunks[0].tags == {"x": 1}


def test_tags_without_end_are_a_typed_error_wherever_they_are_followed():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    doc = Document(id="x", tags={"v": deep})
    for call in (
        doc.binary_str,
        doc.json,
        doc.dict,
        doc.update_content_hash,
        lambda: str(doc),
        lambda: copy.copy(doc),
        lambda: copy.deepcopy(doc),
        lambda: Document().chunks.append(doc),
        lambda: Document().MergeFrom(doc),
        lambda: Document().update(doc),
        lambda: DocumentArray([doc]).find({"v": "x"}),
    ):
        with pytest.raises(DocumentError, match="nested too deeply"):
            call()


def test_an_integer_of_thousands_of_digits_is_carried_or_a_typed_error():
    doc = Document(id="x", tags={"n": 10**4000})
    assert Document(doc.binary_str()).tags == Document(doc.json()).tags == doc.tags
    doc.tags["n"] = 10**5000
    for call in (doc.binary_str, doc.json):
        with pytest.raises(DocumentError, match=r"`tags` of Document 'x' cannot be .*4300 digits"):
            call()


@pytest.mark.parametrize(
    ("odd", "name"), [(math.nan, "NaN"), (math.inf, "infinity"), (-math.inf, "-infinity")]
)
@pytest.mark.parametrize("long", [1 << 64, -(1 << 63) - 1, 10**4000])
def test_a_number_that_is_none_beside_an_integer_beyond_64_bits_is_named(odd, name, long):
    doc = Document(id="x", tags={"n": long, "of": [{"x": odd}]})
    with pytest.raises(DocumentError) as caught:
        codec.encode(DocumentArray([doc]))
    assert str(caught.value) == (
        f"`tags` of Document 'x' cannot be sent: `tags.of[0].x` is {name}, which JSON cannot "
        "represent, next to an integer of more than 64 bits, which only JSON can represent\n"
        "help: write one of them as text"
    )
