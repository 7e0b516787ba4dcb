"""Text from others, made fit for a terminal: it can be read, but it cannot do anything.

An escape sequence in an Executor's output, a message or a Document's id could retitle or repaint
the terminal, hide what was said before, or make it type. Each function here takes such characters
out; they differ in what they put there, and in what may stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_COLOUR = "\x1b\\[[0-9;:]*m"
_END_OF_COLOURS = "\x1b[0m"
# Control characters, marks that reverse the direction of text, and what stands for bytes that are
# not UTF-8 in the name of a file.
_SPECIAL = re.compile(
    f"({_COLOUR})|[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def escaped(text: str) -> str:
    r"""For output as it comes: control characters become visible, as in `\x1b[2J`.

    Newlines, tabs and colours stay; colours end with the text.
    """
    if _SPECIAL.search(text) is None:
        return text
    shown = _SPECIAL.sub(_visible, text)
    return shown if "\x1b" not in shown else shown.removesuffix(_END_OF_COLOURS) + _END_OF_COLOURS


def _visible(found: re.Match[str]) -> str:
    number = ord(found[0][0])
    return found[1] or (f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}")


def one_line(text: str) -> str:
    r"""For a name in a drawing: what is not printable is written as in Python, also `\n`."""
    return _replaced(text, lambda char: char.encode("unicode_escape").decode())


def quoted(text: str) -> str:
    r"""For a line of a user's file, and a message about it: `\n` is visible, a tab is a space."""
    known = {"\t": " ", "\xa0": " ", "\n": "\\n"}
    return _replaced(text, lambda char: known.get(char) or f"\\x{ord(char):02x}")


def cell(text: str) -> str:
    """For a value in a table: one mark for what is not printable, one space for white space."""
    marked = _replaced(text, lambda char: char if char in "\n\t" else "\N{REPLACEMENT CHARACTER}")
    return " ".join(marked.split())


def _replaced(text: str, shown: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else shown(char) for char in text)
