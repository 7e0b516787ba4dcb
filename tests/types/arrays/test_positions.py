"""Documents are found by position, id, list and mask; any other key says so."""

from __future__ import annotations

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.types.codec import decode, encode


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = DocumentArray([Document(id=name) for name in "abc"])
    return rows if request.param == "rows" else decode(encode(rows))


def test_rows_are_found_by_position_id_slice_list_and_mask():
    docs = DocumentArray([Document(id=name) for name in "abc"])
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


@pytest.mark.parametrize(
    ("key", "error", "what"),
    [
        (7, IndexError, "position 7 is out of range: there are 3 Documents"),
        ([0, 7], IndexError, "position 7 is out of range: there are 3 Documents"),
        ("x", KeyError, "no Document has the id 'x'"),
        (["a", "x"], KeyError, "no Document has the id 'x'"),
        (1.0, IndexError, "use a position, an id or a slice, not 1.0"),
        (None, IndexError, "not None"),
        (True, IndexError, "not True"),
        (np.array(1.5), IndexError, "not array"),
        ([True, False], IndexError, "a mask of 2 values for 3 Documents"),
        (np.ones((3, 3), bool), IndexError, "not array"),
        ([True, 1, 2], IndexError, "not True"),
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
