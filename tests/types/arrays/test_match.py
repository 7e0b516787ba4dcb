"""The nearest are found, in the right order, and nobody else is changed."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from jina import Document, DocumentArray
from jina.excepts import DocumentError


def array(matrix, prefix="d"):
    return DocumentArray(
        [Document(id=f"{prefix}{i}", embedding=row, text=str(i)) for i, row in enumerate(matrix)]
    )


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["cosine", "euclidean", "sqeuclidean"]),
    st.sampled_from(["<f4", "<f8", "<i4"]),
    st.sampled_from([None, 1, 3, 20]),
    st.sampled_from([None, 1, 4]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_matches_are_the_nearest_by_the_definition(metric, dtype, limit, batch, sparse, seed):
    rng = np.random.default_rng(seed)
    left = rng.integers(-9, 9, (3, 4)).astype(dtype)
    right = rng.integers(-9, 9, (10, 4)).astype(dtype)
    left[:, 0], right[:, 0] = 1, 1  # no vector without a direction
    queries, index = array(left, "q"), array(right)
    if sparse:
        queries.embeddings = scipy.sparse.csr_matrix(left)
        index.embeddings = scipy.sparse.csr_matrix(right)
    queries.match(index, metric=metric, limit=limit, batch_size=batch)
    expected = cdist(left.astype(float), right.astype(float), metric)
    for doc, row in zip(queries, expected, strict=True):
        found = [match.scores[metric].value for match in doc.matches]
        assert np.allclose(found, np.sort(row)[:limit], atol=1e-9)
        for match in doc.matches:
            assert match.scores[metric].value == pytest.approx(row[int(match.text)], abs=1e-9)


def test_the_index_is_not_changed_and_queries_do_not_share_matches():
    index = array(np.eye(3))
    before = index[0].dict()
    queries = array(np.eye(3), "q")
    queries.match(index, limit=2)
    queries[0].matches[0].text = "changed"
    queries[0].matches[0].tags["a"] = 1
    assert index[0].dict() == before
    again = array(np.eye(3), "q")
    again.match(index, limit=1)
    assert again[0].matches[0].text == "0"
    assert again[0].matches[0].adjacency == 1
    assert list(again[0].matches[0].scores) == ["cosine"]


def test_options_of_match():
    index = array(np.arange(10.0).reshape(5, 2) + 1)
    index.match(index, metric="euclidean", exclude_self=True, limit=2)
    assert [len(doc.matches) for doc in index] == [2] * 5
    assert all(doc.id not in doc.matches for doc in index)
    index.match(index, metric="euclidean", normalization=(1, 0), limit=None, metric_name="fit")
    assert [m.scores["fit"].value for m in index[0].matches] == pytest.approx(
        [1, 0.75, 0.5, 0.25, 0], abs=1e-6
    )
    index.match(index, metric=lambda a, b: -(a @ b.T), metric_name="dot", limit=1, only_id=True)
    assert index[0].matches[0].non_empty_fields == ("id", "adjacency", "scores")
    assert index[0].matches[0].id == "d4"


def test_nothing_matches_nothing():
    queries = array(np.eye(2))
    queries[0].matches.append(Document())
    queries.match(DocumentArray())
    assert not queries[0].matches
    DocumentArray().match(queries)


def test_a_vector_of_zeros_is_no_nan():
    queries = array(np.zeros((1, 2)))
    queries.match(array(np.eye(2)))
    assert [match.scores["cosine"].value for match in queries[0].matches] == [1, 1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": 5}, TypeError, "a metric is a name or a function"),
        ({"metric": "manhattan"}, ValueError, "no metric is named 'manhattan'"),
        ({"limit": 0}, ValueError, "a limit of 0"),
        ({"metric": lambda a, b: a.T}, ValueError, "the metric returned shape"),
    ],
)
def test_wrong_options_say_so(options, error, message):
    with pytest.raises(error, match=message):
        array(np.eye(3)[:2]).match(array(np.eye(3)), **options)


def test_missing_and_unequal_embeddings_say_so():
    with pytest.raises(DocumentError, match="no `embedding` in 'x'"):
        array(np.eye(2)).match(DocumentArray([Document(id="x")]))
    with pytest.raises(DocumentError, match="are compared with"):
        array(np.eye(2)).match(array(np.eye(3)))
