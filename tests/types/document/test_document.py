"""A Document is a plain object: fields, contents, construction, edits."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import BadDocType, DocumentError
from jina.records.record import FIELDS
from jina.records.score import NamedScore
from jina.types import codec


def test_it_prints_its_set_fields_as_the_cookbook_shows():
    doc = Document(id="20213a02", text="hello world")
    assert str(doc) == "{'id': '20213a02', 'mime_type': 'text/plain', 'text': 'hello world'}"
    assert repr(doc) == (
        "<jina.types.document.Document id=20213a02 mime_type=text/plain text=hello world "
        f"at {id(doc)}>"
    )


def test_ids_are_shaped_like_uuids_and_differ():
    ids = {Document().id for _ in range(1000)}
    assert len(ids) == 1000
    assert all([len(part) for part in name.split("-")] == [8, 4, 4, 4, 12] for name in ids)


def test_a_forked_child_makes_other_ids():
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, Document().id.encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 100).decode()
    os.close(read)
    os.close(write)
    assert theirs[:23] != Document().id[:23]


def test_text_only_work_never_loads_numpy():
    code = (
        "import sys\n"
        "from jina import Document, DocumentArray\n"
        "from jina.types import codec\n"
        "docs = codec.parse_lines(b'{\"text\": \"x\"}', key='k', first_line=1).docs\n"
        "docs = codec.decode(codec.encode(docs))\n"
        "for doc in docs: doc.tags['a'] = 1; doc.chunks.append(Document(text='c'))\n"
        "codec.render(codec.decode(codec.encode(docs)))\n"
        "assert 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- content ------------------------------------------------------------------------------------


def test_setting_one_content_removes_the_others():
    doc = Document(text="x")
    assert (doc.content_type, doc.content, doc.mime_type) == ("text", "x", "text/plain")
    doc.buffer = b"y"
    assert (doc.content_type, doc.content, doc.text) == ("buffer", b"y", "")
    doc.blob = [1, 2]
    assert (doc.content_type, doc.buffer) == ("blob", b"")
    doc.text = "z"
    assert doc.blob is None


def test_an_empty_text_counts_as_a_content():
    assert Document(text="").content_type == "text"
    assert Document(buffer=b"").content_type == "buffer"
    assert Document().content_type is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [("x", "text"), (b"x", "buffer"), (bytearray(b"x"), "buffer"), (np.eye(2), "blob")],
)
def test_content_goes_where_its_type_says(content, kind):
    assert Document(content=content).content_type == kind


def test_a_uri_is_no_content_and_guesses_the_mime_type():
    doc = Document(uri="a/b.png", text="x")
    assert (doc.uri, doc.text) == ("a/b.png", "x")
    assert Document(uri="a/b.png").mime_type == "image/png"
    assert Document(mime_type="png").mime_type == "image/png"
    assert Document(text="x", mime_type="text/html").mime_type == "text/html"


def test_none_unsets_a_field():
    doc = Document(text="x", blob=None, embedding=[1.0], weight=0.5, tags={"a": 1})
    for name in ("text", "embedding", "weight", "tags"):
        setattr(doc, name, None)
    assert doc.non_empty_fields == ("id", "mime_type")


@pytest.mark.parametrize("field", ["text", "buffer", "tags"])
def test_a_wrong_type_is_refused(field):
    with pytest.raises(TypeError, match=f"`{field}` is a"):
        setattr(Document(), field, 5)


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([object()]), "text", [[1], [1, 2]]])
def test_a_tensor_is_made_of_numbers(value):
    with pytest.raises(BadDocType):
        Document(blob=value)


@pytest.mark.parametrize("value", [-1, 1 << 63, 1.5, "1", True])
def test_a_granularity_is_a_count(value):
    with pytest.raises(BadDocType, match="`granularity`"):
        Document(granularity=value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1"])
def test_a_weight_is_a_finite_number(value):
    with pytest.raises(BadDocType, match="`weight`"):
        Document(weight=value)


def test_lists_and_foreign_tensors_become_writable_arrays():
    class Torchlike:
        def detach(self):
            return self

        def numpy(self):
            return np.ones(2, dtype=np.float32)

    assert Document(embedding=[1, 2]).embedding.dtype == np.int64
    assert Document(embedding=Torchlike()).embedding.dtype == np.float32
    frozen = np.ones(3)
    frozen.flags.writeable = False
    assert Document(blob=frozen).blob.flags.writeable
    given = np.ones(3)
    assert Document(blob=given).blob is given


# --- construction -------------------------------------------------------------------------------


def test_unknown_keys_of_a_dict_go_into_the_tags():
    doc = Document({"id": "a", "title": "T", "tags": {"x": 1}, "parentId": "p", "n": None})
    assert doc.tags == {"x": 1, "title": "T", "n": None}
    assert doc.parent_id == "p"


def test_a_key_both_in_tags_and_beside_them_is_refused():
    with pytest.raises(BadDocType, match="`x` appears both"):
        Document({"x": 1, "tags": {"x": 2}})


def test_text_in_a_dict_does_not_set_the_mime_type():
    assert Document({"text": "x"}).mime_type == ""


def test_the_field_resolver_renames_keys():
    assert Document({"q": "x"}, field_resolver={"q": "text"}).text == "x"
    assert Document(field_resolver={"q": "text"}, q="x").text == "x"


def test_another_document_is_shared_unless_copied():
    doc = Document(text="x")
    Document(doc).text = "y"
    assert doc.text == "y"
    Document(doc, copy=True).text = "z"
    assert doc.text == "y"


def test_children_in_a_dict_are_taken_as_they_are():
    doc = Document({"chunks": [{"text": "a"}, Document(id="b")]})
    chunk = doc.chunks[0]
    assert (chunk.text, chunk.granularity, chunk.parent_id) == ("a", 0, "")
    assert doc.chunks[1].id == "b"


@pytest.mark.parametrize("source", [5, [1], "[1]", "nope", b"bytes", {"id": 5.5}, {"blob": "x"}])
def test_what_is_no_document_is_refused(source):
    with pytest.raises(BadDocType):
        Document(source)


def test_two_contents_are_refused():
    with pytest.raises(ValueError, match="one content, not blob and text"):
        Document(text="x", blob=[1])
    with pytest.raises(ValueError, match="one content"):
        Document({"text": "x", "buffer": "eA=="})


def test_an_unknown_keyword_names_the_near_miss():
    with pytest.raises(AttributeError, match="no field 'txet'; did you mean 'text'"):
        Document(txet="x")


def test_any_id_becomes_text():
    assert Document(id=5).id == "5"


# --- tags and scores ----------------------------------------------------------------------------


def test_tags_keep_their_types_over_the_wire():
    tags = {"i": 5, "f": 5.0, "b": True, "n": None, "l": [1, [2]], "m": {"x": {"y": 1 << 80}}}
    doc = codec.decode(codec.encode(DocumentArray([Document(tags=tags)])))[0]
    assert repr(doc.tags) == repr(tags)


def test_numpy_values_in_tags_become_plain_ones():
    doc = Document(tags={"a": np.float32(0.5), "b": np.arange(2), "c": (1, 2), "d": np.int8(3)})
    back = codec.decode(codec.encode(DocumentArray([doc])))[0]
    assert back.tags == {"a": 0.5, "b": [0, 1], "c": [1, 2], "d": 3}


def test_nan_in_tags_survives_the_wire():
    doc = Document(tags={"a": float("nan"), "b": [float("-inf")]})
    tags = codec.decode(codec.encode(DocumentArray([doc])))[0].tags
    assert repr(tags) == "{'a': nan, 'b': [-inf]}"


@pytest.mark.parametrize(
    "tags", [{"a": {1, 2}}, {"a": object()}, {1: "x"}, {"a": "\ud800"}, {"a": b"x"}]
)
def test_tags_that_cannot_be_carried_name_the_document(tags):
    docs = DocumentArray([Document(id="good"), Document(id="bad", tags=tags)])
    with pytest.raises(DocumentError, match="'bad'"):
        codec.encode(docs)
    with pytest.raises(DocumentError, match="'bad'"):
        docs[1].json()


def test_a_tag_that_holds_itself_is_a_typed_error():
    doc = Document(id="loop")
    doc.tags["self"] = doc.tags
    with pytest.raises(DocumentError, match="nested too deeply"):
        doc.json()


def test_scores_take_numbers_and_reading_creates_none():
    doc = Document()
    doc.scores["x"] = 0.1
    assert doc.scores["x"] == NamedScore(0.1)
    with pytest.raises(KeyError, match="'y'"):
        assert doc.scores["y"].value
    assert "y" not in doc.scores
    assert doc.scores.get("y") is None
    assert doc.evaluations == {}
    assert doc.non_empty_fields == ("id", "scores")
    with pytest.raises(TypeError, match="a score is a number"):
        doc.scores["x"] = "high"


def test_reading_containers_leaves_them_unset():
    doc = Document(id="a")
    assert [len(x) for x in (doc.tags, doc.scores, doc.chunks, doc.matches, doc.location)] == [
        0
    ] * 5
    assert doc.json() == '{"id":"a"}'
    assert doc == Document(id="a")


# --- children -----------------------------------------------------------------------------------


def test_chunks_know_their_parent():
    doc = Document(id="p", granularity=1, mime_type="text/html")
    chunk = doc.chunks.append(Document(id="c"))
    assert (chunk.parent_id, chunk.granularity, chunk.mime_type) == ("p", 2, "text/html")
    assert doc.chunks[0] is chunk


def test_matches_lie_one_step_further():
    doc = Document(id="q", granularity=1, adjacency=1)
    match = doc.matches.append(Document(id="m"), weight=0.5)
    assert (match.adjacency, match.granularity, match.parent_id) == (2, 1, "")
    assert match.weight == 0.5


def test_what_is_added_is_copied_and_not_changed():
    added = Document(id="m", text="x", tags={"a": 1}, embedding=np.ones(3))
    match = Document().matches.append(added)
    match.scores["s"] = 1
    match.tags["a"] = 2
    match.text = "y"
    assert (added.adjacency, added.tags, added.text) == (0, {"a": 1}, "x")
    assert "scores" not in added.non_empty_fields
    assert match.embedding is added.embedding


def test_assigned_children_replace_the_old_ones():
    doc = Document(chunks=[Document(text="a")], id="p")
    assert doc.chunks[0].parent_id == "p"
    doc.chunks = [Document(text="b"), Document(text="c")]
    assert doc.chunks.texts == ["b", "c"]
    doc.chunks = doc.chunks
    assert doc.chunks.texts == ["b", "c"]


def test_children_outlive_their_owner():
    chunks = Document(id="gone").chunks
    assert chunks.append(Document()).parent_id == "gone"


# --- edits --------------------------------------------------------------------------------------


def test_pop_clear_and_clear_field():
    doc = Document(text="x", uri="a.txt", tags={"a": 1})
    doc.pop("text", "uri")
    assert (doc.text, doc.uri, doc.mime_type) == ("", "", "text/plain")
    doc.ClearField("tags")
    assert doc.tags == {}
    with pytest.raises(ValueError, match="no field 'nope'"):
        doc.pop("nope")
    doc.clear()
    assert doc.non_empty_fields == ()


def test_update_merges_tags_and_replaces_the_rest():
    doc = Document(id="a", text="x", tags={"a": 1, "b": 1})
    doc.update(Document(id="b", buffer=b"y", tags={"b": 2}))
    assert (doc.id, doc.text, doc.buffer, doc.tags) == ("b", "", b"y", {"a": 1, "b": 2})
    doc.update(Document(text="z", weight=1.0), fields=["weight"])
    assert (doc.buffer, doc.weight) == (b"y", 1.0)


def test_merge_appends_and_copy_replaces():
    doc = Document(id="a", chunks=[Document(id="1")], location=[1])
    other = Document(id="b", chunks=[Document(id="2")], location=[2])
    doc.MergeFrom(other)
    assert (doc.id, doc.chunks.get_attributes("id"), doc.location) == ("b", ["1", "2"], [1, 2])
    doc.CopyFrom(Document(id="c"))
    assert doc.non_empty_fields == ("id",)


def test_get_attributes_reaches_into_tags_and_scores():
    doc = Document(id="a", tags={"x": {"y": [5]}}, scores={"s": 0.5})
    assert doc.get_attributes("id", "tags__x__y__0", "scores__s__value") == ["a", 5, 0.5]
    assert doc.get_attributes("tags__no") is None


def test_the_content_hash_ignores_the_id_and_sees_the_content():
    one, two = Document(id="1", tags={"a": 1, "b": 2}), Document(id="2", tags={"b": 2, "a": 1})
    for doc in (one, two):
        doc.update_content_hash()
    assert one.content_hash == two.content_hash != ""
    two.text = "x"
    two.update_content_hash()
    assert one.content_hash != two.content_hash


# --- an ordinary object -------------------------------------------------------------------------


class Mine(Document):
    """A Document with an attribute of its own."""


def test_a_subclass_keeps_its_class_and_attributes():
    mine = Mine(text="x")
    mine.note = [1]
    for other in (copy.copy(mine), copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))):
        assert type(other) is Mine
        assert (other.text, other.note) == ("x", [1])
    assert type(Document().chunks.append(mine)) is Mine
    assert copy.deepcopy(mine).note is not mine.note


def test_equality_is_by_content_and_documents_are_no_keys():
    assert Document(id="a", text="x") == Document(id="a", text="x")
    assert Document(id="a", text="x") != Document(id="b", text="x")
    assert Document(id="a") != "a"
    with pytest.raises(TypeError):
        hash(Document())


def test_a_misspelt_attribute_is_refused():
    with pytest.raises(AttributeError):
        Document().txet = "x"


VALUES = {
    "id": "new",
    "mime_type": "a/b",
    "text": "t",
    "tags": {"a": 1},
    "uri": "u",
    "buffer": b"b",
    "blob": [1],
    "embedding": [1],
    "scores": {"s": 1},
    "evaluations": {"s": 1},
    "location": [1],
    "chunks": [Document(id="c")],
    "matches": [Document(id="m")],
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("how", ["set", "update", "copy", "merge", "container", "pop"])
def test_any_edit_of_a_row_from_the_wire_is_sent_on(field, how):
    value = VALUES.get(field, "w" if isinstance(getattr(Document(), field), str) else 3)
    docs = codec.decode(codec.encode(DocumentArray([Document(id="a"), Document(id="b")])))
    other = Document(id="other", **({} if field == "id" else {field: value}))
    doc = docs[1]
    if how == "set":
        setattr(doc, field, value)
    elif how == "update":
        doc.update(other)
    elif how == "copy":
        doc.CopyFrom(other)
    elif how == "merge":
        doc.MergeFrom(other)
    elif how == "pop":
        setattr(doc, field, value)
        docs = codec.decode(codec.encode(docs))
        doc = docs[1]
        doc.pop(field)
    elif hasattr(getattr(doc, field), "append"):
        getattr(doc, field).append(value[0])
    elif hasattr(getattr(doc, field), "update"):
        getattr(doc, field).update({"s": NamedScore(1)} if "s" in value else value)
    sent = codec.decode([bytes(frame) for frame in codec.encode(docs)])
    assert list(sent) == list(docs)


def test_nesting_without_end_is_a_typed_error():
    doc = Document()
    for number in range(20_000):  # how deep a stack is depends on the Python
        doc = Document(id=str(number), chunks=[doc])
    with pytest.raises(DocumentError, match=r"of Document '19999' are nested too deeply"):
        doc.json()
    for call in (doc.dict, doc.binary_str, lambda: copy.deepcopy(doc), lambda: str(doc)):
        with pytest.raises(DocumentError, match="nested"):
            call()


def test_a_masked_array_is_refused_rather_than_unmasked():
    with pytest.raises(BadDocType, match="would lose its mask"):
        Document(blob=np.ma.masked_array([1, 2], mask=[0, 1]))
