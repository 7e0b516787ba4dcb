"""Hold vectors in memory, and find those nearest to a query.

Vectors that are mostly zeros, such as hashed words, are held as their other entries; dense ones,
such as a neural network's, as a matrix. Nothing here knows Documents or files.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SPARSE_BELOW = 0.25  # with a smaller share of entries other than zero, only those are held
METRICS = ("cosine", "dot", "euclidean")
WEIGHTS = ("none", "idf")
_ROUNDING = 4 * float(np.finfo(np.float32).eps)
_AT_ONCE = 1024  # rows of which the differences are held


class Rows:
    """Vectors of one width, each with a row number that it has until it is removed.

    Args:
        width: entries of each vector.
        is_sparse: hold only the entries that are not zero.
    """

    def __init__(self, width: int, *, is_sparse: bool) -> None:
        self.width = width
        self.is_sparse = is_sparse
        self._store: _Sparse | _Dense = _Sparse() if is_sparse else _Dense(width)
        self._alive = np.zeros(64, bool)  # by row
        self._used = 0  # rows given out so far, including removed ones
        self._free: list[int] = []
        self._with_entry = np.zeros(width, np.int64)  # by column: rows that are not zero there
        self._plain_squares = np.zeros(64, np.float32)  # by row: squared lengths
        self._squares: dict[str, np.ndarray] = {}  # those of weighted rows; emptied at each change

    def __len__(self) -> int:
        return self._used - len(self._free)

    def add(self, columns: np.ndarray, values: np.ndarray) -> int:
        """Add the vector with these entries (each column once), zeros elsewhere; return its row."""
        if self._free:
            row = self._free.pop()
        else:
            row = self._used
            self._used += 1
            self._alive = _grown(self._alive, self._used)
            self._plain_squares = _grown(self._plain_squares, self._used)
        self._alive[row] = True
        self._store.put(row, columns, values)
        self._plain_squares[row] = np.dot(values, values)
        self._with_entry[columns] += 1
        self._squares.clear()
        return row

    def dense(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of rows that are not sparse: float32, shape (rows, width)."""
        assert isinstance(self._store, _Dense)
        return self._store.of(rows)

    def remove(self, row: int) -> None:
        """Remove a vector; its row may be given to another one."""
        self._with_entry[self._store.take(row)] -= 1
        self._alive[row] = False
        self._free.append(row)
        self._squares.clear()

    def nearest(
        self,
        query: np.ndarray,
        limit: int,
        *,
        metric: str,
        weigh: str,
        among: np.ndarray | None = None,
    ) -> list[tuple[int, float]]:
        """Return the rows nearest to a query with their scores, the nearest first.

        Args:
            query: shape (width,), any numeric dtype.
            limit: most rows; a sparse row that shares no entry with the query is never returned.
            metric: "cosine" (one minus the cosine) and "euclidean" are distances, so smaller is
                nearer; "dot" is the inner product, so larger is nearer.
            weigh: "idf" weights each column by how few rows have an entry there, as BM25 does with
                words; "none" weights all columns alike.
            among: int64, the rows to choose from, rising; None for all.
        """
        weights = self._weights(weigh)
        query = query.astype(np.float32)
        rows, inner = self._inner(query * weights, among)
        if metric == "dot":
            values, order = inner, -inner
        else:
            squares = self._squares_of(rows, weigh, weights)
            own_square = float(np.dot(query * weights, query))
            if metric == "euclidean":
                nearly = squares + own_square - 2 * inner
                rounding = _ROUNDING * (8 + self.width**0.5) * (squares + own_square)
                return self._nearest_apart(query, weights, limit, rows, nearly, rounding)
            scale = np.sqrt(squares * own_square)
            values = 1 - np.divide(inner, scale, out=np.zeros_like(inner), where=scale > 0)
            order = values
        at = np.arange(len(rows))
        if 0 < limit < len(rows):
            at = np.flatnonzero(order <= np.partition(order, limit - 1)[limit - 1])
        # Stable, so that equal scores always come in the order of their rows.
        at = at[np.argsort(order[at], kind="stable")][:limit]
        return [(int(rows[n]), round(float(values[n]), 6)) for n in at]

    def _inner(self, query: np.ndarray, among: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The rows that may be returned, and their inner products with a weighted query."""
        if among is None:
            rows = np.flatnonzero(self._alive[: self._used])
            inner = self._store.inner(query, self._used)
            inner = inner if len(rows) == self._used else inner[rows]
        else:
            rows = among[self._alive[among]]
            inner = self._store.inner_of(rows, query, self._used)
        if self.is_sparse:
            rows, inner = rows[inner != 0], inner[inner != 0]
        return rows, inner

    def _nearest_apart(
        self,
        query: np.ndarray,
        weights: np.ndarray,
        limit: int,
        rows: np.ndarray,
        nearly: np.ndarray,
        rounding: np.ndarray,
    ) -> list[tuple[int, float]]:
        """Return the rows at the smallest distances, measured exactly.

        Args:
            query: see `nearest`.
            weights: of the columns.
            limit: see `nearest`.
            rows: that may be returned.
            nearly: their squared distances from a product, which may hide small ones.
            rounding: how far each of these may be off.
        """
        if 0 < limit < len(rows):
            first = rows[np.argpartition(nearly, limit - 1)[:limit]]
            farthest = self._store.apart(first, query, weights).max()
            rows = rows[nearly - rounding <= farthest]
        squares = self._store.apart(rows, query, weights)
        best = np.argsort(squares, kind="stable")[:limit]
        return [(int(rows[n]), round(float(np.sqrt(squares[n])), 6)) for n in best]

    def _weights(self, weigh: str) -> np.ndarray:
        if weigh == "none":
            return np.ones(self.width, np.float32)
        have = self._with_entry
        return np.log1p((len(self) - have + 0.5) / (have + 0.5)).astype(np.float32)

    def _squares_of(self, rows: np.ndarray, weigh: str, weights: np.ndarray) -> np.ndarray:
        """The squared lengths of these rows."""
        if weigh == "none":
            squares = self._plain_squares[: self._used]
        else:
            if weigh not in self._squares:
                self._squares[weigh] = self._store.squares(weights, self._used)
            squares = self._squares[weigh]
        return squares if len(rows) == self._used else squares[rows]


class _Dense:
    """A matrix of float32 with one row for each vector."""

    def __init__(self, width: int) -> None:
        self._matrix = np.zeros((64, width), np.float32)

    def put(self, row: int, columns: np.ndarray, values: np.ndarray) -> None:
        self._matrix = _grown(self._matrix, row + 1)
        self._matrix[row, columns] = values

    def of(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self._matrix[rows])

    def take(self, row: int) -> np.ndarray:
        columns = np.flatnonzero(self._matrix[row])
        self._matrix[row] = 0
        return columns

    def inner(self, query: np.ndarray, used: int) -> np.ndarray:
        return np.asarray(self._matrix[:used] @ query)

    def inner_of(self, rows: np.ndarray, query: np.ndarray, used: int) -> np.ndarray:
        if 4 * len(rows) > used:  # to copy the rows would cost more than to multiply them
            return self.inner(query, used)[rows]
        return np.asarray(self._matrix[rows] @ query)

    def squares(self, weights: np.ndarray, used: int) -> np.ndarray:
        return np.asarray(np.square(self._matrix[:used]) @ weights)

    def apart(self, rows: np.ndarray, query: np.ndarray, weights: np.ndarray) -> np.ndarray:
        found = np.empty(len(rows))
        for start in range(0, len(rows), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            apart = self._matrix[rows[part]].astype(np.float64) - query
            found[part] = (np.square(apart) * weights).sum(axis=1)  # alike for equal rows
        return found


class _Sparse:
    """Three arrays with one item per entry; entries of removed rows are zero until swept out."""

    def __init__(self) -> None:
        self._rows = np.zeros(4096, np.int32)
        self._columns = np.zeros(4096, np.int32)
        self._values = np.zeros(4096, np.float32)
        self._used = 0
        self._dead = 0
        self._spans: dict[int, slice] = {}  # by row

    def put(self, row: int, columns: np.ndarray, values: np.ndarray) -> None:
        end = self._used + len(columns)
        self._rows = _grown(self._rows, end)
        self._columns = _grown(self._columns, end)
        self._values = _grown(self._values, end)
        span = self._spans[row] = slice(self._used, end)
        self._rows[span], self._columns[span], self._values[span] = row, columns, values
        self._used = end

    def take(self, row: int) -> np.ndarray:
        span = self._spans.pop(row)
        columns = self._columns[span].copy()
        self._values[span] = 0
        self._dead += len(columns)
        if self._dead > self._used // 2:
            self._sweep()
        return columns

    def inner(self, query: np.ndarray, used: int) -> np.ndarray:
        products = self._values[: self._used] * query[self._columns[: self._used]]
        return self._summed(products, used)

    def inner_of(self, rows: np.ndarray, query: np.ndarray, used: int) -> np.ndarray:
        return self.inner(query, used)[rows]

    def squares(self, weights: np.ndarray, used: int) -> np.ndarray:
        values = self._values[: self._used]
        return self._summed(values * values * weights[self._columns[: self._used]], used)

    def apart(self, rows: np.ndarray, query: np.ndarray, weights: np.ndarray) -> np.ndarray:
        found = np.empty(len(rows))
        for n, row in enumerate(rows.tolist()):
            span = self._spans[row]
            apart = -query.astype(np.float64)
            apart[self._columns[span]] += self._values[span]
            found[n] = (np.square(apart) * weights).sum()
        return found

    def _summed(self, products: np.ndarray, used: int) -> np.ndarray:
        sums = np.bincount(self._rows[: self._used], weights=products, minlength=used)
        return sums.astype(np.float32)

    def _sweep(self) -> None:
        kept = [np.arange(span.start, span.stop) for span in self._spans.values()]
        at = np.concatenate(kept) if kept else np.zeros(0, int)
        for array in (self._rows, self._columns, self._values):
            array[: len(at)] = array[at]
        start = 0
        for row, span in self._spans.items():
            stop = start + span.stop - span.start
            self._spans[row] = slice(start, stop)
            start = stop
        self._used, self._dead = start, 0


def _grown(array: np.ndarray[Any, Any], length: int) -> np.ndarray[Any, Any]:
    """Return the array if it is long enough, else a copy of at least twice the length."""
    if length <= len(array):
        return array
    longer = np.zeros((max(length, 2 * len(array)), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
