"""The progress of a post: Documents that are done, how many in a second, time left, failures.

At a terminal it is a line that is drawn again and again; elsewhere, where somebody asked for it, a
plain line every few seconds.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

import msgspec

from jinacli.screens.numbers import duration, number, rate

_BAR_S = 0.1  # between two drawings
_LINE_S = 5.0  # between two plain lines
_MIN_BAR, _MAX_BAR = 10, 40  # columns
_CLEAR = "\r\x1b[K"


class Done(msgspec.Struct):
    """How far a post is.

    Attributes:
        outcomes: that are written, those of earlier runs included.
        failed: how many of them are errors.
        total: of the outcomes there will be; None if that is not known yet.
        part: of all that there is to do, 0 to 1; None if that is not known.
        new: outcomes of this run.
        new_part: what this run has added to `part`.
    """

    outcomes: int
    failed: int = 0
    total: int | None = None
    part: float | None = None
    new: int = 0
    new_part: float = 0.0


class Progress:
    """Shows how far a post is.

    Args:
        look: says how far it is; asked only when something is shown.
        write: takes what is shown.
        width: columns of the terminal; 0 for plain lines.
        is_plain: draw with ASCII alone.
        clock: in seconds.
    """

    def __init__(
        self,
        look: Callable[[], Done],
        write: Callable[[str], object],
        *,
        width: int,
        is_plain: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._write = write
        self._width = width
        self._marks = "#-" if is_plain else "━─"
        self._clock = clock
        self._began = clock()
        self._every_s = _BAR_S if width else _LINE_S
        self._next = self._began if width else self._began + _LINE_S
        self._is_drawn = False

    def update(self) -> None:
        """Show it again if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every_s
        done, seconds = self._look(), now - self._began
        if self._width:
            self._is_drawn = True
            self._write(_CLEAR + self._bar(done, seconds))
        else:
            self._write(", ".join(_words(done, seconds)) + "\n")

    def clear(self) -> None:
        """Take the line away, for whatever is said next."""
        if self._is_drawn:
            self._is_drawn = False
            self._write(_CLEAR)

    def _bar(self, done: Done, seconds: float) -> str:
        words = _words(done, seconds)
        room = self._width - 1
        while len(words) > 1 and len("  ".join(words)) > room:
            del words[1]  # the rate, then the time left; failures are the last to go
        text = "  ".join(words)[:room]
        columns = min(_MAX_BAR, room - len(text) - 2)
        if done.part is None or columns < _MIN_BAR:
            return text
        full = round(columns * min(1.0, max(0.0, done.part)))
        return f"{self._marks[0] * full}{self._marks[1] * (columns - full)}  {text}"


def _words(done: Done, seconds: float) -> list[str]:
    of = f" of {number(done.total)}" if done.total is not None else ""
    one = "document" if done.outcomes == 1 and not of else "documents"
    words = [f"{number(done.outcomes)}{of} {one}"]
    if done.new:
        words.append(f"{rate(done.new, seconds)}/s")
    if done.part is not None and done.new_part > 0 and done.part < 1:
        words.append(f"{duration(seconds * (1 - done.part) / done.new_part)} left")
    if done.failed:
        words.append(f"{number(done.failed)} failed")
    return words


@contextlib.contextmanager
def progress_of(
    look: Callable[[], Done], *, to_stdout: bool, is_wanted: bool, is_verbose: bool
) -> Iterator[Callable[[], None]]:
    """A function to call after each reply; it shows the progress where a person looks.

    Args:
        look: as for Progress.
        to_stdout: the results go to standard output; if that is the same terminal, they show how
            far it is.
        is_wanted: False to show nothing.
        is_verbose: show plain lines where standard error is no terminal.
    """
    err = sys.stderr
    is_terminal = err is not None and err.isatty()
    if not is_wanted or err is None or (is_terminal and to_stdout and _is_one_terminal()):
        yield _show_nothing
        return
    if not (is_terminal or is_verbose):
        yield _show_nothing
        return

    def write(text: str) -> None:
        with contextlib.suppress(OSError):
            err.write(text)
            err.flush()

    is_plain = "utf" not in (err.encoding or "").lower()
    shown = Progress(look, write, width=_width() if is_terminal else 0, is_plain=is_plain)
    shown.update()
    try:
        yield shown.update
    finally:
        shown.clear()


def _show_nothing() -> None:
    pass


def _is_one_terminal() -> bool:
    """Whether standard output and standard error are the same terminal."""
    try:
        return os.isatty(1) and os.fstat(1).st_rdev == os.fstat(2).st_rdev
    except OSError:
        return False


def _width() -> int:
    """Columns of the terminal of standard error."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    try:
        return os.get_terminal_size(2).columns or 80
    except OSError:
        return 80
