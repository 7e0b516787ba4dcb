"""The vectors of an index in memory, under the rows of the database; it finds the nearest ones.

Up to some ten thousand they are compared one by one, which is exact. Above that, and with usearch
installed, an approximate index proposes candidates, and only these are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path

import numpy as np
from graph import Graph, forget_graphs, is_installed
from store import Vector
from vectors import Rows

EXACT_UP_TO = 20_000
_MOST_REMOVED = 2  # vectors in the approximate index for each that is still there
_CANDIDATES = 4  # for each match that is asked for, and at least
_LEAST_CANDIDATES = 64


class Nearest:
    """The vectors of all Documents that have one.

    Args:
        folder: where the approximate index is kept.
        metric: "cosine", "dot" or "euclidean": which one it is made for.
        weigh: "idf" or "none"; weighted vectors are always compared one by one.
    """

    def __init__(self, folder: Path, metric: str, weigh: str) -> None:
        self._folder = folder
        self._metric = metric
        self._weigh = weigh
        self._rows: Rows | None = None  # until the first vector, whose width all others must have
        self._slot_of: dict[int, int] = {}  # in `_rows`, by row of the database
        self._row_of = np.zeros(64, np.int64)  # by slot
        self._graph: Graph | None = None

    def __len__(self) -> int:
        return len(self._slot_of)

    @property
    def width(self) -> int | None:
        """How many numbers each vector has; None while there is none."""
        return None if self._rows is None else self._rows.width

    @property
    def is_exact(self) -> bool:
        """Whether all vectors are compared."""
        return self._graph is None

    def add(self, vectors: Iterable[tuple[int, Vector]]) -> None:
        """Add vectors, each with its row, rising."""
        new = []
        for row, vector in vectors:
            self._add(row, vector)
            new.append(row)
        self._propose(new)

    def remove(self, rows: Sequence[int]) -> None:
        """Remove the vectors of rows; rows without one are no error."""
        for row in rows:
            slot = self._slot_of.pop(row, None)
            if slot is not None and self._rows is not None:
                self._rows.remove(slot)
        if not self._slot_of:
            self._rows = self._graph = None  # the next vector may be of another width
            forget_graphs(self._folder)

    def nearest(
        self, query: np.ndarray, limit: int, *, metric: str, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The rows nearest to a query with their scores, the nearest first.

        Args:
            query: shape (width,).
            limit: most rows.
            metric: "cosine", "dot" or "euclidean".
            among: the rows to choose from; None for all.
        """
        if self._rows is None:
            return []
        slots = None
        if among is not None:
            slots = self._slots(among)
        elif self._graph is not None and metric == self._graph.metric:
            slots = self._proposed(self._graph, query, limit)
        found = self._rows.nearest(query, limit, metric=metric, weigh=self._weigh, among=slots)
        return [(int(self._row_of[slot]), score) for slot, score in found]

    def save(self) -> None:
        """Write the approximate index, so that the next start need not make it."""
        if self._graph is not None:
            self._graph.save()

    def _add(self, row: int, vector: Vector) -> None:
        numbers = np.frombuffer(vector.values, np.float32)
        if vector.columns is None:
            at = np.flatnonzero(numbers)
            numbers = numbers[at]
        else:
            at = np.frombuffer(vector.columns, np.uint32)
        if self._rows is None:
            self._rows = Rows(vector.width, is_sparse=vector.columns is not None)
        slot = self._rows.add(at, numbers)
        self._slot_of[row] = slot
        if slot >= len(self._row_of):
            self._row_of = np.concatenate((self._row_of, np.zeros_like(self._row_of)))
        self._row_of[slot] = row

    def _slots(self, rows: Iterable[int]) -> np.ndarray:
        """The slots of rows, rising and each once; rows without a vector are left out."""
        slots = np.fromiter(map(self._slot_of.get, rows, repeat(-1)), np.int64)
        slots.sort()
        return slots[(slots >= 0) & (np.diff(slots, prepend=-1) > 0)]

    def _propose(self, new: Sequence[int]) -> None:
        """Have the approximate index know all vectors, if there are enough of them."""
        rows = self._rows
        if rows is None or rows.is_sparse or self._weigh != "none":
            return
        if self._graph is None:
            if len(self) <= EXACT_UP_TO or not is_installed():
                return
            self._graph = Graph(self._folder, rows.width, self._metric)
            new = sorted(self._slot_of)
        missing = [row for row in new if row > self._graph.last_row and row in self._slot_of]
        if len(self._graph) + len(missing) > _MOST_REMOVED * max(len(self), EXACT_UP_TO):
            forget_graphs(self._folder)  # what it knows has mostly been removed or replaced
            self._graph = Graph(self._folder, rows.width, self._metric)
            missing = sorted(self._slot_of)
        for start in range(0, len(missing), EXACT_UP_TO):
            part = np.array(missing[start : start + EXACT_UP_TO], np.int64)
            slots = np.array([self._slot_of[row] for row in part.tolist()], np.int64)
            self._graph.add(part, rows.dense(slots))

    def _proposed(self, graph: Graph, query: np.ndarray, limit: int) -> np.ndarray | None:
        """The slots of the candidates; None if that would be too few."""
        wanted = max(_CANDIDATES * limit, _LEAST_CANDIDATES)
        # Of removed vectors the graph still knows some: ask for as many more.
        wanted += wanted * (len(graph) - len(self)) // max(len(self), 1)
        if 2 * wanted > len(graph):
            return None
        slots = self._slots(graph.nearest(query.astype(np.float32), wanted).tolist())
        return slots if len(slots) >= limit else None
