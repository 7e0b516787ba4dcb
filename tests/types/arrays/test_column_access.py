"""Columns are read and set whole; what does not fit changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.types.codec import decode, encode


def array(*ids):
    return DocumentArray([Document(id=name, text=name.upper()) for name in ids])


def columnar(docs):
    return decode(encode(docs))


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
    docs = decode([frame(part) for part in encode(docs)])
    docs.embeddings[0, 0] = 5
    docs = decode([frame(part) for part in encode(docs)])
    docs[1].embedding[1] = 7
    docs = decode([frame(part) for part in encode(docs)])
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


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = array("a", "b", "c")
    return rows if request.param == "rows" else columnar(rows)


@pytest.mark.parametrize(
    ("field", "values", "error", "what"),
    [
        ("texts", ["a"], DocumentError, "1 texts for 3 Documents"),
        ("texts", "abc", TypeError, "`texts` is a text, expected a list"),
        ("texts", ["a", 5, "c"], TypeError, "`texts` holds an int, expected text"),
        ("embeddings", np.eye(2), DocumentError, "2 embeddings for 3 Documents"),
        ("embeddings", np.array(1.0), DocumentError, "one number for 3 Documents"),
        ("embeddings", [[1.0], [2.0], "x"], DocumentError, "made of numbers, not of str"),
        ("embeddings", [[1.0], [2.0], [None]], DocumentError, "dtype object"),
        ("embeddings", scipy.sparse.eye(2, format="csr"), DocumentError, "2 embeddings for 3"),
        ("blobs", [[1.0], [2.0], {}], DocumentError, "made of numbers, not of dict"),
    ],
)
def test_a_column_is_set_whole_or_not_at_all(docs, field, values, error, what):
    with pytest.raises(error, match=what):
        setattr(docs, field, values)
    assert docs == array("a", "b", "c")


def test_texts_may_come_from_numpy_and_be_unset(docs):
    docs.texts = np.array(["x", "y", "z"])
    assert docs.texts == ["x", "y", "z"]
    assert decode(encode(docs)).texts == ["x", "y", "z"]
    docs.texts = ["x", None, "z"]
    assert [doc.content_type for doc in docs] == ["text", None, "text"]
    docs.texts = None
    assert [doc.content_type for doc in docs] == [None] * 3


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
@pytest.mark.parametrize("kind", ["matrix", "array"])
def test_a_sparse_matrix_gives_rows_of_its_own_format(docs, name, kind):
    make = getattr(scipy.sparse, f"{name}_{kind}")
    docs.embeddings = make(np.eye(3))
    for found in (docs, decode(encode(docs)), DocumentArray(map(Document, docs))):
        assert {type(doc.embedding) for doc in found} == {make}
        assert found.embeddings.toarray().tolist() == np.eye(3).tolist()


def test_no_documents_have_no_column_as_in_jina_2():
    for column in ("embeddings", "blobs"):
        with pytest.raises(IndexError, match="no Documents, no `"):
            getattr(DocumentArray(), column)
