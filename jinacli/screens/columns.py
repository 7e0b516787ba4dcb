"""Columns of a terminal: how wide text is, and lines that fit."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import IO

_LEAST, _MOST = 20, 200  # columns; a longer line of text is hard to read
_INDENT = "  "
_UNLIMITED = sys.maxsize


def terminal_width(descriptor: int = 1) -> int:
    """Columns to draw with: of COLUMNS, of the terminal, or 80; 20 to 200."""
    try:
        width = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        width = 0
    if width <= 0:
        try:
            width = os.get_terminal_size(descriptor).columns or 80
        except OSError:
            width = 80
    return max(_LEAST, min(_MOST, width))


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


def width_of(text: str) -> int:
    """Columns that a text takes: Chinese letters two each, accents that stand alone none."""
    return len(text) if text.isascii() else sum(map(_width_of_letter, text))


@lru_cache(maxsize=4096)
def _width_of_letter(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def in_columns(rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Rows of cells, each column as wide as its widest cell.

    Where a line would be wider than the terminal, each row becomes several lines: its first cell
    and, below it, the others, broken between words. A word is never cut.

    Args:
        rows: of one length, the headings first, without control characters.
        width: of the screen; if omitted, that of the terminal, or no limit in a pipe.
    """
    if width is None:
        width = screen_width()
    widths = [max(map(width_of, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    if max(map(width_of, lines), default=0) > width:
        lines = [line for first, *others in rows for line in (first, *_below(others, width))]
    return "\n".join(lines)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


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


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces, and within words that are longer."""
    if text.isascii():
        return _wrapped_letters(text, width)
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        long = width_of(word)
        if line and used + 1 + long <= width:
            line, used = f"{line} {word}", used + 1 + long
            continue
        if line:
            lines.append(line)
        while long > width:
            head = _fitting(word, width)
            lines.append(head)
            word = word[len(head) :]
            long = width_of(word)
        line, used = word, long
    return [*lines, line] if line or not lines else lines


def _wrapped_letters(text: str, width: int) -> list[str]:
    """Like `wrapped`, for text in which each letter takes one column: most text, and quicker."""
    lines: list[str] = []
    while len(text) > width:
        cut = text.rfind(" ", 0, width + 1)
        if cut > 0:
            lines.append(text[:cut])
            text = text[cut + 1 :]
        else:
            lines.append(text[:width])
            text = text[width:]
    return [*lines, text] if text or not lines else lines


def _fitting(word: str, width: int) -> str:
    """The start of a word that fits, at least one letter."""
    used = 0
    for index, letter in enumerate(word):
        used += _width_of_letter(letter)
        if used > width:
            return word[: max(1, index)]
    return word
