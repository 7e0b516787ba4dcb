"""What is no Document, no position, no text or no path is refused by name, and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from jina import Document, DocumentArray, DocumentArrayMemmap
from jina.excepts import BadDocType, DocumentError
from jina.types.codec import decode, encode


def array(*ids):
    return DocumentArray([Document(id=name, tags={"n": name}) for name in ids])


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = array("a", "b", "c")
    return rows if request.param == "rows" else decode(encode(rows))


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda docs: docs.append(5), "an int is no Document"),
        (lambda docs: docs.append({}), "a dict is no Document"),
        (lambda docs: docs.extend([Document(), 5]), "an int is no Document"),
        (lambda docs: docs.extend(5), "an int where several Documents are expected"),
        (lambda docs: docs.extend(Document()), "a Document where several Documents are expected"),
        (lambda docs: docs.__setitem__(slice(1), Document()), "a Document where several"),
        (lambda docs: docs.__setitem__(0, None), "a NoneType is no Document"),
        (lambda docs: docs + 5, "an int where several"),
        (lambda docs: docs.insert(0, "x"), "a str is no Document"),
        (lambda docs: setattr(docs[0], "chunks", 5), "an int where several"),
        (lambda docs: setattr(docs[0], "matches", [{}]), "a dict is no Document"),
        (lambda docs: DocumentArray(5), "an int where several"),
        (lambda docs: DocumentArray([Document(), 5]), "element 1 is an int, no Document"),
        (lambda docs: DocumentArray(np.array(5)), "a ndarray where several"),
    ],
)
def test_only_documents_are_taken_and_nothing_changes_otherwise(docs, call, what):
    with pytest.raises(BadDocType, match=what):
        call(docs)
    assert docs == array("a", "b", "c")


@pytest.mark.parametrize(
    ("key", "error", "what"),
    [
        (7, IndexError, "position 7 of 3 Documents"),
        ([0, 7], IndexError, "position 7 of 3 Documents"),
        ("x", KeyError, "no Document has the id 'x'"),
        (["a", "x"], KeyError, "no Document has the id 'x'"),
        (1.0, IndexError, "by position, id or slice, not by 1.0"),
        (None, IndexError, "not by None"),
        (True, IndexError, "not by True"),
        (np.array(1.5), IndexError, "not by array"),
        ([True, False], IndexError, "a mask of 2 values for 3 Documents"),
        (np.ones((3, 3), bool), IndexError, "not by array"),
        ([True, 1, 2], IndexError, "not by True"),
    ],
)
def test_a_key_that_finds_nothing_says_so(docs, key, error, what):
    with pytest.raises(error, match=what):
        docs[key]
    with pytest.raises(error):
        del docs[key]
    assert len(docs) == 3


def test_positions_are_whole_numbers_of_any_kind(docs):
    for one in (1, np.int8(1), np.uint64(1), np.array(1)):
        assert docs[one].id == "b"
    assert docs[np.array([2, 0])].get_attributes("id") == ["c", "a"]
    assert docs[np.array(["c"])].get_attributes("id") == ["c"]
    assert docs[np.array([True, False, True])].get_attributes("id") == ["a", "c"]
    assert docs[np.array([False] * 3)].get_attributes("id") == []


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


@pytest.mark.parametrize(
    ("paths", "what"),
    [
        ("rx", "'rx' has the letter 'x'"),
        ("R", "has the letter 'R'"),
        (["r", "c m"], "has the letter ' '"),
        (["r", 5], "a text such as 'r' or 'cm', not 5"),
        (5, "such as 'r' and 'cm', not 5"),
        (None, "such as 'r' and 'cm', not None"),
    ],
)
def test_a_path_of_wrong_letters_is_refused(docs, paths, what):
    for call in (
        lambda: docs.traverse_flat(paths),
        lambda: list(docs.traverse(paths)),
        lambda: list(docs.traverse_flat_per_path(paths)),
        lambda: docs.find({"n": "."}, paths),
    ):
        with pytest.raises(ValueError, match=what):
            call()


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda docs: docs.find(5), "5 are no regular expressions by tag"),
        (lambda docs: docs.find({"n": 5}), "no regular expressions by tag"),
        (lambda docs: docs.find({"n": "("}), r"'\(' is no regular expression"),
        (lambda docs: docs.find({"n": "a"}, operator="~"), "no operator is '~'"),
        (lambda docs: docs.sample(4), "a sample of 4 out of 3 Documents"),
        (lambda docs: docs.sample(-1), "a sample of -1 out of 3 Documents"),
        (lambda docs: list(docs.batch(0)), "a batch of 0 Documents"),
        (lambda docs: list(docs.batch("2")), "a batch of '2' Documents"),
        (lambda docs: list(docs.batch(1.5)), r"a batch of 1\.5 Documents"),
    ],
)
def test_selections_say_what_they_cannot_do(docs, call, what):
    with pytest.raises(ValueError, match=what):
        call(docs)


def test_split_reaches_into_tags_and_takes_values_that_can_be_keys():
    docs = DocumentArray(
        [Document(id="a", tags={"m": {"x": 1}}), Document(id="b", tags={"m": {"x": 2}})]
    )
    assert {key: part[0].id for key, part in docs.split("m__x").items()} == {1: "a", 2: "b"}
    assert docs.split("none") == {}
    with pytest.raises(ValueError, match="the tag 'm' of Document 'a' is a dict"):
        docs.split("m")


def test_the_array_on_disk_takes_documents_only(tmp_path):
    with DocumentArrayMemmap(tmp_path / "docs") as docs:
        with pytest.raises(BadDocType, match="an int is no Document"):
            docs.append(5)
        with pytest.raises(BadDocType, match="a Document where several"):
            docs.extend(Document())
        with pytest.raises(TypeError, match="not a Document"):
            Document() in docs  # noqa: B015 - to see what it raises
        assert len(docs) == 0
