"""A terminal's screen as text."""

from __future__ import annotations

import re

import pyte

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_ROWS, _COLUMNS = 4000, 4000  # more than anybody writes: nothing is broken or scrolls away


class Screen:
    """What is seen at last of all that was written to a terminal.

    It is wider than any terminal that a command is told of: what does not fit there is seen as a
    line that is too long.

    Args:
        written: as it came from the terminal.
    """

    def __init__(self, written: bytes) -> None:
        screen = pyte.Screen(_COLUMNS, _ROWS)
        screen.set_mode(pyte.modes.LNM)
        pyte.ByteStream(screen).feed(written)
        self._rows = {
            y: {x: cell.data for x, cell in row.items()} for y, row in screen.buffer.items()
        }
        self.is_cursor_hidden = screen.cursor.hidden

    @property
    def lines(self) -> list[str]:
        """Its lines, without spaces at their ends; none after the last that has text."""
        found = []
        for y in range(max(self._rows, default=-1) + 1):
            row = self._rows.get(y, {})
            found.append("".join(row.get(x, " ") for x in range(max(row, default=-1) + 1)).rstrip())
        while found and not found[-1]:
            found.pop()
        return found

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def width(self) -> int:
        """Columns of its longest line; characters of two columns count twice."""
        used = [x for row in self._rows.values() for x, data in row.items() if data != " "]
        return max(used, default=-1) + 1


def colours(written: bytes) -> set[bytes]:
    """The codes of colours, not of bold and the like, that were written."""
    codes = {code for found in _COLOUR.findall(written) for code in found[2:-1].split(b";")}
    return {code for code in codes if re.fullmatch(rb"[349][0-8]|10[0-7]", code)}
