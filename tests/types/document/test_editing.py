"""Several fields at once: all of a call is done or none of it, and nothing is lost on the way."""

from __future__ import annotations

import pytest

from jina import Document, DocumentArray
from jina.excepts import BadDocType
from jina.records import ids


def full():
    return Document(id="a", text="x", tags={"k": 1}, weight=2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda doc: doc.pop("text", "wieght"),
        lambda doc: doc.ClearField("wieght"),
        lambda doc: doc.update(Document(id="b", text="y"), fields=["text", "wieght"]),
        lambda doc: doc.set_attributes(text="y", wieght=1.0),
    ],
)
def test_a_misspelt_field_changes_nothing_and_names_the_near_one(call):
    doc = full()
    with pytest.raises(
        (ValueError, AttributeError), match=r"no field 'wieght'; did you mean 'weight'\?"
    ):
        call(doc)
    assert doc == full()


@pytest.mark.parametrize("name", [["text"], 5, None])
def test_a_name_is_a_text(name):
    with pytest.raises(ValueError, match="a Document has no field"):
        full().pop(name)


@pytest.mark.parametrize("method", ["update", "MergeFrom", "CopyFrom"])
def test_what_is_taken_over_is_that_of_a_document(method):
    with pytest.raises(BadDocType, match=r"an int is not a Document\nhelp: wrap it: Document"):
        getattr(full(), method)(5)
    with pytest.raises(BadDocType, match="a dict is not a Document"):
        getattr(full(), method)({"text": "y"})


def test_update_takes_one_field_or_the_content_by_name():
    doc = full()
    doc.update(Document(id="b", text="y", weight=1.0), fields="text")
    assert (doc.id, doc.text, doc.weight) == ("a", "y", 2.0)
    doc.update(Document(id="b", blob=[1]), fields=["content"])
    assert (doc.content_type, doc.blob.tolist()) == ("blob", [1])


def test_an_array_of_chunks_that_is_held_grows_when_others_are_merged():
    doc = Document(id="a", chunks=[Document(id="1")])
    chunks = doc.chunks
    doc.MergeFrom(Document(id="b", chunks=[Document(id="2")]))
    assert chunks is doc.chunks
    assert [(chunk.id, chunk.parent_id) for chunk in chunks] == [("1", "a"), ("2", "b")]
    assert "2" in chunks


def test_names_with_two_underscores_reach_into_a_document():
    doc = Document(
        tags={"a": {"b": [1, {"c": 2}]}, "x__y": 3},
        scores={"s": 0.5},
        chunks=[Document(text="t")],
        embedding=[[1.0, 2.0]],
    )
    assert doc.get_attributes("tags__a__b__1__c", "tags__x__y") == [2, 3]
    assert doc.get_attributes("chunks__0__text", "embedding__0__1") == ["t", 2.0]
    assert (doc.tags__a__b__0, doc.scores__s__value) == (1, 0.5)
    assert doc.get_attributes("tags__none", "chunks__7__id", "tags__a__b__-1") == [None] * 3
    assert doc.get_attributes("_record", "json", "tags__a___x") == [None] * 3
    assert not hasattr(doc, "tags__none")
    with pytest.raises(AttributeError, match="'Document' object has no attribute 'txet'"):
        doc.txet  # noqa: B018 - to see what it raises


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Document({"q": "x", "uri": "y"}, field_resolver={"q": "uri"}),
            "both `q` and `uri` set the field `uri`",
        ),
        (
            lambda: Document({"q": 1, "z": 2}, field_resolver={"q": "z"}),
            "both `q` and `z` set the field `z`",
        ),
        (
            lambda: Document(q="x", uri="y", field_resolver={"q": "uri"}),
            "both `q` and `uri` set the field `uri`",
        ),
        (
            lambda: Document({"parentId": "x", "parent_id": "y"}),
            "both `parentId` and `parent_id` set the field `parent_id`",
        ),
    ],
)
def test_two_keys_for_one_field_are_refused_since_one_would_be_lost(make, message):
    with pytest.raises(BadDocType, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Document(5), "an int is not a Document"),
        (lambda: Document(text=5), "`text` is an int, expected text"),
        (lambda: Document(tags=[]), "`tags` is a list, expected a dict"),
        (lambda: Document(content=5), "a content is text, bytes or a tensor, not an int"),
    ],
)
def test_messages_name_a_type_with_its_article(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("edit", "is_another_id"),
    [
        (lambda doc: doc.pop("text", "tags"), False),
        (lambda doc: doc.update(full(), fields=["text", "tags", "weight"]), False),
        (lambda doc: doc.pop("id"), True),
        (lambda doc: doc.clear(), True),
        (lambda doc: doc.update(full()), True),
        (lambda doc: doc.MergeFrom(full()), True),
        (lambda doc: doc.CopyFrom(full()), True),
        (lambda doc: setattr(doc, "id", "c"), True),
    ],
)
def test_only_another_id_makes_arrays_look_for_ids_anew(edit, is_another_id):
    docs = DocumentArray([Document(id="b", text="y"), Document(id="other")])
    assert docs["b"] is docs[0]
    before = ids.Changes.count
    edit(docs[0])
    assert (ids.Changes.count != before) is is_another_id
    assert ("b" in docs) is not is_another_id
    assert docs[docs[0].id] is docs[0]


def test_the_path_of_a_score_as_jina_2_has_it():
    doc = Document(scores={"x": 1.5, "values": 2})
    assert doc.get_attributes("scores__values__x__value") is None  # there is one of that name
    doc = Document(scores={"x": 1.5}, evaluations={"y": {"value": 3.0, "op_name": "o"}})
    wanted = ("scores__values__x__value", "evaluations__values__y__op_name", "scores__x__value")
    assert doc.get_attributes(*wanted) == [1.5, "o", 1.5]
    assert DocumentArray([doc]).get_attributes("scores__values__x__value") == [1.5]
