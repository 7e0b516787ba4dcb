"""Paths lead to chunks and matches; what is no path is refused."""

from __future__ import annotations

import pytest

from jina import Document, DocumentArray
from jina.types.codec import decode, encode


def tree():
    docs = DocumentArray([Document(id="a"), Document(id="b")])
    docs[0].chunks = [Document(id="a1", matches=[Document(id="m")]), Document(id="a2")]
    return docs


def test_a_subclass_may_flatten_by_path():
    class ByPath(DocumentArray):
        def traverse_flat(self, traversal_paths, filter_fn=None):
            parts = self.traverse_flat_per_path(traversal_paths, filter_fn)
            return DocumentArray(doc for part in parts for doc in part)

    assert ByPath(tree()).traverse_flat("r,c").get_attributes("id") == ["a", "b", "a1", "a2"]


@pytest.mark.parametrize("form", [DocumentArray, lambda docs: decode(encode(docs))])
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


@pytest.fixture(params=["rows", "columns"])
def docs(request):
    rows = DocumentArray([Document(id=name, tags={"n": name}) for name in "abc"])
    return rows if request.param == "rows" else decode(encode(rows))


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
