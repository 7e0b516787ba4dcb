"""Distances between queries and an index, and the nearest ones.

One matrix product gives their order; the best candidates are then measured again, exactly, so
that what a fast product rounds away does not decide their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from jina.excepts import DocumentError
from jina.records.tensors import is_sparse

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray

Metric = Literal["cosine", "euclidean", "sqeuclidean"] | Callable[[Any, Any], Any]

METRICS = ("cosine", "euclidean", "sqeuclidean")
_SPARE = 8  # candidates beyond those wanted
_TINY = 1e-30  # a sum of squares below this may have lost digits, or be no zero at all


class Index:
    """The Documents that are searched, in parts of `batch_size`; a single part is kept."""

    def __init__(self, docs: DocumentArray, batch_size: int | None) -> None:
        self.docs = docs
        self.size = min(batch_size or len(docs), len(docs))
        self._whole: Part | None = None

    def __iter__(self) -> Iterator[Part]:
        if self._whole is not None:
            yield self._whole
        elif self.size == len(self.docs):
            self._whole = Part(0, self.docs.embeddings)
            yield self._whole
        else:
            for start in range(0, len(self.docs), self.size):
                yield Part(start, self.docs[start : start + self.size].embeddings)


class Part:
    """Embeddings of some Documents of an index, and what is made of them once for all queries."""

    def __init__(self, start: int, matrix: Any) -> None:
        self.start = start
        self.matrix = matrix
        self._ready: tuple[Any, Any, Any] | None = None

    def ready(self, metric: str) -> tuple[Any, Any, Any]:
        """Return r - m with |r - m|² as one more column; m, the middle of all r; and which r are 0.

        For cosine distances, the r have the length 1. Far from zero, a product would round the
        distances away; so both sides are moved to the middle.
        """
        import numpy as np  # late: a process that sees only text never loads it

        if self._ready is None:
            flat = _flat(self.matrix)
            moved = np.empty((flat.shape[0], flat.shape[1] + 1), flat.dtype)
            inner = moved[:, :-1]
            np.divide(flat, _norms(flat) if metric == "cosine" else 1, out=inner)
            middle = inner.mean(axis=0)
            middle[~np.isfinite(middle)] = 0  # one Document must not take away all distances
            inner -= middle
            moved[:, -1] = np.einsum("ij,ij->i", inner, inner)
            self._ready = moved, middle, _zeros(flat)
        return self._ready


def nearest(
    rows: Any,
    parts: Index,
    measure: Callable[[Any, Any], Any] | str,
    wanted: int,
    normalization: tuple[float, float] | None,
) -> tuple[list[list[float]], list[list[int]]]:
    """Return the distances and positions of the nearest, nearest first, for each query.

    Args:
        rows: embeddings of the queries, shape (n, …), dense or sparse.
        parts: where to search.
        measure: one of METRICS, or a function of two matrices.
        wanted: how many at most.
        normalization: see `DocumentArray.match`.

    Raises:
        DocumentError: embeddings that cannot be compared.
    """
    import numpy as np  # late: a process that sees only text never loads it

    kept: list[tuple[Any, Any]] = []
    lowest: Any = np.inf
    highest: Any = -np.inf
    for part in parts:
        _check(rows, part.matrix, measure)
        if isinstance(measure, str):
            # Numbers whose squares are none are at an infinite distance; that needs no warning.
            with np.errstate(over="ignore", invalid="ignore"):
                near, picked, order, shown = _measured(rows, part, measure, wanted)
        else:
            near, picked, order, shown = _by_function(rows, part.matrix, measure, wanted)
        if normalization is not None:
            lowest = np.fmin(lowest, shown(np.fmin.reduce(order, axis=1, keepdims=True)))
            highest = np.fmax(highest, shown(np.fmax.reduce(order, axis=1, keepdims=True)))
        kept.append((near, picked + part.start))
    near = np.concatenate([distances for distances, _ in kept], axis=1)
    positions = np.concatenate([found for _, found in kept], axis=1)
    # Stable and by position first, so that equal distances keep the order of the array.
    order = np.lexsort((positions, near), axis=1)[:, :wanted]
    near = np.take_along_axis(near, order, axis=1)
    positions = np.take_along_axis(positions, order, axis=1)
    if normalization is not None:
        a, b = normalization
        near = (b - a) * (near - lowest) / (highest - lowest + 1e-7) + a
        near = np.clip(near, min(a, b), max(a, b))
    return near.tolist(), positions.tolist()


def _check(queries: Any, others: Any, measure: Any) -> None:
    width = others.shape[1:]
    if queries.shape[1:] != width:
        raise DocumentError(f"embeddings of shape {queries.shape[1:]} are compared with {width}")
    if isinstance(measure, str) and "c" in (queries.dtype.kind, others.dtype.kind):
        raise DocumentError(
            f"complex embeddings have no {measure} distance", hint="give a function as the metric"
        )


def _by_function(
    rows: Any, others: Any, metric: Callable[[Any, Any], Any], wanted: int
) -> tuple[Any, Any, Any, Any]:
    """Return what `_measured` does, by a function of the user's.

    Raises:
        DocumentError: it did not return a matrix of numbers with a value for each pair.
    """
    import numpy as np

    distances = np.asarray(metric(rows, others))
    if distances.shape != (rows.shape[0], others.shape[0]):
        raise DocumentError(
            f"the metric returned shape {distances.shape} for {rows.shape} and {others.shape}"
        )
    if distances.dtype.kind not in "biuf":
        raise DocumentError(f"the metric returned {distances.dtype}, expected numbers")
    picked = _smallest(distances, wanted)
    near = np.take_along_axis(distances, picked, axis=1).astype(np.float64)
    return near, picked, distances, _as_it_is


def _as_it_is(values: Any) -> Any:
    return values


def _measured(rows: Any, part: Part, metric: str, wanted: int) -> tuple[Any, Any, Any, Any]:
    """Return the distances and positions of candidates, and a matrix in the order of distances.

    What that matrix holds is made a distance by the function that is returned with it. The
    candidates are picked by a fast product, and then measured exactly. Some more are picked than
    are wanted, for those at the edge that rounding may have left out.
    """
    import numpy as np

    others = part.matrix
    if is_sparse(rows) or is_sparse(others):
        rows, others = (
            matrix.astype(np.float64) if is_sparse(matrix) else _flat(matrix)
            for matrix in (rows, others)
        )
        order, squares = _sparse_order(rows, others, metric)
    else:
        rows, others = _flat(rows), others.reshape(len(others), -1)
        order, squares = _dense_order(rows, part, metric)
    picked = _smallest(order, wanted + _SPARE)
    near = _exact(rows, others, picked, metric)

    def shown(values: Any) -> Any:
        distances = np.maximum(values + squares, 0)
        if metric == "cosine":
            return distances / 2
        return np.sqrt(distances) if metric == "euclidean" else distances

    return near, picked, order, shown


def _smallest(order: Any, wanted: int) -> Any:
    """Return the positions of the smallest values in each row, in any order."""
    import numpy as np

    rows, columns = order.shape
    if wanted >= columns:
        return np.broadcast_to(np.arange(columns), (rows, columns))
    return np.argpartition(order, wanted - 1, axis=1)[:, :wanted]


def _dense_order(left: Any, part: Part, metric: str) -> tuple[Any, Any]:
    """Return a matrix in the order of the distances, and what makes it their squares if added.

    It is |r|² - 2 l·r, in one product; |l|² is the same for a whole row. Vectors of the length 1
    have twice their cosine distance as their squared distance.
    """
    import numpy as np

    others, middle, zeros = part.ready(metric)
    unturned = left
    if metric == "cosine":
        left = left / _norms(left)
    queries = np.empty((len(left), left.shape[1] + 1), np.result_type(left, others))
    inner = queries[:, :-1]
    np.subtract(left, middle, out=inner)
    squares = np.einsum("ij,ij->i", inner, inner)[:, None].astype(np.float64)
    inner *= -2
    queries[:, -1] = 1
    order = queries @ others.T
    if metric == "cosine":  # what has no direction is at the distance 1 of all others
        order[:, zeros] = 2 - squares
        order[_zeros(unturned)] = 2 - squares[_zeros(unturned)]
    return order, squares


def _zeros(matrix: Any) -> Any:
    """Return the positions of the rows that are all zeros."""
    import numpy as np

    return np.flatnonzero(~matrix.any(axis=1))


def _sparse_order(left: Any, right: Any, metric: str) -> tuple[Any, Any]:
    """Return what `_dense_order` does; the sparse one of both is float64."""
    import numpy as np

    product = left @ right.T
    product = np.asarray(product.toarray() if is_sparse(product) else product, np.float64)
    squares, others = _squares(left), _squares(right)
    if metric == "cosine":
        norms = np.sqrt(np.outer(squares, others))
        return -2 * product / np.where(norms == 0, 1, norms), 2
    return others[None, :] - 2 * product, squares[:, None]


def _flat(matrix: Any) -> Any:
    """Return a matrix of two dimensions whose squares its float type can hold."""
    import numpy as np

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
    import numpy as np

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
    import numpy as np

    squares = matrix.multiply(matrix).sum(axis=1) if is_sparse(matrix) else (matrix**2).sum(axis=1)
    return np.asarray(squares, np.float64).ravel()


def _exact(rows: Any, others: Any, picked: Any, metric: str) -> Any:
    """Measure the picked candidates in float64."""
    import numpy as np

    result = np.empty(picked.shape)
    for i, positions in enumerate(picked):
        row, found = rows[i : i + 1], others[positions]
        left = np.asarray(row.toarray() if is_sparse(row) else row, np.float64)
        right = np.asarray(found.toarray() if is_sparse(found) else found, np.float64)
        if metric == "cosine":
            cosine = ((right / _norms(right)) @ (left / _norms(left)).T).ravel()
            result[i] = np.clip(1 - cosine, 0, 2)
        else:
            squares = ((right - left) ** 2).sum(axis=1)
            result[i] = squares if metric == "sqeuclidean" else np.sqrt(squares)
    return result
