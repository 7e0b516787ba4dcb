"""Lists for people that fit the screen: a table, or where that is too wide, a block for each row.

Nothing is cut off: what does not fit on a line goes on in the next one.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from jina.terminal_text import cell

_GAP = "  "
_LEAST = 20  # columns that a cell which may go on in further lines has at least
_UNLIMITED = 1_000_000


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


def screen_width(stream: IO[str] | None = None) -> int:
    """Columns of the terminal that a stream is; without a limit for a file or a pipe."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty():
        return _UNLIMITED
    return shutil.get_terminal_size().columns if "COLUMNS" in os.environ else _columns(stream)


def _columns(stream: IO[str]) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def lines_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The lines of a list.

    Args:
        columns: what stands in each row.
        rows: a cell for each column.
        width: of the screen; no line is wider.
    """
    rows = [[cell(text) for text in row] for row in rows]
    widths = [
        max(map(_len, (column.head, *(row[place] for row in rows))))
        for place, column in enumerate(columns)
    ]
    over = sum(widths) + len(_GAP) * (len(columns) - 1) - width
    for place, column in enumerate(columns):
        if over > 0 and column.may_break:
            least = min(widths[place], max(_LEAST, _len(column.head)))
            less = min(over, widths[place] - least)
            widths[place] -= less
            over -= less
    if over > 0:
        return [line for row in rows for line in _block(columns, row, width)]
    heads = [column.head for column in columns]
    return [line for row in (heads, *rows) for line in _table_row(columns, row, widths)]


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines that fit the screen."""
    return list(_broken(cell(text), width))


def _table_row(
    columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]
) -> Iterator[str]:
    pieces = [list(_broken(text, width)) for text, width in zip(row, widths, strict=True)]
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
    yield from _broken(told[0][1], width)
    label = max((_len(head) for head, _ in told[1:]), default=0)
    indent = len(_GAP) * 2 + label
    for head, text in told[1:]:
        first = f"{_GAP}{_padded(head, label)}{_GAP}"
        for piece in _broken(text, max(1, width - indent)):
            yield first + piece
            first = " " * indent


def _broken(text: str, width: int) -> Iterator[str]:
    """A text in pieces of this width, at spaces where there are some."""
    while _len(text) > width:
        end = _fitting(text, width)
        space = text.rfind(" ", 1, end + 1)
        yield text[: space if space > 0 else end]
        text = text[space + 1 if space > 0 else end :]
    yield text


def _fitting(text: str, width: int) -> int:
    """How many characters fit; at least one."""
    end = min(len(text), width)
    while end > 1 and _len(text[:end]) > width:
        end -= 1
    return max(1, end)


def _padded(text: str, width: int, *, to_the_right: bool = False) -> str:
    room = " " * (width - _len(text))
    return room + text if to_the_right else text + room


def _len(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    # Late: rich is not needed for plain text.
    from rich.cells import cell_len

    return cell_len(text)
