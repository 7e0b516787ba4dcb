"""The table of `jina post --timing`: how long requests waited and ran at each node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinacli.screens.errors import say

if TYPE_CHECKING:
    from jina.client.timing import Timing

_HEAD = ("node", "calls", "Documents", "waiting p50", "p99", "running p50", "p99")


def say_timing(timing: Timing) -> None:
    """Print a row for each node; times are milliseconds."""
    rows = [
        (
            row.node,
            str(row.calls),
            str(row.docs),
            *map(_ms, (*row.waiting_ms, *row.running_ms)),
        )
        for row in timing.rows()
    ]
    if not rows:
        say("no call was timed")
        return
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    say("Times in ms, of single calls:")
    for cells in (_HEAD, *rows):
        first, *others = zip(cells, widths, strict=True)
        words = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        say("  ".join(words))


def _ms(value: float) -> str:
    """Three digits that count: nobody compares more."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
