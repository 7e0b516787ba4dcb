"""The indexer's rows in memory, against the same sums written out plainly."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def vectors(catalogue: Any) -> Any:
    return catalogue("VectorIndexer/vectors.py")


def plain(
    kept: dict[int, np.ndarray], query: np.ndarray, metric: str, weigh: str, *, is_sparse: bool
) -> list[tuple[int, float]]:
    """The answer by definition: every row, one by one."""
    weights = np.ones(len(query))
    if weigh == "idf":
        have = sum((row != 0).astype(int) for row in kept.values())
        weights = np.log(1 + (len(kept) - have + 0.5) / (have + 0.5))
    found = []
    for number, row in kept.items():
        inner = float((row * query * weights).sum())
        lengths = (row * row * weights).sum() * (query * query * weights).sum()
        if is_sparse and inner == 0:
            continue
        cosine = 1 - inner / np.sqrt(lengths) if lengths else 1.0
        apart = float(np.sqrt(((row - query) ** 2 * weights).sum()))
        value = {"dot": inner, "cosine": cosine, "euclidean": apart}[metric]
        found.append((-value if metric == "dot" else value, number, value))
    return [(number, value) for _, number, value in sorted(found)]


@pytest.mark.parametrize("is_sparse", [True, False])
def test_nearest_rows_are_those_of_the_definition(vectors: Any, is_sparse: bool) -> None:
    """Through adding, removing and reusing rows, for every metric and weighing."""
    random = np.random.default_rng(7)
    width = 40
    rows = vectors.Rows(width, is_sparse=is_sparse)
    kept: dict[int, np.ndarray] = {}
    for step in range(400):
        if kept and random.random() < 0.4:
            number = int(random.choice(list(kept)))
            rows.remove(number)
            del kept[number]
        else:
            row = random.random(width).astype(np.float32)
            row[random.random(width) < 0.8] = 0
            columns = np.flatnonzero(row)
            kept[rows.add(columns, row[columns])] = row
        assert len(rows) == len(kept)
        if step % 20 == 0:
            query = np.where(random.random(width) < 0.2, random.random(width), 0)
            for metric, weigh in itertools.product(vectors.METRICS, vectors.WEIGHTS):
                expected = plain(kept, query, metric, weigh, is_sparse=is_sparse)
                answer = rows.nearest(query, 7, metric=metric, weigh=weigh)
                assert [value for _, value in answer] == pytest.approx(
                    [value for _, value in expected[:7]], rel=1e-4, abs=1e-3
                )
                assert len({number for number, _ in answer}) == len(answer)


def test_equal_rows_come_in_their_order(vectors: Any) -> None:
    rows = vectors.Rows(2, is_sparse=False)
    for _ in range(50):
        rows.add(np.array([0]), np.array([1.0], np.float32))
    answer = rows.nearest(np.array([1.0, 0.0]), 5, metric="cosine", weigh="none")
    assert [number for number, _ in answer] == [0, 1, 2, 3, 4]


def test_sparse_rows_that_share_no_entry_with_the_query_are_no_answer(vectors: Any) -> None:
    rows = vectors.Rows(4, is_sparse=True)
    rows.add(np.array([0]), np.array([1.0], np.float32))
    rows.add(np.array([3]), np.array([1.0], np.float32))
    answer = rows.nearest(np.array([1.0, 1.0, 0, 0]), 5, metric="cosine", weigh="none")
    assert [number for number, _ in answer] == [0]
    assert rows.nearest(np.zeros(4), 5, metric="cosine", weigh="idf") == []


@pytest.mark.parametrize("is_sparse", [True, False])
@pytest.mark.parametrize("offset", [1.0, 1000.0])
def test_equal_vectors_are_at_distance_0_and_near_ones_in_their_order(
    vectors: Any, is_sparse: bool, offset: float
) -> None:
    """The product that finds them is off by more than they are apart."""
    random = np.random.default_rng(3)
    rows = vectors.Rows(64, is_sparse=is_sparse)
    kept = (offset + 0.01 * random.standard_normal((200, 64))).astype(np.float32)
    kept[11] = 1e5
    for row in kept:
        rows.add(np.arange(64), row)
    for number in (0, 57, 199):
        apart = np.sqrt(((kept.astype(np.float64) - kept[number]) ** 2).sum(axis=1))
        answer = rows.nearest(kept[number], 5, metric="euclidean", weigh="none")
        assert answer[0] == (number, 0.0)
        assert [found for found, _ in answer] == np.argsort(apart)[:5].tolist()
        assert [value for _, value in answer] == pytest.approx(np.sort(apart)[:5], abs=1e-6)
