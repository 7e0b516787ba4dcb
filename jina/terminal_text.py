"""Make text of others fit for a terminal: what it says can be read, what it does is nothing.

An escape sequence in an Executor's output, a message or a Document's id could retitle or repaint
the terminal, hide what was said before, or make it type. So control characters are shown as what
they are, and so are the marks that reverse the direction of text, and bytes that are no UTF-8 in
the name of a file. Newlines and tabs stay, and so do colours, which end with the text.
"""

from __future__ import annotations

import re

_COLOUR = "\x1b\\[[0-9;:]*m"
_END_OF_COLOURS = "\x1b[0m"
_SPECIAL = re.compile(
    f"({_COLOUR})|[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    r"""The text with its control characters made visible, as in `\x1b[2J`."""
    if _SPECIAL.search(text) is None:
        return text
    shown = _SPECIAL.sub(_visible, text)
    return shown if "\x1b" not in shown else shown.removesuffix(_END_OF_COLOURS) + _END_OF_COLOURS


def _visible(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    number = ord(found[0])
    return f"\\x{number:02x}" if number <= 0xFF else f"\\u{number:04x}"
