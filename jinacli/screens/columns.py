"""Rows of text in columns, or one below the other where the terminal is too narrow for that."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

_INDENT = "  "


def in_columns(rows: Sequence[Sequence[str]], columns: int | None) -> list[str]:
    """Align rows in columns.

    Args:
        rows: of equal length, without control characters.
        columns: of the terminal; None where nobody needs lines of a certain length.

    Returns:
        Lines. Where one would be wider than the terminal, each row becomes several lines: its first
        cell, and below it the others, broken between words. A word is never cut.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if columns is None or max(map(len, lines), default=0) <= columns:
        return lines
    return [line for first, *others in rows for line in (first, *_below(others, columns))]


def _below(cells: Sequence[str], columns: int) -> list[str]:
    return [
        line
        for cell in cells
        for line in textwrap.wrap(
            cell,
            columns,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def terminal_columns() -> int | None:
    """How wide the terminal is that standard output goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
