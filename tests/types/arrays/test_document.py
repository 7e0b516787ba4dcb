"""A DocumentArray is a list with an index by id, columns and paths."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import scipy.sparse

from jina import Document, DocumentArray, DocumentArrayMemmap
from jina.excepts import BadDocType, DocumentError
from jina.types import codec


def array(*ids):
    return DocumentArray([Document(id=name, text=name.upper()) for name in ids])


def columnar(docs):
    return codec.decode(codec.encode(docs))


def test_it_prints_as_the_cookbook_shows():
    docs = DocumentArray([Document(id="x", text="hello")])
    line = "{'id': 'x', 'mime_type': 'text/plain', 'text': 'hello'}"
    assert str(docs) == f"DocumentArray has 1 items:\n{line}"
    assert re.fullmatch(
        r"<jina\.types\.arrays\.document\.DocumentArray length=1 at \d+>", repr(docs)
    )
    text = str(array("a", "b", "c", "d", "e"))
    assert text.startswith("DocumentArray has 5 items (showing first three):\n{'id': 'a'")
    assert text.count(",\n") == 2


@pytest.mark.parametrize("make", [list, tuple, iter, DocumentArray, lambda d: map(Document, d)])
def test_it_is_made_of_any_iterable(make):
    assert DocumentArray(make(array("a", "b"))).get_attributes("id") == ["a", "b"]
    assert len(DocumentArray()) == 0
    assert len(DocumentArray(Document())) == 1


def test_a_copy_shares_the_documents_and_not_the_list():
    docs = array("a")
    other = DocumentArray(docs)
    other.append(Document(id="b"))
    other[0].text = "changed"
    assert (len(docs), docs[0].text) == (1, "changed")
    assert docs[0] is other[0] is copy.copy(docs)[0]
    assert copy.deepcopy(docs)[0] is not docs[0]
    assert pickle.loads(pickle.dumps(docs)) == docs


@pytest.mark.parametrize("wrong", [["a"], "ab", [1], [None]])
def test_only_documents_are_taken(wrong):
    with pytest.raises(BadDocType, match="no Document"):
        DocumentArray(wrong)
    with pytest.raises(BadDocType, match="is no Document"):
        DocumentArray().append(wrong[0])


def test_rows_are_found_by_position_id_slice_list_and_mask():
    docs = array("a", "b", "c")
    assert docs[-1] is docs["c"] is docs[2] is docs[np.int64(2)]
    assert docs[:2].get_attributes("id") == ["a", "b"]
    assert docs[[2, 0]].get_attributes("id") == ["c", "a"]
    assert docs[["b", -1]].get_attributes("id") == ["b", "c"]
    for mask in ([True, False, True], np.array([True, False, True])):
        assert docs[mask].get_attributes("id") == ["a", "c"]
    for wrong in (3, -4, 1.5, None, [True], [1.5], True):
        with pytest.raises(IndexError):
            docs[wrong]
    with pytest.raises(KeyError, match="no Document has the id 'z'"):
        docs["z"]
    with pytest.raises(TypeError, match="takes the id"):
        docs[0] in docs  # noqa: B015 - it is the asking that raises


def test_the_index_follows_every_change():
    docs = array("a", "b", "c")
    assert "a" in docs
    docs[0] = Document(id="z")
    assert "a" not in docs
    assert docs["z"] is docs[0]
    docs.insert(0, Document(id="first"))
    assert docs["b"] is docs[2]
    del docs["first"]
    assert docs["b"] is docs[1]
    docs[1].id = "renamed"
    assert "b" not in docs
    assert docs["renamed"] is docs[1]
    docs.append(Document(id="z"))
    assert docs["z"] is docs[3]
    docs[3].clear()
    assert docs["z"] is docs[0]
    docs.pop("z")
    assert "z" not in docs
    del docs[[True, False, False]]
    assert docs.get_attributes("id") == ["c", ""]


def test_list_methods_do_as_lists_do():
    docs = array("a", "b")
    docs.extend(None)
    docs += array("c")
    assert (docs + array("d")).get_attributes("id") == ["a", "b", "c", "d"]
    docs.sort(key=lambda doc: doc.id, reverse=True)
    docs.reverse()
    assert docs.pop().id == "c"
    docs.remove(Document(id="a", text="A"))
    assert docs.index(docs[0]) == 0
    assert docs.count(docs[0]) == 1
    assert [doc.id for doc in reversed(docs)] == ["b"]
    docs[0:1] = array("x", "y")
    assert docs.get_attributes("id") == ["x", "y"]
    docs.clear()
    assert not docs
    with pytest.raises(TypeError):
        docs.sort()


@pytest.mark.parametrize(
    ("top_k", "reverse", "expected"),
    [
        (2, False, "bdace"),
        (2, True, "eabcd"),
        (2.0, False, "bdace"),
        (0, False, "bdace"),
        (99, True, "eacbd"),
    ],
)
def test_the_first_ones_are_sorted_to_the_front_and_none_is_lost(
    tmp_path, top_k, reverse, expected
):
    """Equal keys keep their order, as when all are sorted."""
    keys = dict(zip("abcde", [2, 1, 2, 1, 3], strict=True))
    for docs in (array(*"abcde"), DocumentArrayMemmap(tmp_path / "docs")):
        if not docs:
            docs.extend(array(*"abcde"))
        docs.sort(lambda doc: keys[doc.id], top_k, reverse)
        assert "".join(docs.get_attributes("id")) == expected


def test_the_others_stay_behind_the_first_ones_in_their_order():
    docs = array(*"edcba")
    docs.sort(key=lambda doc: doc.id, top_k=2)
    assert docs.get_attributes("id") == [*"abedc"]
    assert docs["e"] is docs[2]


def test_the_rows_of_columns_are_made_once():
    docs = columnar(array("a", "b"))
    assert docs[0] is docs[0]
    assert docs[:1][0] is docs[0]
    docs[0].tags["x"] = 1
    assert docs[0].tags == {"x": 1}


# --- columns ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [DocumentArray, columnar])
def test_columns_are_read_and_set_in_both_forms(form):
    docs = form(array("a", "b"))
    assert docs.texts == ["A", "B"]
    docs.texts = ["x", "y"]
    docs.embeddings = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert docs.get_attributes("text", "id") == [["x", "y"], ["a", "b"]]
    assert docs.embeddings.tolist() == [[1, 2], [3, 4]]
    docs = columnar(docs)
    assert [doc.embedding.tolist() for doc in docs] == [[1, 2], [3, 4]]
    assert docs.embeddings.tolist() == [[1, 2], [3, 4]]
    docs.blobs = np.ones((2, 1))
    assert docs.texts == ["", ""]
    docs.embeddings = None
    assert docs[0].embedding is None
    for name, wrong in (("texts", ["x"]), ("embeddings", np.ones((3, 1))), ("blobs", [[1]])):
        with pytest.raises(DocumentError, match="for 2 Documents"):
            setattr(docs, name, wrong)


def test_columns_that_were_read_stay_columns():
    docs = columnar(array("a", "b"))
    docs.texts = [text.lower() for text in docs.texts]
    docs.embeddings = np.ones((2, 2))
    assert docs.get_attributes("embedding")[0].tolist() == [1, 1]
    assert docs._columns is not None
    assert [doc.text for doc in docs] == ["a", "b"]


@pytest.mark.parametrize("size", [4, 40_000])
@pytest.mark.parametrize("frame", [bytes, bytearray])
def test_tensors_that_are_read_can_be_written_and_what_was_written_is_sent(size, frame):
    docs = DocumentArray([Document(embedding=np.ones(size, "<f4")) for _ in range(2)])
    docs = codec.decode([frame(part) for part in codec.encode(docs)])
    docs.embeddings[0, 0] = 5
    docs = codec.decode([frame(part) for part in codec.encode(docs)])
    docs[1].embedding[1] = 7
    docs = codec.decode([frame(part) for part in codec.encode(docs)])
    assert [doc.embedding[:2].tolist() for doc in docs] == [[5, 1], [1, 7]]
    assert docs[0].embedding.dtype == np.float32
    assert docs[0].embedding is docs[0].embedding


def test_missing_and_ragged_tensors_name_their_documents():
    docs = DocumentArray([Document(id="a", embedding=[1.0]), Document(id="b")])
    with pytest.raises(DocumentError, match="no `embedding` in 'b'"):
        _ = docs.embeddings
    docs[1].embedding = [1.0, 2.0]
    docs.append(Document(id="c", embedding=[2.0]))
    with pytest.raises(DocumentError, match=r"not of shape \(1,\) in 'b'"):
        _ = columnar(docs).embeddings
    with pytest.raises(DocumentError, match="no Documents"):
        _ = DocumentArray().embeddings


def test_sparse_embeddings_stay_sparse():
    rows = scipy.sparse.csr_matrix(np.eye(3))
    docs = DocumentArray([Document() for _ in range(3)])
    docs.embeddings = rows
    docs = columnar(docs)
    assert type(docs[1].embedding) is scipy.sparse.csr_matrix
    assert (docs.embeddings != rows).nnz == 0


def test_get_attributes_with_docs_leaves_out_who_has_nothing():
    docs = DocumentArray([Document(id="a", blob=[1]), Document(id="b"), Document(blob=[2])])
    values, found = docs.get_attributes_with_docs("blob")
    assert [value.tolist() for value in values] == [[1], [2]]
    assert found[0] is docs[0]
    assert len(found) == 2
    (ids, blobs), found = docs.get_attributes_with_docs("id", "blob")
    assert ids == ["a", docs[2].id]
    assert len(blobs) == len(found) == 2
    assert DocumentArray().get_attributes("id") == []
    assert docs.get_attributes("tags__x") == [None] * 3


# --- paths --------------------------------------------------------------------------------------


def tree():
    docs = array("a", "b")
    docs[0].chunks = [Document(id="a1", matches=[Document(id="m")]), Document(id="a2")]
    return docs


@pytest.mark.parametrize("form", [DocumentArray, columnar])
def test_paths_lead_to_chunks_and_matches(form):
    docs = form(tree())
    flat = docs.traverse_flat(["r", "c", "cm"])
    assert flat.get_attributes("id") == ["a", "b", "a1", "a2", "m"]
    assert docs.traverse_flat("c,r").get_attributes("id") == ["a1", "a2", "a", "b"]
    assert docs.traverse_flat(["r", "c", ""]).get_attributes("id") == [*"ab", "a1", "a2", *"ab"]
    assert [len(part) for part in docs.traverse(["c"])] == [2, 0]
    assert [len(part) for part in docs.traverse_flat_per_path(["r", "c"])] == [2, 2]
    assert docs.traverse_flat(["c"], filter_fn=lambda d: d.id == "a2")[0].id == "a2"
    docs.traverse_flat(["c"])[0].embedding = [1.0]
    assert docs[0].chunks[0].embedding.tolist() == [1]
    assert next(docs.traverse([""])) is docs
    with pytest.raises(ValueError, match="has the letter 'x'"):
        docs.traverse_flat(["rx"])


def test_concat_joins_arrays_in_order():
    one, two = array("a"), columnar(array("b"))
    whole = DocumentArray.concat([one, two, DocumentArray()])
    assert whole.get_attributes("id") == ["a", "b"]
    assert whole[1] is two[0]


# --- picking ------------------------------------------------------------------------------------


def test_find_sample_shuffle_split_and_batch():
    docs = DocumentArray([Document(id=str(i), tags={"n": i % 2, "s": f"x{i}"}) for i in range(6)])
    assert docs.find({"s": "x[0-2]", "n": "0"}).get_attributes("id") == ["0", "2"]
    assert len(docs.find({"s": "x0", "n": "0"}, threshold=1)) == 3
    assert len(docs.find({"s": "x0"}, operator="<")) == 5
    assert docs.sample(2, seed=1) == docs.sample(2, seed=1)
    assert sorted(docs.shuffle(seed=1).get_attributes("id")) == list("012345")
    assert {key: len(part) for key, part in docs.split("n").items()} == {0: 3, 1: 3}
    assert [len(part) for part in docs.batch(4)] == [4, 2]
    docs[0].text = "x"
    assert [len(part) for part in docs.batch(batch_size=4, require_attr="text")] == [1]
    with pytest.raises(ValueError, match="no operator is '~'"):
        docs.find({"s": "x"}, operator="~")


@pytest.mark.parametrize(
    "change",
    [
        lambda docs, new: docs.append(new),
        lambda docs, new: docs.extend([new]),
        lambda docs, new: docs.insert(0, new),
        lambda docs, new: docs.__setitem__(0, new),
        lambda docs, new: docs.__setitem__("a", new),
        lambda docs, new: docs.__setitem__(slice(0, 2), [new]),
        lambda docs, new: docs.__iadd__([new]),
        lambda docs, new: docs.__delitem__(0),
        lambda docs, new: docs.__delitem__("a"),
        lambda docs, new: docs.__delitem__(slice(0, 1)),
        lambda docs, new: docs.__delitem__([True, False, True]),
        lambda docs, new: docs.pop(0),
        lambda docs, new: docs.remove(docs[0]),
        lambda docs, new: docs.reverse(),
        lambda docs, new: docs.sort(key=lambda doc: doc.id, reverse=True),
        lambda docs, new: docs.clear(),
    ],
)
def test_nothing_known_of_the_documents_outlives_a_change_of_them(change):
    """Neither ids nor columns: no Document is made and no field set, which would tell of it."""
    new = Document(id="new", text="n", tags={"n": 1}, uri="u")
    docs = DocumentArray([Document(id=name, text=name, tags={name: 1}) for name in "abc"])
    docs = codec.decode(codec.encode(docs))
    assert [docs[name].text for name in "abc"] == [*"abc"]
    change(docs, new)
    sent = codec.decode(codec.encode(docs))
    assert list(sent) == list(docs)
    assert all(docs[doc.id] is doc for doc in docs)
    assert [name in docs for name in ("a", "b", "c", "new")] == [
        name in [doc.id for doc in docs] for name in ("a", "b", "c", "new")
    ]


@pytest.mark.parametrize("way", ["append", "extend", "+="])
def test_the_last_of_one_id_is_found_also_when_it_was_added_later(way):
    first, last = Document(id="a", text="first"), Document(id="a", text="last")
    docs = DocumentArray([first])
    assert docs["a"] is first
    if way == "append":
        docs.append(last)
    elif way == "extend":
        docs.extend([last])
    else:
        docs += [last]
    assert docs["a"] is last
