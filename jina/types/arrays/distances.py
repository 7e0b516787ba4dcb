"""Distances between queries and an index, and the nearest ones.

A single matrix product gives the order of the distances. The best candidates are then measured
again, exactly, so that rounding in the fast product does not decide their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from jina.excepts import DocumentError
from jina.records.tensors import is_sparse
from jina.types.arrays.protocols import ArrayLike

_SPARE = 8  # candidates picked beyond those wanted
_TINY = 1e-30  # a sum of squares below this may have lost digits, or not be zero at all


class Index:
    """The Documents that are searched, in blocks of `batch_size`; if there is one, it is kept."""

    def __init__(self, docs: ArrayLike, batch_size: int | None) -> None:
        self.docs = docs
        self.size = min(batch_size or len(docs), len(docs))
        self._whole: Block | None = None

    def __iter__(self) -> Iterator[Block]:
        if self.size < len(self.docs):
            for start in range(0, len(self.docs), self.size):
                yield Block(start, self.docs[start : start + self.size].embeddings)
            return
        if self._whole is None:
            self._whole = Block(0, self.docs.embeddings)
        yield self._whole


class Block:
    """The embeddings of some Documents of an index, and what is computed from them only once."""

    def __init__(self, start: int, embeddings: Any) -> None:
        self.start = start
        self.embeddings = embeddings
        self._centred: tuple[Any, Any, Any] | None = None

    def centred(self, metric: str) -> tuple[Any, Any, Any]:
        """Return r - m with |r - m|² as one more column; m, the mean of all r; and which r are 0.

        For cosine distances, each r is scaled to the length 1. Far from zero, rounding would hide
        the distances in a product, so the mean is subtracted on both sides.
        """
        if self._centred is None:
            self._centred = _centred(_flat(self.embeddings), metric)
        return self._centred


def _centred(flat: Any, metric: str) -> tuple[Any, Any, Any]:
    moved = np.empty((flat.shape[0], flat.shape[1] + 1), flat.dtype)
    inner = moved[:, :-1]
    np.divide(flat, _norms(flat) if metric == "cosine" else 1, out=inner)
    mean = inner.mean(axis=0)
    mean[~np.isfinite(mean)] = 0  # one odd Document must not spoil all distances
    inner -= mean
    moved[:, -1] = np.einsum("ij,ij->i", inner, inner)
    return moved, mean, _zeros(flat)


class _BlockResult(NamedTuple):
    """Each query's candidates in one block, and the nearest and farthest distances in it."""

    distances: Any  # shape (queries, candidates)
    positions: Any  # the same
    lowest: Any  # shape (queries, 1); None without a normalization
    highest: Any


def nearest(
    queries: Any,
    index: Index,
    measure: Callable[[Any, Any], Any] | str,
    wanted: int,
    normalization: tuple[float, float] | None,
) -> tuple[list[list[float]], list[list[int]]]:
    """Return the distances and positions of the nearest, nearest first, for each query.

    Args:
        queries: embeddings, shape (n, …), dense or sparse.
        index: where to search.
        measure: the name of a metric, or a function of two matrices that returns distances.
        wanted: how many at most.
        normalization: see `DocumentArray.match`.

    Raises:
        DocumentError: embeddings that cannot be compared.
    """
    results = [
        _search(queries, block, measure, wanted, normalization is not None) for block in index
    ]
    distances = np.concatenate([each.distances for each in results], axis=1)
    positions = np.concatenate([each.positions for each in results], axis=1)
    # Stable and by position first, so that equal distances keep the order of the array.
    order = np.lexsort((positions, distances), axis=1)[:, :wanted]
    distances = np.take_along_axis(distances, order, axis=1)
    if normalization is not None:
        distances = _normalized(distances, results, *normalization)
    return distances.tolist(), np.take_along_axis(positions, order, axis=1).tolist()


def _normalized(distances: Any, results: list[_BlockResult], a: float, b: float) -> Any:
    lowest: Any = reduce(np.fmin, (each.lowest for each in results), np.inf)
    highest: Any = reduce(np.fmax, (each.highest for each in results), -np.inf)
    mapped = (b - a) * (distances - lowest) / (highest - lowest + 1e-7) + a
    return np.clip(mapped, min(a, b), max(a, b))


def _search(
    queries: Any, block: Block, measure: Callable[[Any, Any], Any] | str, wanted: int, spread: bool
) -> _BlockResult:
    """Return the candidates in a block; `spread` asks for its lowest and highest distance."""
    _check(queries, block.embeddings, measure)
    if isinstance(measure, str):
        # Numbers whose squares overflow are at an infinite distance; that needs no warning.
        with np.errstate(over="ignore", invalid="ignore"):
            candidates = _by_name(queries, block, measure, wanted)
    else:
        candidates = _by_function(queries, block.embeddings, measure, wanted)
    distances, picked, order, as_distances = candidates
    lowest = highest = None
    if spread:
        lowest = as_distances(np.fmin.reduce(order, axis=1, keepdims=True))
        highest = as_distances(np.fmax.reduce(order, axis=1, keepdims=True))
    return _BlockResult(distances, picked + block.start, lowest, highest)


def _check(queries: Any, others: Any, measure: Any) -> None:
    width = others.shape[1:]
    if queries.shape[1:] != width:
        raise DocumentError(f"embeddings of shape {queries.shape[1:]} are compared with {width}")
    if isinstance(measure, str) and "c" in (queries.dtype.kind, others.dtype.kind):
        raise DocumentError(
            f"complex embeddings have no {measure} distance", hint="give a function as the metric"
        )


class _Candidates(NamedTuple):
    """The rows of one block that are likely the nearest, and what orders all of its rows."""

    distances: Any  # shape (queries, candidates)
    picked: Any  # their positions in the block
    order: Any  # shape (queries, block): numbers in the order of the distances
    as_distances: Callable[[Any], Any]  # makes distances of such numbers, one per row


def _by_function(
    queries: Any, others: Any, metric: Callable[[Any, Any], Any], wanted: int
) -> _Candidates:
    """Return the candidates by the user's own function.

    Raises:
        DocumentError: it did not return a matrix of numbers with a value for each pair.
    """
    distances = np.asarray(metric(queries, others))
    if distances.shape != (queries.shape[0], others.shape[0]):
        raise DocumentError(
            f"the metric returned shape {distances.shape} for {queries.shape} and {others.shape}"
        )
    if distances.dtype.kind not in "biuf":
        raise DocumentError(f"the metric returned {distances.dtype}, expected numbers")
    picked = _smallest(distances, wanted)
    near = np.take_along_axis(distances, picked, axis=1).astype(np.float64)
    return _Candidates(near, picked, distances, lambda values: values)


def _by_name(queries: Any, block: Block, metric: str, wanted: int) -> _Candidates:
    """Return the candidates: picked by a fast product, then measured exactly.

    More are picked than are wanted. Where rounding could still have left out a nearer one, as among
    near vectors that are all far from the mean, every row that may be one is measured.
    """
    others = block.embeddings
    if is_sparse(queries) or is_sparse(others):
        queries, others = _wide(queries), _wide(others)
        order, squares = _sparse_order(queries, others, metric)
    else:
        queries, others = _flat(queries), others.reshape(len(others), -1)
        order, squares = _dense_order(queries, block, metric)
    picked = _smallest(order, wanted + _SPARE)
    near = _exact(queries, others, picked, metric)
    if not is_sparse(queries) and not is_sparse(others) and picked.shape[1] < len(others):
        fast = _Fast(order, squares[:, 0], block.centred(metric)[0])
        picked, near = _completed(queries, others, metric, wanted, fast, picked, near)

    def as_distances(values: Any) -> Any:
        distances = np.maximum(values + squares, 0)
        if metric == "cosine":
            return distances / 2
        return np.sqrt(distances) if metric == "euclidean" else distances

    return _Candidates(near, picked, order, as_distances)


class _Fast(NamedTuple):
    """What the fast product says: squared distances, once the query's square is added."""

    order: Any  # shape (queries, block)
    squares: Any  # shape (queries,)
    moved: Any  # see `Block.centred`

    def rounding(self, squares: Any) -> Any:
        """How far a squared distance may be off, given the sum of its two vectors' squares."""
        eps = float(np.finfo(self.moved.dtype).eps)
        return 4 * eps * (8 + self.moved.shape[1] ** 0.5) * squares


def _completed(
    queries: Any,
    others: Any,
    metric: str,
    wanted: int,
    fast: _Fast,
    picked: Any,
    near: Any,
) -> tuple[Any, Any]:
    """Return the candidates with those that rounding had left out.

    Args:
        queries: shape (queries, width).
        others: shape (block, width).
        metric: its name.
        wanted: how many of the candidates matter.
        fast: of these queries and this block.
        picked: the candidates' positions.
        near: their exact distances.
    """
    order, squares, others_squares = fast.order, fast.squares, fast.moved[:, -1]
    farthest = np.partition(near, wanted - 1, axis=1)[:, wanted - 1]
    limit = {"cosine": 2 * farthest, "euclidean": farthest**2}.get(metric, farthest)
    edge = np.take_along_axis(order, picked, axis=1).max(axis=1) + squares
    worst = fast.rounding(squares + float(others_squares.max()))
    doubtful = np.flatnonzero((edge - worst < limit) & np.isfinite(limit))
    if len(doubtful):
        picked = picked.copy()
    for query in doubtful:
        lowest = order[query] + squares[query] - fast.rounding(squares[query] + others_squares)
        rows = np.flatnonzero(lowest <= limit[query])
        if len(rows) > picked.shape[1]:
            distances = _exact(queries[query : query + 1], others, rows[None], metric)[0]
            best = np.argsort(distances, kind="stable")[: picked.shape[1]]
            picked[query], near[query] = rows[best], distances[best]
    return picked, near


def _smallest(order: Any, wanted: int) -> Any:
    """Return the positions of the smallest values in each row, in any order."""
    rows, columns = order.shape
    if wanted >= columns:
        return np.broadcast_to(np.arange(columns), (rows, columns))
    return np.argpartition(order, wanted - 1, axis=1)[:, :wanted]


def _dense_order(left: Any, block: Block, metric: str) -> tuple[Any, Any]:
    """Return a matrix that sorts as the distances do, and what to add to get their squares.

    The matrix is |r|² - 2 l·r, from one product; |l|² is the same for a whole row. The squared
    distance of two vectors of length 1 is twice their cosine distance.
    """
    others, mean, zeros = block.centred(metric)
    queries, squares = _centred_queries(left, mean, metric, np.result_type(left, others))
    order = queries @ others.T
    if metric == "cosine":  # zeros have no direction: they are at distance 1 from all others
        order[:, zeros] = 2 - squares
        order[_zeros(left)] = 2 - squares[_zeros(left)]
    return order, squares


def _centred_queries(left: Any, mean: Any, metric: str, dtype: Any) -> tuple[Any, Any]:
    """Return -2 l with 1 as one more column, and |l|²; each l is moved by the same mean."""
    if metric == "cosine":
        left = left / _norms(left)
    queries = np.empty((len(left), left.shape[1] + 1), dtype)
    inner = queries[:, :-1]
    np.subtract(left, mean, out=inner)
    squares = np.einsum("ij,ij->i", inner, inner)[:, None].astype(np.float64)
    inner *= -2
    queries[:, -1] = 1
    return queries, squares


def _zeros(matrix: Any) -> Any:
    """Return the positions of the rows that are all zeros."""
    return np.flatnonzero(~matrix.any(axis=1))


def _sparse_order(left: Any, right: Any, metric: str) -> tuple[Any, Any]:
    """Return what `_dense_order` returns, where one side is sparse, as float64."""
    product = left @ right.T
    product = np.asarray(product.toarray() if is_sparse(product) else product, np.float64)
    squares, others = _squares(left), _squares(right)
    if metric == "cosine":
        norms = np.sqrt(np.outer(squares, others))
        return -2 * product / np.where(norms == 0, 1, norms), 2
    return others[None, :] - 2 * product, squares[:, None]


def _wide(matrix: Any) -> Any:
    """Return a sparse matrix as float64, a dense one as `_flat` does."""
    return matrix.astype(np.float64) if is_sparse(matrix) else _flat(matrix)


def _flat(matrix: Any) -> Any:
    """Return the matrix in two dimensions, in a float type that can hold its squares."""
    flat = matrix.reshape(len(matrix), -1)
    if flat.dtype != np.float32:
        return flat.astype(np.float64, copy=False)
    squares = np.einsum("ij,ij->i", flat, flat)
    tiny = flat[squares < _TINY]
    return flat.astype(np.float64) if tiny.any() or np.isinf(squares).any() else flat


def _norms(matrix: Any) -> Any:
    """Return the length of each row, shape (n, 1); 1 for a row of zeros.

    A vector of zeros has no direction; its cosine distance to all others is 1.
    """
    squares = np.einsum("ij,ij->i", matrix, matrix)
    lengths = np.sqrt(squares)
    odd = (squares < _TINY) | np.isinf(squares)
    if odd.any():
        rows = matrix[odd]
        scale = np.abs(rows).max(axis=1, initial=0)
        scaled = rows / np.where(scale == 0, 1, scale)[:, None]
        lengths[odd] = scale * np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    return np.where(lengths == 0, 1, lengths)[:, None].astype(matrix.dtype)


def _squares(matrix: Any) -> Any:
    squares = matrix.multiply(matrix).sum(axis=1) if is_sparse(matrix) else (matrix**2).sum(axis=1)
    return np.asarray(squares, np.float64).ravel()


def _exact(queries: Any, others: Any, picked: Any, metric: str) -> Any:
    """Return the distances of the picked candidates, in float64."""
    result = np.empty(picked.shape)
    for i, positions in enumerate(picked):
        left, right = _doubles(queries[i : i + 1]), _doubles(others[positions])
        if metric == "cosine":
            cosine = ((right / _norms(right)) @ (left / _norms(left)).T).ravel()
            result[i] = np.clip(1 - cosine, 0, 2)
        else:
            squares = ((right - left) ** 2).sum(axis=1)
            result[i] = squares if metric == "sqeuclidean" else np.sqrt(squares)
    return result


def _doubles(matrix: Any) -> Any:
    return np.asarray(matrix.toarray() if is_sparse(matrix) else matrix, np.float64)
