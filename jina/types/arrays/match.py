"""Nearest neighbours: `docs.match(index)` fills the matches of each Document.

One matrix product per block of queries; the best candidates are then measured again, exactly, so
that what a fast product rounds away does not decide their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from jina.excepts import DocumentError
from jina.types.arrays.attributes import Attributes
from jina.types.record import Live
from jina.types.score import NamedScore, Scores
from jina.types.tensors import is_sparse

if TYPE_CHECKING:
    import numpy as np

    from jina.types.arrays.document import DocumentArray

    Matrix = np.ndarray[Any, Any]

Metric = Literal["cosine", "euclidean", "sqeuclidean"] | Callable[[Any, Any], Any]

METRICS = ("cosine", "euclidean", "sqeuclidean")
_BLOCK_VALUES = 1 << 25  # distances held at once: 128 MiB of float32


class Match(Attributes):
    """Search by embeddings."""

    __slots__ = ()

    def match(
        self,
        darray: DocumentArray,
        metric: Metric = "cosine",
        limit: int | None = 20,
        normalization: tuple[float, float] | None = None,
        *,
        metric_name: str | None = None,
        batch_size: int | None = None,
        exclude_self: bool = False,
        only_id: bool = False,
        use_scipy: bool = False,
    ) -> None:
        """Set the matches of each Document to its nearest neighbours in `darray`.

        The matches are copies: `darray` and its Documents are not changed.

        Args:
            darray: where to search; its embeddings have the width of those here.
            metric: "cosine", "euclidean" or "sqeuclidean", or a function of two matrices, (n, d)
                and (m, d), that returns the distances (n, m). All are distances: the smallest
                is the nearest.
            limit: how many matches at most; None for all.
            normalization: (a, b) maps each query's smallest distance to a and its largest to b.
            metric_name: the score's name; the metric's by default.
            batch_size: so many Documents of `darray` are compared at once; all by default.
            exclude_self: leave out Documents with the query's own id.
            only_id: matches with an id and a score, and nothing else.
            use_scipy: no effect; numpy does it all.

        Raises:
            DocumentError: an embedding is missing or of another width.
            TypeError: a metric that is neither text nor function.
            ValueError: a metric of an unknown name, or a limit below 1.
        """
        measure = _measure(metric)
        name = metric_name or (metric if isinstance(metric, str) else _name_of(metric))
        if limit is not None and limit < 1:
            raise DocumentError(f"a limit of {limit} matches; at least 1, or None for all")
        for doc in self._docs:
            doc.matches = []
        count = len(darray)
        if not len(self) or not count:
            return
        wanted = count if limit is None else min(count, limit + exclude_self)
        block = max(1, _BLOCK_VALUES // max(1, batch_size or count))
        queries = self.embeddings
        _check_widths(queries, darray)
        for start in range(0, len(self), block):
            rows = queries[start : start + block]
            best = _nearest(rows, darray, measure, wanted, batch_size, normalization)
            for doc, distances, positions in zip(
                self._docs[start : start + block], *best, strict=True
            ):
                _fill(doc, darray, distances, positions, name, limit, exclude_self, only_id)


def _fill(
    doc: Any,
    darray: DocumentArray,
    distances: list[float],
    positions: list[int],
    name: str,
    limit: int | None,
    exclude_self: bool,
    only_id: bool,
) -> None:
    matches = doc.matches
    own = doc.id if exclude_self else None
    for distance, position in zip(distances, positions, strict=True):
        found = darray._docs[position]
        if own is not None and found.id == own:
            continue
        if len(matches) == limit:
            break
        match = matches.append(type(found)(id=found.id) if only_id else found)
        scores = match._record.scores
        held = Scores(scores or ())
        held[name] = NamedScore(distance)
        match._record.scores = Live(held)


def _name_of(metric: Any) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))


def _measure(metric: Any) -> Callable[[Any, Any], Any] | str:
    if callable(metric):
        own: Callable[[Any, Any], Any] = metric
        return own
    if not isinstance(metric, str):
        raise TypeError(f"a metric is a name or a function, not {type(metric).__name__}")
    if metric not in METRICS:
        raise DocumentError(f"no metric is named {metric!r}", hint=f"known: {', '.join(METRICS)}")
    return metric


def _check_widths(queries: Any, darray: DocumentArray) -> None:
    width = darray[:1].embeddings.shape[1:]
    if queries.shape[1:] != width:
        raise DocumentError(f"embeddings of shape {queries.shape[1:]} are compared with {width}")


def _batches(darray: DocumentArray, batch_size: int | None) -> Iterator[tuple[int, Any]]:
    if batch_size is None or batch_size >= len(darray):
        yield 0, darray.embeddings
        return
    for start in range(0, len(darray), batch_size):
        yield start, darray[start : start + batch_size].embeddings


def _nearest(
    rows: Any,
    darray: DocumentArray,
    measure: Callable[[Any, Any], Any] | str,
    wanted: int,
    batch_size: int | None,
    normalization: tuple[float, float] | None,
) -> tuple[list[list[float]], list[list[int]]]:
    """Return the distances and positions of the nearest, nearest first, for each query."""
    import numpy as np  # late: a process that sees only text never loads it

    kept: list[tuple[Matrix, Matrix]] = []
    lowest: Any = np.inf
    highest: Any = -np.inf
    for start, others in _batches(darray, batch_size):
        distances, is_exact = _distances(rows, others, measure)
        if normalization is not None:
            lowest = np.minimum(lowest, _true(distances.min(axis=1, keepdims=True), rows, measure))
            highest = np.maximum(
                highest, _true(distances.max(axis=1, keepdims=True), rows, measure)
            )
        count = min(wanted, distances.shape[1])
        if count < distances.shape[1]:
            picked = np.argpartition(distances, count - 1, axis=1)[:, :count]
        else:
            picked = np.broadcast_to(np.arange(count), (len(distances), count))
        near = np.take_along_axis(distances, picked, axis=1).astype(np.float64)
        if not is_exact and isinstance(measure, str):
            near = _exact(rows, others, picked, measure)
        kept.append((near, picked + start))
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


def _true(values: Any, rows: Any, measure: Any) -> Any:
    """Turn values as `_distances` gives them, shape (n, 1), into distances."""
    import numpy as np

    if not isinstance(measure, str):
        return values
    if measure == "cosine":
        return values + 1
    squares = values + _squares(_flat(rows) if not is_sparse(rows) else rows)[:, None]
    return np.sqrt(np.maximum(squares, 0)) if measure == "euclidean" else squares


def _distances(rows: Any, others: Any, measure: Any) -> tuple[Any, bool]:
    """Return a matrix whose order in each row is that of the distances; and whether they are it."""
    import numpy as np

    if not isinstance(measure, str):
        distances = np.asarray(measure(rows, others))
        if distances.shape != (rows.shape[0], others.shape[0]):
            raise DocumentError(
                f"the metric returned shape {distances.shape} for {rows.shape} and {others.shape}"
            )
        return distances, True
    if is_sparse(rows) or is_sparse(others):
        return _sparse_distances(rows, others, measure), False
    left, right = _flat(rows), _flat(others)
    if measure == "cosine":
        left, right = -left / _norms(left), right / _norms(right)
        return left @ right.T, False
    # |r|² - 2 l·r in one product; |l|² is the same for a whole row.
    squares = np.einsum("ij,ij->i", right, right)[:, None]
    ones = np.ones((len(left), 1), left.dtype)
    return np.hstack([-2 * left, ones]) @ np.hstack([right, squares]).T, False


def _flat(matrix: Any) -> Any:
    import numpy as np

    flat = matrix.reshape(len(matrix), -1)
    return flat if flat.dtype in (np.float32, np.float64) else flat.astype(np.float64)


def _norms(matrix: Any) -> Any:
    import numpy as np

    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    # A vector of zeros has no direction; its cosine distance to all others is 1.
    return np.where(norms == 0, 1, norms)[:, None].astype(matrix.dtype)


def _sparse_distances(rows: Any, others: Any, measure: str) -> Any:
    import numpy as np

    product = rows @ others.T
    product = np.asarray(product.toarray() if is_sparse(product) else product, np.float64)
    left, right = _squares(rows), _squares(others)
    if measure == "cosine":
        norms = np.sqrt(np.outer(left, right))
        return -product / np.where(norms == 0, 1, norms)
    return right[None, :] - 2 * product


def _squares(matrix: Any) -> Any:
    import numpy as np

    squares = matrix.multiply(matrix).sum(axis=1) if is_sparse(matrix) else (matrix**2).sum(axis=1)
    return np.asarray(squares, np.float64).ravel()


def _exact(rows: Any, others: Any, picked: Any, measure: str) -> Any:
    """Measure the picked candidates in float64."""
    import numpy as np

    result = np.empty(picked.shape)
    for i, positions in enumerate(picked):
        row, found = rows[i : i + 1], others[positions]
        row = row.toarray() if is_sparse(row) else row
        found = found.toarray() if is_sparse(found) else found
        left = row.reshape(-1).astype(np.float64)
        right = found.reshape(len(positions), -1).astype(np.float64)
        if measure == "cosine":
            norms = np.linalg.norm(left) * np.linalg.norm(right, axis=1)
            cosine = (right @ left) / np.where(norms == 0, 1, norms)
            result[i] = np.clip(1 - cosine, 0, 2)
        else:
            squares = ((right - left) ** 2).sum(axis=1)
            result[i] = squares if measure == "sqeuclidean" else np.sqrt(squares)
    return result
