"""Say what is waited for: in place on a terminal, else a line now and then."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence

from jina.terminal_text import escaped
from jinacli.screens.errors import say

FIRST_S = 1.0  # what is quicker is not told
_PLAIN_EACH_S = 5.0  # between lines about it after the first, where they cannot be drawn in place
_NAMES = 3  # of what is waited for
_ERASE = "\r\x1b[K"


class Loading:
    """Tells what is loading.

    Args:
        quiet: tell nothing.
        say: shows a line.
        draw: shows a line in place; "" erases it.
    """

    def __init__(
        self,
        *,
        quiet: bool,
        say: Callable[[str], None] = say,
        draw: Callable[[str], None] | None = None,
    ) -> None:
        self._quiet = quiet
        self._say = say
        self._draw = draw or _draw
        self._is_drawn_to = is_terminal()
        self._drawn = ""
        self._next_plain_s = FIRST_S

    def tell(self, names: Sequence[str], seconds: float) -> None:
        """Say what is waited for, if it takes long.

        Args:
            names: of what is loading; the first few are shown.
            seconds: since the start began.
        """
        if self._quiet or seconds < FIRST_S:
            return
        text = f"loading {_few(names)} ({int(seconds)} s)"
        if text == self._drawn:
            return
        self._drawn = text
        if self._is_drawn_to:
            self._draw(text[: shutil.get_terminal_size().columns - 1])
        elif seconds >= self._next_plain_s:
            self._next_plain_s = seconds + _PLAIN_EACH_S
            self._say(text)

    def tell_workers(self, workers: Sequence[str], seconds: float) -> None:
        """Say which workers are waited for, by their nodes; see `tell`."""
        self.tell([worker.partition("/")[0] for worker in workers], seconds)

    @property
    def is_drawn(self) -> bool:
        """Whether something is drawn in place."""
        return self._is_drawn_to and bool(self._drawn)

    def done(self) -> None:
        """Erase what is drawn in place; what is told next is another start."""
        if self.is_drawn:
            self._draw("")
        self._drawn = ""
        self._next_plain_s = FIRST_S


def is_terminal() -> bool:
    """Whether standard error can be drawn on."""
    try:
        return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    except (AttributeError, ValueError):  # closed
        return False


def erase() -> None:
    """Erase what is drawn in place, by whichever process."""
    if is_terminal():
        _draw("")


def _few(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{', '.join(names[:_NAMES])}{more}"


def _draw(text: str) -> None:
    """Draw it so that whatever is printed next, by whomever, begins at the left edge."""
    sys.stderr.write(f"{_ERASE}{escaped(text)}\r" if text else _ERASE)
    sys.stderr.flush()
