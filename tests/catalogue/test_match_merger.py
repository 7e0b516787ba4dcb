"""MatchMerger: one list of the matches of several shards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import Document, DocumentArray


@pytest.fixture(scope="module")
def merger_class(catalogue: Any) -> Any:
    return catalogue("MatchMerger/executor.py").MatchMerger


def doc(id_: str, **matches: float) -> Document:
    found = Document(id=id_)
    found.matches = [Document(id=name, scores={"cosine": at}) for name, at in matches.items()]
    return found


def ids(docs: DocumentArray) -> dict[str, str]:
    return {one.id: "".join(match.id for match in one.matches) for one in docs}


def merged(merger: Any, *shards: list[Document], **parameters: Any) -> DocumentArray:
    matrix = [DocumentArray(shard) for shard in shards]
    docs = DocumentArray([one for shard in shards for one in shard])
    found: DocumentArray = merger.merge(docs=docs, docs_matrix=matrix, parameters=parameters)
    return found


def test_the_best_of_all_shards_come_first(merger_class: Any) -> None:
    shards = [[doc("q", a=0.3, b=0.1), doc("r", a=1.0)], [doc("q", c=0.2, d=0.4), doc("r", c=2)]]
    found = merged(merger_class(top_k=3), *shards)
    assert ids(found) == {"q": "bca", "r": "ac"}
    assert [match.adjacency for match in found[0].matches] == [1, 1, 1]
    assert ids(merged(merger_class(top_k=3), *shards, top_k="1")) == {"q": "b", "r": "a"}


def test_descending_puts_the_largest_first_and_what_has_no_score_last(merger_class: Any) -> None:
    odd = doc("q", b=0.1, n=float("nan"))
    odd.matches.append(Document(id="x"))
    found = merged(merger_class(direction="descending"), [odd], [doc("q", a=0.3)])
    assert ids(found) == {"q": "abnx"}


def test_equal_scores_stand_in_the_order_of_the_shards_and_equal_ids_once(
    merger_class: Any,
) -> None:
    found = merged(merger_class(), [doc("q", b=0.5, a=0.5)], [doc("q", c=0.5, b=0.1)])
    assert ids(found) == {"q": "bac"}


def test_documents_of_one_shard_alone_and_ids_that_stand_twice_stay(merger_class: Any) -> None:
    found = merged(merger_class(), [doc("q", a=1), doc("q", b=1)], [doc("p", d=1), doc("q", c=1)])
    assert [(one.id, [match.id for match in one.matches]) for one in found] == [
        ("q", ["a", "c"]),
        ("q", ["b"]),
        ("p", ["d"]),
    ]


def test_of_equal_texts_the_best_is_kept(merger_class: Any) -> None:
    shards = [[doc("q", a=0.3, b=0.1)], [doc("q", c=0.2)]]
    for shard in shards:
        for match in shard[0].matches:
            match.text = "same " if match.id != "a" else ""
    assert ids(merged(merger_class(distinct=True), *shards)) == {"q": "ba"}


def test_on_matches_it_sorts_what_each_document_has(merger_class: Any) -> None:
    docs = DocumentArray([doc("q", a=0.3, b=0.1)])
    merger = merger_class(on="matches", top_k=1)
    assert ids(merger.merge(docs=docs, docs_matrix=None, parameters={})) == {"q": "b"}
    docs = DocumentArray([doc("q", a=0.3, b=0.1)])
    assert ids(merger_class().merge(docs=docs, docs_matrix=None, parameters={})) == {"q": "ba"}
    assert merger.merge(docs=None, docs_matrix=None, parameters={}) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"score": ""}, "score: name the score to sort by"),
        ({"direction": "up"}, "direction: 'up' is none of ascending, descending"),
        ({"on": "docs"}, "on: 'docs' is none of docs_matrix, matches"),
        ({"top_k": 0}, "top_k: 0 is no whole number from 1"),
    ],
)
def test_what_it_cannot_be_told(merger_class: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        merger_class(**wrong)


@given(numbers=st.lists(st.integers(0, 20), min_size=1, max_size=12), shards=st.integers(1, 4))
def test_it_gives_what_one_shard_with_all_would_give(
    merger_class: Any, numbers: list[int], shards: int
) -> None:
    """However the matches are divided."""
    values = np.array(numbers, float)
    parts = [
        [doc("q", **{f"m{n}": values[n] for n in range(shard, len(values), shards)})]
        for shard in range(shards)
    ]
    (found,) = merged(merger_class(top_k=5), *parts)
    assert [match.scores["cosine"].value for match in found.matches] == sorted(values)[:5]
