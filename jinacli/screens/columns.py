"""Rows of cells in plain columns, or one below the other where the terminal is too narrow."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

_INDENT = "  "
_UNLIMITED = sys.maxsize


def in_columns(rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Rows of cells, each column as wide as its widest cell.

    Where a line would be wider than the terminal, each row becomes several lines: its first cell
    and, below it, the others, broken between words. A word is never cut.

    Args:
        rows: of one length, the headings first, without control characters.
        width: of the screen; if omitted, that of the terminal, or no limit in a pipe.
    """
    if width is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(set_cell_size, row, widths)).rstrip() for row in rows]
    if max(map(cell_len, lines), default=0) > width:
        lines = [line for first, *others in rows for line in (first, *_below(others, width))]
    return "\n".join(lines)


def _below(cells: Sequence[str], width: int) -> list[str]:
    return [
        line
        for cell in cells
        for line in textwrap.wrap(
            cell,
            width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
