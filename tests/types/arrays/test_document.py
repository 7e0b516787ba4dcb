"""A DocumentArray is a list with an index by id; it takes Documents only."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

from jina import Document, DocumentArray, DocumentArrayMemmap
from jina.excepts import BadDocType
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
    with pytest.raises(BadDocType, match="is not a Document"):
        DocumentArray().append(wrong[0])


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


def test_concat_joins_arrays_in_order():
    one, two = array("a"), columnar(array("b"))
    whole = DocumentArray.concat([one, two, DocumentArray()])
    assert whole.get_attributes("id") == ["a", "b"]
    assert whole[1] is two[0]


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


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = array("a", "b", "c")
    return rows if request.param == "rows" else columnar(rows)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda docs: docs.append(5), "an int is not a Document"),
        (lambda docs: docs.append({}), "a dict is not a Document"),
        (lambda docs: docs.extend([Document(), 5]), "an int is not a Document"),
        (lambda docs: docs.extend(5), "an int where several Documents are expected"),
        (lambda docs: docs.extend(Document()), "a Document where several Documents are expected"),
        (lambda docs: docs.__setitem__(slice(1), Document()), "a Document where several"),
        (lambda docs: docs.__setitem__(0, None), "a NoneType is not a Document"),
        (lambda docs: docs + 5, "an int where several"),
        (lambda docs: docs.insert(0, "x"), "a str is not a Document"),
        (lambda docs: setattr(docs[0], "chunks", 5), "an int where several"),
        (lambda docs: setattr(docs[0], "matches", [{}]), "a dict is not a Document"),
        (lambda docs: DocumentArray(5), "an int where several"),
        (lambda docs: DocumentArray([Document(), 5]), "element 1 is an int, no Document"),
        (lambda docs: DocumentArray(np.array(5)), "a ndarray where several"),
    ],
)
def test_only_documents_are_taken_and_nothing_changes_otherwise(docs, call, what):
    with pytest.raises(BadDocType, match=what):
        call(docs)
    assert docs == array("a", "b", "c")


def test_texts_are_worked_on_without_numpy():
    code = (
        "import sys\n"
        "from jina.types.arrays.document import DocumentArray\n"
        "from jina.types.document import Document\n"
        "docs = DocumentArray([Document(text='a', tags={'n': 1})])\n"
        "docs.texts = [text.upper() for text in docs.texts]\n"
        "docs.find({'n': '1'}).batch(1), docs.traverse_flat('r,c').describe()\n"
        "docs[0].matches = docs\n"
        "print('numpy' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "False\n"
