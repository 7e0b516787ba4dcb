"""A Document is an ordinary object: subclassed, copied, pickled, compared."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from jina import Document, DocumentArray


class Noted(Document):
    """With an attribute, as most subclasses have."""

    def __init__(self, *args, note=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.note = note


class Slotted(Document):
    """With a slot instead."""

    __slots__ = ("note",)

    def __init__(self, *args, note=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.note = note


class Guarded(Document):
    """Says itself what is kept."""

    def __init__(self, note):
        super().__init__(text="x")
        self.note = note
        self.handle = object()

    def __getstate__(self):
        return {"kept": self.note}

    def __setstate__(self, state):
        self.note = state["kept"]


WAYS = pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda doc: pickle.loads(pickle.dumps(doc))]
)


@WAYS
@pytest.mark.parametrize("kind", [Noted, Slotted])
def test_copies_and_pickles_keep_what_a_subclass_adds(way, kind):
    doc = kind(text="x", note=["kept"])
    found = way(doc)
    assert (type(found), found, found.note) == (kind, doc, ["kept"])
    assert (found.note is doc.note) is (way is copy.copy)


@pytest.mark.parametrize("kind", [Noted, Slotted])
def test_children_and_matches_keep_what_a_subclass_adds(kind):
    doc = Document(chunks=[kind(note=1)])
    assert (type(doc.chunks[0]), doc.chunks[0].note) == (kind, 1)
    query = DocumentArray([Document(embedding=[1.0])])
    query.match(DocumentArray([kind(note=2, embedding=[1.0])]))
    assert query[0].matches[0].note == 2


@WAYS
def test_a_subclass_says_what_is_kept(way):
    found = way(Guarded("n"))
    assert (type(found), found.text, found.note) == (Guarded, "x", "n")
    assert not hasattr(found, "handle")


@pytest.mark.parametrize("way", [copy.deepcopy, lambda doc: pickle.loads(pickle.dumps(doc))])
def test_an_attribute_may_lead_back_to_its_document(way):
    doc = Noted(id="a")
    doc.note = {"me": doc}
    found = way(doc)
    assert found.note["me"] is found


@pytest.mark.parametrize("way", [copy.deepcopy, lambda docs: pickle.loads(pickle.dumps(docs))])
def test_one_document_in_two_places_stays_one(way):
    doc = Document(id="a")
    docs = way(DocumentArray([doc, doc]))
    assert docs[0] is docs[1]
    assert docs[0] is not doc
    one, two = way((doc, DocumentArray([doc])))
    assert two[0] is one


class Corpus(DocumentArray):
    """An array with more to it."""

    def __init__(self, docs=None, name=""):
        super().__init__(docs)
        self.name = name


@WAYS
def test_a_subclass_of_an_array_stays_what_it_is(way):
    docs = Corpus([Document(id="a")], name="mine")
    found = way(docs)
    assert (type(found), found.name, found) == (Corpus, "mine", docs)
    assert (found[0] is docs[0]) is (way is copy.copy)
    assert type(docs[:1]) is DocumentArray, "as a slice of a list's subclass is a list"


@WAYS
def test_a_copy_of_chunks_is_an_array_without_an_owner(way):
    found = way(Document(id="p", chunks=[Document(id="c")]).chunks)
    assert type(found) is DocumentArray
    assert found[0].parent_id == "p"
    assert found.append(Document()).parent_id == ""


@pytest.mark.parametrize(
    "tags",
    [
        {"a": float("nan")},
        {"a": [{"b": float("nan")}]},
        {"a": np.arange(3)},
        {"a": [np.float64("nan"), "x"]},
    ],
)
def test_equal_tags_are_equal_whatever_they_hold(tags):
    assert Document(id="a", tags=tags) == Document(id="a", tags=copy.deepcopy(tags))
    assert Document(id="a", tags=tags) != Document(id="a", tags={"a": [1, 2]})
    assert Document(id="a", scores={"s": float("nan")}) == Document(
        id="a", scores={"s": float("nan")}
    )
    assert Document(id="a", scores={"s": float("nan")}) != Document(id="a", scores={"s": 0.0})
