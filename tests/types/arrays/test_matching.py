"""The nearest are found, in the right order, and nobody else is changed."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.records.score import NamedScore


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


def test_paths_and_a_filter_say_who_is_matched_with_whom():
    queries, index = array(np.eye(3), "q"), array(np.eye(3))
    for doc in (*queries, *index):
        doc.chunks = [Document(id=f"c{doc.id}", embedding=doc.embedding)]
    queries.match(index, limit=1, traversal_rdarray=["c"])
    assert [doc.matches[0].id for doc in queries] == ["cd0", "cd1", "cd2"]
    queries.match(index, limit=1, traversal_ldarray="c", traversal_rdarray="r")
    assert [doc.chunks[0].matches[0].id for doc in queries] == ["d0", "d1", "d2"]
    queries.match(index, filter_fn=lambda doc: doc.text != "1", device="cuda", is_sparse=False)
    assert [len(doc.matches) for doc in queries] == [2, 2, 2]
    assert [
        name
        for name in inspect.getfullargspec(queries.match).args
        if name[:5] in ("limit", "trave")
    ] == ["limit", "traversal_ldarray", "traversal_rdarray"]


def test_a_limit_from_parameters_that_know_no_whole_numbers():
    queries = array(np.eye(3), "q")
    queries.match(array(np.eye(3)), limit=2.0, batch_size=2.0)
    assert [len(doc.matches) for doc in queries] == [2, 2, 2]


def test_scipy_knows_more_metrics():
    rng = np.random.default_rng(0)
    left, right = rng.random((2, 4)), rng.random((5, 4))
    queries = array(left, "q")
    queries.match(array(right), metric="cityblock", use_scipy=True)
    for doc, row in zip(queries, cdist(left, right, "cityblock"), strict=True):
        found = [match.scores["cityblock"].value for match in doc.matches]
        assert np.allclose(found, np.sort(row))
    with pytest.raises(ValueError, match="scipy cannot compute the metric 'kilometres'"):
        queries.match(array(right), metric="kilometres", use_scipy=True)


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
        ({"metric": "manhattan"}, ValueError, "there is no metric 'manhattan'"),
        ({"limit": 0}, ValueError, "a limit of 0; use a whole number of at least 1"),
        ({"limit": 1.5}, ValueError, r"a limit of 1\.5; use a whole number"),
        ({"batch_size": 0}, ValueError, "a batch size of 0"),
        ({"batch_size": -1}, ValueError, "a batch size of -1"),
        ({"normalization": 5}, ValueError, "a normalization of 5; use two numbers"),
        ({"normalization": (1,)}, ValueError, r"a normalization of \(1,\)"),
        ({"metric_name": 5}, TypeError, "`metric_name` is an int"),
        ({"metric": lambda a, b: [["x"] * len(b)] * len(a)}, ValueError, "the metric returned <U1"),
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
    ragged = DocumentArray([Document(id="a", embedding=[1.0, 2]), Document(id="b", embedding=[1])])
    for batch_size in (None, 1):
        with pytest.raises(DocumentError, match=r"is not of shape|are compared with"):
            array(np.eye(2)).match(ragged, batch_size=batch_size)
    with pytest.raises(DocumentError, match="complex embeddings have no cosine distance"):
        array(np.eye(2)).match(array(np.eye(2) * 1j))


@pytest.mark.parametrize("index", [5, None, [Document(embedding=[1.0])], Document()])
def test_what_is_no_array_is_not_searched(index):
    with pytest.raises(TypeError, match="where a DocumentArray is expected"):
        array(np.eye(2)).match(index)


def test_what_fails_leaves_the_matches_that_were_there():
    queries = array(np.eye(2), "q")
    queries[0].matches.append(Document(id="old"))
    with pytest.raises(DocumentError):
        queries.match(DocumentArray([Document()]))
    assert queries[0].matches[0].id == "old"


def test_documents_matched_against_themselves_do_not_hold_each_other_without_end():
    docs = array(np.random.default_rng(1).random((40, 3)))
    for _ in range(3):
        docs.match(docs, limit=None)
        assert [len(doc.matches) for doc in docs] == [40] * 40
        assert all(match.matches is not None and not match.matches for match in docs[7].matches)
    assert len(docs[0].binary_str()) < 20_000


def test_an_index_keeps_what_was_found_for_it():
    index = array(np.eye(2), "i")
    index[0].matches.append(Document(id="kept"))
    queries = array(np.eye(2), "q")
    queries.match(index, limit=1)
    assert queries[0].matches[0].matches[0].id == "kept"
    assert index[0].matches[0].id == "kept"


@pytest.mark.parametrize("batch", [None, 7, 64])
@pytest.mark.parametrize("metric", ["cosine", "euclidean", lambda a, b: b[:, 1][None, :]])
def test_equal_distances_keep_the_order_of_the_index(metric, batch):
    index = array([[1.0, i * 7 % 3] for i in range(300)])
    queries = array([[1.0, 0.0]])
    queries.match(index, metric=metric, limit=None, batch_size=batch)
    wanted = sorted(range(300), key=lambda i: i * 7 % 3)
    assert queries[0].matches.texts == [str(i) for i in wanted]


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "sqeuclidean"])
def test_what_a_fast_product_cannot_tell_apart_is_measured_exactly(metric):
    """Nine neighbours that differ by less than float32 has digits, and one far away."""
    rows = [[1.0, (9 - i) * 1e-4, 0.0] for i in range(9)] + [[0.0, 0.0, 1e3]]
    index, queries = array(np.array(rows, "<f4")), array(np.array([[1.0, 0.0, 0.0]], "<f4"))
    for limit in (1, 2):
        queries.match(index, metric=metric, limit=limit)
        assert queries[0].matches.texts == ["8", "7"][:limit]


def test_a_match_keeps_the_scores_that_its_document_has():
    index, queries = array(np.eye(2), "i"), array(np.eye(2), "q")
    index[0].scores["clicks"] = 7
    index[0].scores["cosine"] = 9
    queries.match(index, limit=1)
    found = queries[0].matches[0]
    assert {name: score.value for name, score in found.scores.items()} == {"clicks": 7, "cosine": 0}
    assert {name: score.value for name, score in index[0].scores.items()} == {
        "clicks": 7,
        "cosine": 9,
    }


def test_a_match_has_fields_of_its_own():
    """What is changed in a match is changed neither in the index nor in another query's match."""
    index = array(np.eye(2)[:1], "i")
    doc = index[0]
    doc.location = [1]
    doc.tags = {"a": {"b": 1}}
    doc.scores["s"] = NamedScore(1, operands=[NamedScore(1)])
    doc.evaluations["e"] = 1
    doc.chunks.append(Document(id="chunk"))
    before = doc.dict(prettify_ndarrays=True)
    queries = array(np.eye(2), "q")
    queries.match(index, limit=1)
    one, two = (query.matches[0] for query in queries)
    one.location.append(2)
    one.tags["a"]["b"] = 2
    one.scores["s"].value = one.evaluations["e"].value = 2
    one.scores["s"].operands[0].value = 2
    one.chunks.append(Document(id="more"))
    one.text = "changed"
    assert doc.dict(prettify_ndarrays=True) == before
    assert (two.location, two.tags) == ([1], {"a": {"b": 1}})
    assert two.scores["s"] == NamedScore(1, operands=[NamedScore(1)])
    assert (two.evaluations["e"].value, two.chunks.texts, two.text) == (1, [""], doc.text)


def test_the_next_ones_fill_up_for_those_that_are_left_out():
    index = array([[1.0, 0.0]] * 3 + [[0.9, 0.1], [0.0, 1.0]])
    for doc in index[:3]:
        doc.id = "same"
    queries = DocumentArray([Document(id="same", embedding=[1.0, 0.0])])
    queries.match(index, exclude_self=True, limit=2)
    assert [match.id for match in queries[0].matches] == ["d3", "d4"]


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "sqeuclidean"])
@pytest.mark.parametrize(
    ("offset", "scale", "dtype"),
    [
        (0, 1, "<f4"),
        (1e5, 1, "<f4"),
        (0, 1e25, "<f4"),
        (0, 1e-25, "<f4"),
        (0, 1e180, "<f8"),
        (0, 1000, "<f2"),
        (200, 20, "|u1"),
    ],
)
def test_rounding_and_overflow_hide_no_neighbour(metric, offset, scale, dtype):
    rng = np.random.default_rng(2)
    left, right = (
        (rng.standard_normal((n, 8)) * scale + offset).clip(-6e4, 6e4)
        if dtype in ("<f2", "|u1")
        else rng.standard_normal((n, 8)) * scale + offset
        for n in (5, 500)
    )
    if dtype == "|u1":
        left, right = left.clip(0, 255), right.clip(0, 255)
    left, right = left.astype(dtype), right.astype(dtype)
    queries = array(left, "q")
    queries.match(array(right), metric=metric, limit=5)
    with np.errstate(over="ignore"):
        expected = np.sort(cdist(left.astype(float), right.astype(float), metric))[:, :5]
    for doc, row in zip(queries, expected, strict=True):
        found = [match.scores[metric].value for match in doc.matches]
        assert np.allclose(found, row, rtol=1e-6, atol=1e-15) or not np.isfinite(row).all()


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("metric", ["cosine", "euclidean", "sqeuclidean"])
def test_one_document_without_a_number_does_not_hide_the_others(metric, batch_size):
    matrix = np.eye(6)[:, :3] + 1
    matrix[4], matrix[5] = np.nan, np.inf
    queries = array(np.eye(1, 3), "q")
    queries.match(array(matrix), metric=metric, limit=4, batch_size=batch_size)
    assert {match.id for match in queries[0].matches} == {"d0", "d1", "d2", "d3"}
    queries.match(
        array(matrix[:5]), metric=metric, batch_size=batch_size, limit=4, normalization=(0, 1)
    )
    values = [match.scores[metric].value for match in queries[0].matches]
    assert values == pytest.approx(sorted(values))
    assert (values[0], values[-1]) == pytest.approx((0, 1), abs=1e-5)


def test_a_vector_of_zeros_is_no_neighbour_of_all():
    matrix = np.random.default_rng(3).standard_normal((200, 4)).astype("<f4")
    matrix[:100] = 0
    queries = array(np.ones((1, 4), "<f4"), "q")
    queries.match(array(matrix), limit=20)
    expected = cdist(np.ones((1, 4)), matrix[100:].astype(float), "cosine")
    found = [match.scores["cosine"].value for match in queries[0].matches]
    assert np.allclose(found, np.sort(expected[0])[:20])


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_sparse_embeddings_of_small_integers_do_not_overflow(make):
    rng = np.random.default_rng(4)
    left, right = rng.integers(0, 255, (2, 6), "u1"), rng.integers(0, 255, (300, 6), "u1")
    queries = DocumentArray([Document(embedding=make(row[None])) for row in left])
    index = DocumentArray([Document(embedding=make(row[None])) for row in right])
    for metric in ("cosine", "sqeuclidean"):
        queries.match(index, metric=metric, limit=3)
        expected = np.sort(cdist(left.astype(float), right.astype(float), metric))[:, :3]
        for doc, row in zip(queries, expected, strict=True):
            assert np.allclose([match.scores[metric].value for match in doc.matches], row)


def test_the_embeddings_of_a_subclass_are_compared():
    class Reversed(DocumentArray):
        @property
        def embeddings(self):
            return super().embeddings[:, ::-1]

    docs = DocumentArray([Document(id="a", embedding=[0, 1]), Document(id="b", embedding=[1, 0])])
    for queries, searched in ((Reversed(docs), docs), (docs, Reversed(docs))):
        queries.match(searched, limit=1)
        assert [doc.matches[0].id for doc in docs] == ["b", "a"]


def test_the_arguments_are_found_by_who_filters_by_their_names():
    """Published indexers pass on only what `getfullargspec` names as arguments."""
    wanted = {
        **{"metric": "euclidean", "limit": 1, "metric_name": "m", "batch_size": 2},
        **{"use_scipy": True, "exclude_self": True, "only_id": True, "of_another_release": 1},
    }
    docs = DocumentArray(Document(id=str(i), embedding=[i, 1.0], text="x") for i in range(3))
    names = inspect.getfullargspec(docs.match).args
    docs.match(docs, **{name: wanted[name] for name in wanted if name in names})
    (match,) = docs[0].matches
    assert (match.id, match.text, match.scores["m"].value) == ("1", "", 1.0)
    assert wanted.keys() - set(names) == {"of_another_release"}


@pytest.mark.parametrize("batch_size", [None, 100])
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
def test_equal_vectors_are_at_distance_0_however_far_the_mean_is(metric, batch_size):
    """One Document far away moves the mean, and the product is off by more than the others are."""
    values = (1 + 1e-3 * np.random.default_rng(5).standard_normal((400, 32))).astype(np.float32)
    values[7] = 1e6
    index = DocumentArray([Document(embedding=value) for value in values])
    queries = DocumentArray([Document(embedding=value) for value in values[:20]])
    queries.match(index, metric=metric, limit=3, batch_size=batch_size)
    squares = ((values[:20, None].astype(np.float64) - values[None]) ** 2).sum(axis=2)
    wanted = np.sort(squares if metric == "sqeuclidean" else np.sqrt(squares), axis=1)[:, :3]
    found = [[match.scores[metric].value for match in query.matches] for query in queries]
    assert [row[0] for row in found] == [0.0] * 20
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
