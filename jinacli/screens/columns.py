"""Columns of a terminal: how wide text is, and lines that fit."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_LEAST, _MOST = 20, 200  # columns; a longer line of text is hard to read


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


def width_of(text: str) -> int:
    """Columns that a text takes: Chinese letters two each, accents that stand alone none."""
    return len(text) if text.isascii() else sum(map(_width_of_letter, text))


@lru_cache(maxsize=4096)
def _width_of_letter(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, each column as wide as its widest cell; the same at a terminal and in a pipe.

    Args:
        rows: of one length, the headings first.
    """
    widths = [max(width_of(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(c + " " * (w - width_of(c)) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


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
