"""Compare match with the matrix product and the argpartition that it contains."""

from __future__ import annotations

import math
from typing import Any

from jina import Document, DocumentArray
from tests.bench.cases.types_timing import compared, spent_us
from tests.bench.options import Case, Options
from tests.bench.report import Table

_WIDTH = 256
_QUERIES = 1_000
_INDEX = 100_000
_BLOCK = 300  # queries at once for numpy alone, so that it uses as much memory as match


def run(options: Options) -> list[Table]:
    """Match 1,000 queries and 100,000 Documents of 256 float32; fewer in a small run."""
    import numpy as np

    share = min(1.0, math.sqrt(options.docs / 100_000))
    queries_count, index_count = int(_QUERIES * share), int(_INDEX * share)
    rng = np.random.default_rng(1)
    left = rng.standard_normal((queries_count, _WIDTH), np.float32)
    right = rng.standard_normal((index_count, _WIDTH), np.float32)
    queries = DocumentArray([Document(id=f"q{i}", embedding=row) for i, row in enumerate(left)])
    index = DocumentArray([Document(id=f"i{i}", embedding=row) for i, row in enumerate(right)])

    def numpy_alone() -> list[Any]:
        found = []
        for start in range(0, len(left), _BLOCK):
            distances = left[start : start + _BLOCK] @ right.T
            found.append(np.argpartition(distances, 20, axis=1)[:, :20])
        return found

    small = Options(options.folder, options.docs, max(1, options.repeats // 12))
    best = spent_us(
        {
            "match": lambda: queries.match(index, metric="cosine", limit=20),
            "product and argpartition": numpy_alone,
        },
        small,
        1,
    )
    bounds = {("match", "product and argpartition"): 1.3}
    title = f"{queries_count} queries, {index_count} Documents, {_WIDTH} float32, 20 matches"
    return [compared(title, best, bounds)]


CASES = [Case("types-match", "Nearest neighbours", run)]
