"""Read what a Flow's processes print, and pass it on line by line.

What a worker prints at its start is held back for a moment: if the start fails, these lines are in
the report, and must not be on the screen twice.

When lines come faster than they can be shown, nothing is read for a moment: a full pipe slows down
the printing process.
"""

from __future__ import annotations

import contextlib
import selectors
import time

from jina.launch import events
from jina.launch.child import Child

_HOLD_S = 2.0  # how long the first lines of a starting worker are held back
_PAUSE_S = 0.01  # between checks whether lines can be shown again


class Listener:
    """Listens to the processes of one supervisor, on its loop.

    Args:
        selector: of that loop; it calls what is registered as data.
        report: told about every line.
    """

    def __init__(self, selector: selectors.BaseSelector, report: events.Reporter) -> None:
        self._selector = selector
        self._report = report
        self._paused: list[Child] = []

    @property
    def waits(self) -> list[float]:
        """Seconds until `go_on` must be called; empty when it need not be."""
        return [_PAUSE_S] if self._paused else []

    def go_on(self) -> None:
        """Listen again to those whose output had to wait, if it can be shown now."""
        for child in self._paused:
            child.last_sign_of_life = time.monotonic()  # it is not silent: we do not read
        if self._paused and not self._report.is_behind:
            paused, self._paused = self._paused, []
            for child in paused:
                self.watch(child)

    def watch(self, child: Child) -> None:
        """Listen to a process from now on."""
        self._selector.register(child.output, selectors.EVENT_READ, lambda: self._hear(child))

    def hear_out(self, child: Child) -> None:
        """Read what a dead process had still printed; its own children may keep the pipe open."""
        self._read(child)
        self._unwatch(child)
        child.close()

    def show_held(self, child: Child, *, if_late: bool = False) -> None:
        """Pass on what was held back; with `if_late`, only when it has been for long enough."""
        if child.held.lines and not (if_late and time.monotonic() - child.started <= _HOLD_S):
            self._show(child, child.held.take())
        self._show(child, child.untold_error())

    def _hear(self, child: Child) -> None:
        if self._report.is_behind:
            self._unwatch(child)
            self._paused.append(child)
        else:
            self._read(child)

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
        if child in self._paused:
            self._paused.remove(child)
        with contextlib.suppress(KeyError):  # a child that has closed its output is not watched
            self._selector.unregister(child.output)
