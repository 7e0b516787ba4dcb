"""Read what a Flow's processes print, and pass it on line by line.

What a worker prints at its start is held for a moment: if it fails, its words are in the report of
that, and not twice on the screen.
"""

from __future__ import annotations

import contextlib
import selectors
import time
from collections.abc import Callable

from jina.launch import events
from jina.launch.child import Child

_HOLD_S = 2.0  # how long the first lines of a starting worker are held back


class Listener:
    """Listens to the processes of one supervisor, on its loop.

    Args:
        selector: of that loop; it calls what is registered as data.
        report: told about every line.
    """

    def __init__(
        self, selector: selectors.BaseSelector, report: Callable[[events.Event], None]
    ) -> None:
        self._selector = selector
        self._report = report

    def watch(self, child: Child) -> None:
        """Listen to a process from now on."""
        self._selector.register(child.output, selectors.EVENT_READ, lambda: self._read(child))

    def hear_out(self, child: Child) -> None:
        """Read what a dead process still had to say; its own children may keep the pipe open."""
        self._read(child)
        self._unwatch(child)
        child.close()

    def show_held(self, child: Child, *, if_late: bool = False) -> None:
        """Pass on what was held back; with `if_late`, only when it has been for long enough."""
        if child.held.lines and not (if_late and time.monotonic() - child.started <= _HOLD_S):
            self._show(child, child.held.take())

    def _read(self, child: Child) -> None:
        lines = child.read_output()
        if lines is None:
            self._unwatch(child)
            return
        self._show(child, child.held.add(lines))
        self.show_held(child, if_late=not child.is_ready)

    def _show(self, child: Child, lines: list[str]) -> None:
        for line in lines:
            self._report(events.Output(worker=child.name, text=line))

    def _unwatch(self, child: Child) -> None:
        with contextlib.suppress(KeyError):  # a child that has closed its output is not watched
            self._selector.unregister(child.output)
