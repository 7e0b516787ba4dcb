"""An approximate index beside the vectors, for more of them than one compares one by one.

It is a file of usearch (HNSW), and never the truth: what it proposes is measured again exactly, and
what it lacks is added from the database. So it may be missing, old or deleted at any time.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

# The name of each metric in usearch, and what the numbers of a vector are rounded to. For "cosine",
# where its length does not count, whole numbers up to 127 will do: it is measured again exactly.
_METRICS = {"cosine": ("cos", "i8"), "dot": ("ip", "bf16"), "euclidean": ("l2sq", "bf16")}
# Metric, width, the highest row that was ever added, and how many vectors it holds.
_NAME = re.compile(r"graph-(\w+)-(\d+)-(\d+)-(\d+)\.usearch")
# Chosen by measurement: see README.
_CONNECTIVITY = 16
_EXPANSION_ADD = 128
_EXPANSION_SEARCH = 512
_UNSAVED = 10_000  # vectors, and a quarter of those in the file


def is_installed() -> bool:
    """Whether usearch can be imported."""
    # Late: it is an optional package, and only large indexes need it.
    try:
        import usearch.index  # noqa: F401
    except ImportError:
        return False
    return True


class Graph:
    """Finds rows that are probably the nearest.

    Args:
        folder: of the file, which need not exist.
        width: of the vectors.
        metric: "cosine", "dot" or "euclidean".
    """

    def __init__(self, folder: Path, width: int, metric: str) -> None:
        # Late: see `is_installed`.
        from usearch.index import Index

        self._folder = folder
        self.metric = metric
        name, dtype = _METRICS[metric]
        self._index: Any = Index(
            ndim=width,
            metric=name,
            dtype=dtype,
            connectivity=_CONNECTIVITY,
            expansion_add=_EXPANSION_ADD,
            expansion_search=_EXPANSION_SEARCH,
        )
        self.last_row = 0
        """The highest row that was ever added; those above it are missing."""
        self._saved = 0
        self._load(width)

    def __len__(self) -> int:
        return len(self._index)

    def add(self, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Add vectors.

        Args:
            rows: int64, each above `last_row`, rising.
            vectors: float32, shape (rows, width).
        """
        # In one thread: of vectors that several add at once, some are never found.
        self._index.add(rows.astype(np.uint64), vectors, threads=1)
        self.last_row = int(rows[-1])
        if len(self) - self._saved > self._saved // 4 + _UNSAVED:
            self.save()

    def nearest(self, query: np.ndarray, limit: int) -> np.ndarray:
        """Propose rows.

        Args:
            query: float32, shape (width,).
            limit: how many.

        Returns:
            int64, the nearest first; some may have been removed from the index meanwhile.
        """
        # As many are looked at as are asked for, and at least the usual number.
        self._index.expansion_search = max(_EXPANSION_SEARCH, limit)
        found = self._index.search(query, limit, threads=1)
        return np.asarray(found.keys).astype(np.int64)

    def save(self) -> None:
        """Write the file; a full disk costs only the time to make it anew."""
        name = f"graph-{self.metric}-{self._index.ndim}-{self.last_row}-{len(self)}.usearch"
        new = self._folder / "graph.new"
        with suppress(OSError, RuntimeError):  # of usearch: it cannot write
            self._index.save(str(new))
            with new.open("rb") as file:
                os.fsync(file.fileno())  # so that a power cut leaves the older one or this one
            os.replace(new, self._folder / name)
            self._saved = len(self)
            _forget(self._folder, keep=name)

    def _load(self, width: int) -> None:
        for path in _files(self._folder):
            match = _NAME.fullmatch(path.name)
            assert match is not None
            if match[1] != self.metric or int(match[2]) != width:
                continue
            with suppress(Exception):  # whatever is wrong with it, it is made anew
                self._index.load(str(path))
                if len(self._index) == int(match[4]):
                    self.last_row, self._saved = int(match[3]), len(self._index)
                    return
            self._index.reset()


def forget_graphs(folder: Path) -> None:
    """Delete the files of earlier graphs."""
    _forget(folder, keep="")


def _forget(folder: Path, keep: str) -> None:
    for path in _files(folder):
        if path.name != keep:
            path.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
