"""Lists for people that fit the screen: a table, or where that is too wide, a block for each row.

Nothing is cut off: what does not fit on a line goes on in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jina.terminal_text import cell
from jinacli.screens.columns import width_of, wrapped

_GAP = "  "
_LEAST = 20  # columns that a cell which may go on in further lines has at least


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        head: its heading.
        is_number: whether it stands to the right.
        may_break: whether what is too long goes on in the next line.
    """

    head: str
    is_number: bool = False
    may_break: bool = False


def lines_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The lines of a list.

    Args:
        columns: what stands in each row.
        rows: a cell for each column.
        width: of the screen; no line is wider.
    """
    rows = [[cell(text) for text in row] for row in rows]
    widths = [
        max(map(width_of, (column.head, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    over = sum(widths) + len(_GAP) * (len(columns) - 1) - width
    for place, column in enumerate(columns):
        if over > 0 and column.may_break:
            least = min(widths[place], max(_LEAST, width_of(column.head)))
            less = min(over, widths[place] - least)
            widths[place] -= less
            over -= less
    if over > 0:
        return [line for row in rows for line in _block(columns, row, width)]
    heads = [column.head for column in columns]
    return [line for row in (heads, *rows) for line in _table_row(columns, row, widths)]


def _table_row(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]
) -> Iterator[str]:
    pieces = [wrapped(text, width) for text, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, pieces))):
        cells = [each[number] if number < len(each) else "" for each in pieces]
        yield _GAP.join(
            _padded(text, width, to_the_right=column.is_number)
            for text, width, column in zip(cells, widths, columns, strict=True)
        ).rstrip()


def _block(columns: Sequence[Column], row: Sequence[str], width: int) -> Iterator[str]:
    """A row as lines of heading and value; the first cell that says something stands alone."""
    told = [(column.head, text) for column, text in zip(columns, row, strict=True) if text]
    if not told:
        return
    yield from wrapped(told[0][1], width)
    label = max((width_of(head) for head, _ in told[1:]), default=0)
    indent = len(_GAP) * 2 + label
    for head, text in told[1:]:
        first = f"{_GAP}{_padded(head, label)}{_GAP}"
        for piece in wrapped(text, max(1, width - indent)):
            yield first + piece
            first = " " * indent


def _padded(text: str, width: int, *, to_the_right: bool = False) -> str:
    room = " " * (width - width_of(text))
    return room + text if to_the_right else text + room
