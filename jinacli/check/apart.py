"""Import Executors each in a process of its own, several at once.

Two modules that cannot be loaded together, such as two that register the same operator of torch,
are loaded apart in a Flow too; and of one whose import ends its process, the others do not suffer.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from jina.check import Check, Findings, Part, Report
from jina.defaults import KILL_GRACE_S
from jina.launch.ending import ending
from jina.launch.threads import usable_cores
from jinacli.check.children import IS_POSSIBLE, Children, Note
from jinacli.screens.errors import show
from jinacli.screens.loading import Loading

_LOOK_S = 1.0  # between two words about what is waited for
_INTERRUPTED = "\1"  # noted by one that Ctrl-C has ended, or its own code by the same signal


def checked_apart(checks: Sequence[Check], *, quiet: bool = False) -> list[Report]:
    """Finish checks: what they import is imported in forks, and what these print goes to stderr.

    Executors with the same modules share a process. As many run at once as there are cores to use.

    Args:
        checks: whose YAML was read.
        quiet: do not say what is waited for.

    Raises:
        KeyboardInterrupt: Ctrl-C, which has ended all of them.
        Terminated: the same for SIGTERM and SIGHUP.
    """
    if not IS_POSSIBLE:
        return [check.here(lambda what: None) for check in checks]
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in (part for check in checks for part in check.parts):
        groups.setdefault(part.modules, []).append(part)
    found: dict[int, Findings] = {}
    if groups:
        gc.freeze()  # what is loaded stays; what users' code makes is searched for garbage
        found = _Imports(list(groups.values()), quiet=quiet).run()
    return [check.finish([found[id(part)] for part in check.parts]) for check in checks]


class _Import:
    """One process, and what it has found.

    Args:
        parts: that it imports, one after the other; all have the same modules.
    """

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self._note = Note()
        self._results = os.memfd_create("findings")
        self.is_late = False
        self._began = time.monotonic()

    @property
    def names(self) -> list[str]:
        """How people see what it imports."""
        return [part.name for part in self.parts]

    @property
    def deadline(self) -> float:
        """When it must have ended."""
        limits = [part.limit_s for part in self.parts]
        return float("inf") if min(limits) < 0 else self._began + max(limits)

    def start(self, children: Children) -> int:
        """Start the process, and return its id.

        An interpreter of the Executor's own would be started here, instead of a fork of this one.
        """
        pid = children.fork()
        if not pid:
            self._run()
        return pid

    def _run(self) -> NoReturn:
        code = 1
        try:
            _hide_data()
            for part in self.parts:
                os.write(self._results, part.look(self._note.write).as_line().encode() + b"\n")
            self._note.write("")
            code = 0
        except KeyboardInterrupt:
            self._note.write(_INTERRUPTED)
        except BaseException as error:  # ours: what users' code raises is among the findings
            show(error)
        finally:
            _leave(code)

    def findings(self, code: int) -> list[Findings] | None:
        """What it has found, part by part, once it has ended; None if it was interrupted.

        Args:
            code: its exit code, or the signal that killed it, negative.
        """
        with os.fdopen(self._results, "rb") as results:
            results.seek(0)
            found = [Findings.from_line(line.decode()) for line in results]
        doing = self._note.read()
        if doing == _INTERRUPTED:
            return None
        if code or doing:
            broken = self.parts[min(len(found), len(self.parts) - 1)]
            how = f"did not end within {broken.limit_s:g} s" if self.is_late else ending(code)
            found.append(Findings([broken.broken_off(doing, f"the process {how}")]))
        if len(found) > len(self.parts):  # it ended after all was found
            found[-2].problems += found.pop().problems
        return found + [Findings() for _ in self.parts[len(found) :]]


class _Imports:
    """All of them.

    Args:
        groups: the parts of each.
        quiet: do not say what is waited for.
    """

    def __init__(self, groups: list[list[Part]], *, quiet: bool) -> None:
        self._waiting = groups[::-1]
        self._running: dict[int, _Import] = {}
        self._children = Children(interrupted_s=KILL_GRACE_S)
        self._loading = Loading(quiet=quiet)
        self._found: dict[int, Findings] = {}

    def run(self) -> dict[int, Findings]:
        """Import everything; id of a part -> what was found."""
        began = time.monotonic()
        cores = usable_cores()
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < cores:
                    each = _Import(self._waiting.pop())
                    self._running[each.start(self._children)] = each
                end = self._children.next_end(time.monotonic() + _LOOK_S)
                now = time.monotonic()
                if end is not None:
                    self._ended(*end)
                elif not self._children.stopped_by:
                    names = [name for each in self._running.values() for name in each.names]
                    self._loading.tell(names, now - began)
                    self._end_late(now)
            self._children.raise_stop()
        finally:
            self._loading.done()
            self._children.close()
        return self._found

    def _ended(self, pid: int, code: int) -> None:
        each = self._running.pop(pid)
        found = each.findings(code)
        if found is None:
            self._children.interrupt()
        else:
            self._found.update(zip(map(id, each.parts), found, strict=True))
        if self._children.stopped_by:
            self._waiting.clear()

    def _end_late(self, now: float) -> None:
        for pid, each in self._running.items():
            if each.deadline <= now and not each.is_late:
                each.is_late = True
                self._children.kill(pid)


def _hide_data() -> None:
    """Give modules no standard input, and send what they print to standard error."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)


def _leave(code: int) -> NoReturn:
    """End this fork as an interpreter ends, without going back to what its parent was doing."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
