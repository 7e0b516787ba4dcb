"""Compare a node of four shards with one process: each shard gets every Document, or one does."""

from __future__ import annotations

from tests.bench.cases.chain import costs
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table

_FLOWS = {
    "one": "one process",
    "shards_any": "4 shards, ANY",
    "shards_all": "4 shards, ALL, reduced",
}


def run(options: Options) -> list[Table]:
    """Return the CPU per Document of each Flow beyond the first hundred lines."""
    found = costs(options, _FLOWS)
    table = found.table("Shards", options, _FLOWS)
    table.figures = [Figure("4 shards, ALL ÷ one", found.ratio("shards_all"), 5.0)]
    return [table]


CASES = [Case("shards", "Four shards that all get each Document, and one process", run)]
