"""Measure VectorIndexer: what indexing and searching costs, and how many of the nearest it finds.

`--docs` is the number of vectors. They are random, the worst case for an approximate index. If the
variable JINA_BENCH_VECTORS names a file `.npy` of real ones, 500 of them are the queries and the
others are indexed; if they are too few, more are made: one of them and the difference of two
others, at 0.3 to 0.9 of its length.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jina import Document, DocumentArray
from jina.executors.modules import import_module
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table

_EXECUTOR = Path(__file__).parents[3] / "executors" / "VectorIndexer" / "executor.py"
_REAL = "JINA_BENCH_VECTORS"
_WIDTH = 384
_QUERIES = 500
_FEW = 50  # queries of each mode but the first
_BATCH = 1000
_TOP_K = 10
_WORDS = 20_000  # of the language of the texts, the n-th of them in 1 of n texts or so
_SEARCHES: dict[str, dict[str, Any]] = {
    "vector": {},
    "vector, filter 1 in 100": {"filter": {"n": {"$lt": 1}}},
    "vector, filter 1 in 2": {"filter": {"lang": "en"}},
    "text": {"mode": "text"},
    "hybrid": {"mode": "hybrid"},
    "hybrid, filter 1 in 2": {"mode": "hybrid", "filter": {"lang": "en"}},
}


def run(options: Options) -> list[Table]:
    """Index, open again, search in each way, and compare with the exact answer."""
    vectors, queries = _vectors(options)
    kind = Path(os.environ[_REAL]).name if _REAL in os.environ else "random"
    table = Table(
        f"{len(vectors):,} vectors of {vectors.shape[1]} float32 ({kind})", ["", "wall", "CPU"]
    )
    before = _memory_mb()
    workspace = options.folder / "index"
    with _timed(table, "index, s"):
        indexer = _opened(workspace)
        for start in range(0, len(vectors), _BATCH):
            indexer.index(_documents(vectors[start : start + _BATCH], start))
    with _timed(table, "close, s"):
        indexer.close()
    with _timed(table, "open again, s"):
        indexer = _opened(workspace)
    table.notes.append(f"{'exact' if indexer.status()[0].tags['exact'] else 'approximate'};")
    table.notes.append(f"memory {_memory_mb() - before:,.0f} MB;")
    for file in sorted(workspace.rglob("*")):
        if file.is_file() and file.stat().st_size > 1e6:
            table.notes.append(f"{file.name} {file.stat().st_size / 1e6:,.0f} MB;")
    found: list[set[int]] = []
    for name, parameters in _SEARCHES.items():
        of_mode = queries if not parameters else queries[:_FEW]
        walls, cpus, matches = _asked(indexer, of_mode, parameters)
        found = found or matches
        table.rows.append([f"{name}, ms a query", float(np.median(walls)), float(np.median(cpus))])
    indexer.close()
    exact = _exact(vectors, queries)
    hits = sum(len(a & b) for a, b in zip(found, exact, strict=True))
    recall = hits / sum(map(len, exact))
    table.notes.append(f"recall@{_TOP_K} {recall:.4f}")
    table.figures = [
        Figure("CPU ms of a query by vector", float(table.rows[3][2] or 0), 5.0),
        Figure("1 - recall", 1 - recall, 0.01, is_difference=True),
    ]
    table.samples = {str(row[0]): [{"wall": row[1], "cpu": row[2]}] for row in table.rows}
    return [table]


def _vectors(options: Options) -> tuple[np.ndarray, np.ndarray]:
    """What is indexed, a file in the folder, and the queries."""
    count, random_ = options.docs, np.random.default_rng(1)
    if _REAL in os.environ:
        real = np.load(os.environ[_REAL])
    else:
        real = random_.standard_normal((_QUERIES, _WIDTH), np.float32)
    queries, real = real[:_QUERIES], real[_QUERIES:]
    path = options.folder / "vectors.npy"
    made = np.lib.format.open_memmap(path, "w+", np.float32, (count, real.shape[1]))
    made[: len(real)] = real[:count]
    for start in range(len(real), count, _BATCH):
        size = min(_BATCH, count - start)
        if not len(real):
            made[start : start + size] = random_.standard_normal((size, _WIDTH), np.float32)
            continue
        base, plus, minus = real[random_.integers(len(real), size=(3, size))]
        apart = plus - minus
        apart /= np.linalg.norm(apart, axis=1, keepdims=True) + 1e-9
        length = np.linalg.norm(base, axis=1, keepdims=True) * random_.uniform(0.3, 0.9, (size, 1))
        made[start : start + size] = base + apart * length
    return made, queries


def _documents(vectors: np.ndarray, start: int) -> DocumentArray:
    random_ = np.random.default_rng(start)
    words = random_.zipf(1.3, (len(vectors), 20)) % _WORDS
    return DocumentArray(
        [
            Document(
                id=str(start + n),
                text=" ".join(f"w{word}" for word in words[n]),
                tags={"lang": "en" if n % 2 else "de", "n": n % 100},
                embedding=np.array(vector),
            )
            for n, vector in enumerate(vectors)
        ]
    )


def _opened(workspace: Path) -> Any:
    module = import_module(str(_EXECUTOR))
    metas = {"workspace": str(workspace), "name": "indexer"}
    return module.VectorIndexer(metas=metas, runtime_args={"pea_id": 0}, top_k=_TOP_K)


def _asked(
    indexer: Any, queries: np.ndarray, parameters: dict[str, Any]
) -> tuple[list[float], list[float], list[set[int]]]:
    """Milliseconds of wall and of CPU of each query, and its matches."""
    walls, cpus, found = [], [], []
    words = np.random.default_rng(2).integers(20, 2000, (len(queries), 5))  # neither "the" nor rare
    for query, asked in zip(queries, words, strict=True):
        text = " ".join(f"w{word}" for word in asked)
        docs = DocumentArray([Document(text=text, embedding=query)])
        wall, cpu = time.perf_counter(), time.process_time()
        indexer.search(docs, parameters=parameters)
        cpus.append((time.process_time() - cpu) * 1e3)
        walls.append((time.perf_counter() - wall) * 1e3)
        found.append({int(match.id) for match in docs[0].matches})
    return walls, cpus, found


def _exact(vectors: np.ndarray, queries: np.ndarray) -> list[set[int]]:
    """The nearest by cosine, all compared."""
    scores = np.empty((len(queries), len(vectors)), np.float32)
    for start in range(0, len(vectors), 10_000):
        part = vectors[start : start + 10_000]
        lengths = np.linalg.norm(part, axis=1)
        scores[:, start : start + len(part)] = queries @ part.T / lengths
    return [set(np.argpartition(-each, _TOP_K)[:_TOP_K].tolist()) for each in scores]


def _memory_mb() -> float:
    """What this process has for itself, without the pages of files."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


@contextmanager
def _timed(table: Table, name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    table.rows.append([name, time.perf_counter() - wall, time.process_time() - cpu])


CASES = [Case("index", "VectorIndexer: index, open, search, recall", run)]
