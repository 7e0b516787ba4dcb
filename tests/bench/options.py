"""The options of a run: how large it is, and where its files are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jina.readers import open_inputs
from tests.bench.measure import BenchError
from tests.bench.report import Table
from tests.bench.styles import write_lines


@dataclass(frozen=True)
class Options:
    """What the user of the benchmark chose."""

    folder: Path
    """For inputs and outputs; removed at the end."""
    docs: int = 100_000
    repeats: int = 7

    @property
    def round_trips(self) -> int:
        """How many one-Document round trips a latency run has."""
        return max(20, min(3_000, self.docs // 30))

    def lines(self, style: str, count: int) -> Path:
        """Return a file with that many lines, which is written once."""
        path = self.folder / f"{style}-{count}.jsonl"
        return path if path.exists() else write_lines(path, style, count)


class Case(NamedTuple):
    """One thing to measure."""

    name: str
    title: str
    run: Callable[[Options], list[Table]]


def line_key(path: Path) -> str:
    """Return the first part of the ids that jina gives to the lines of a file."""
    with open_inputs([str(path)]) as source:
        chunk = source.next_chunk(max_lines=1, max_bytes=1)
    if chunk is None:
        raise BenchError(f"{path} is empty")
    return chunk.key


def check_equal(reference: Path, *others: Path) -> None:
    """Check that outputs hold the same JSON values, line by line; the order of keys may differ.

    Raises:
        BenchError: they do not; it shows the first difference.
    """
    for other in others:
        if reference.read_bytes() == other.read_bytes():
            continue
        with reference.open("rb") as expected, other.open("rb") as found:
            for number, line in enumerate(expected, 1):
                mine = found.readline()
                if not mine or json.loads(line) != json.loads(mine):
                    raise BenchError(
                        f"outputs differ in line {number}:\n"
                        f"{reference.name}: {line!r}\n{other.name}: {mine!r}"
                    )
            if found.readline():
                raise BenchError(f"{other.name} has more lines than {reference.name}")
