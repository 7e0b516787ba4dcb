"""Measure the processor time of functions in this process, for the cases about jina.types."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.options import Options
from tests.bench.report import Figure, Table

Variant = Callable[[], Any]
_TURNS_PER_REPEAT = 12


def spent_us(variants: Mapping[str, Variant], options: Options, calls: int) -> dict[str, float]:
    """Return the processor time of one call of each function, in µs: the least of many turns.

    The least, not the median: the work is the same in each turn, and anything more is noise.

    Args:
        variants: the functions by name; what they return is ignored.
        options: says how many turns.
        calls: how often each is called in one turn, at full size.
    """
    calls = max(1, min(calls, calls * options.docs // 20_000))
    turns = options.repeats * _TURNS_PER_REPEAT if options.repeats > 1 else 1
    best = dict.fromkeys(variants, float("inf"))
    for turn in range(turns + 1):  # the first one warms up
        for name, function in variants.items():
            started = time.process_time()
            for _ in range(calls):
                function()
            used = time.process_time() - started
            if turn:
                best[name] = min(best[name], used / calls * 1e6)
        gc.collect()
    return best


def compared(
    title: str, best: Mapping[str, float], bounds: Mapping[tuple[str, str], float]
) -> Table:
    """Return a table of times, and a figure for each ratio that has a bound.

    Args:
        title: of the table.
        best: what `spent_us` returned.
        bounds: (one, other) -> the most that the time of one, divided by the other's, may be.
    """
    table = Table(title, ["", "CPU µs"], [[name, value] for name, value in best.items()])
    table.figures = [
        Figure(f"{one} ÷ {other}", best[one] / max(best[other], 1e-9), limit)
        for (one, other), limit in bounds.items()
    ]
    table.samples = {name: [{"cpu_us": value}] for name, value in best.items()}
    return table
