"""The name before each line of a Flow's output: aligned, with a color for each Executor."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

_COLORS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
_WIDEST = 32  # columns; a longer name moves its own lines only


class Prefixes:
    """Writes names before lines.

    Args:
        is_colored: whether colors may be used.
        names: that are known to come; they are all given the same width.
    """

    def __init__(self, *, is_colored: bool, names: Iterable[str] = ()) -> None:
        self._is_colored = is_colored
        self._width = 0
        self._colors: dict[str, str] = {}
        self.know(names)

    def know(self, names: Iterable[str]) -> None:
        """Learn of names that come."""
        for name in names:
            self._width = max(self._width, min(len(name), _WIDEST))
            self._color(name)

    def before(self, name: str) -> str:
        """What stands before a line of this process."""
        if len(name) > self._width:
            self.know([name])
        text = f"{name.ljust(self._width)} |"
        if not (self._is_colored and name):
            return f"{text} "
        return f"\x1b[{self._color(name)}m{text}\x1b[0m "

    def _color(self, name: str) -> str:
        """The same for all processes of an Executor, another one for the next."""
        node = name.partition("/")[0]
        if node not in self._colors:
            place = len(self._colors)
            if place >= len(_COLORS):
                place = zlib.crc32(node.encode())
            self._colors[node] = _COLORS[place % len(_COLORS)]
        return self._colors[node]
