"""Import Executors each in a process of its own, several at once.

Two modules that cannot be loaded together, such as two that register the same operator of torch,
are loaded apart in a Flow too; and of one whose import ends its process, the others do not suffer.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from jina.check import Check, Findings, Part, Report
from jina.defaults import KILL_GRACE_S
from jina.executors.environment import set_variables
from jina.executors.pythons import is_other
from jina.launch import engines, interpreters
from jina.launch.elsewhere import UNSUITED
from jina.launch.ending import ending
from jina.launch.threads import usable_cores
from jinacli.check.children import IS_POSSIBLE, Children, Note
from jinacli.screens.errors import show
from jinacli.screens.loading import Loading

_LOOK_S = 1.0  # between two words about what is waited for
_INTERRUPTED = "\1"  # noted by one that Ctrl-C has ended, or its own code by the same signal


def checked_apart(
    checks: Sequence[Check],
    *,
    quiet: bool = False,
    stopped: Callable[[list[Report]], None] = lambda reports: None,
) -> list[Report]:
    """Finish checks: what they import is imported in forks, and what these print goes to stderr.

    Executors with the same modules share a process. As many run at once as there are cores to use.

    Args:
        checks: whose YAML was read.
        quiet: do not say what is waited for.
        stopped: given what was found until a signal ended it.

    Raises:
        KeyboardInterrupt: Ctrl-C, which has ended all of them.
        Terminated: the same for SIGTERM and SIGHUP.
    """
    if not IS_POSSIBLE:
        return [check.here(lambda what: None) for check in checks]
    found: dict[int, Findings] = {}
    faults: dict[str, Findings | None] = {}
    groups: dict[tuple[object, ...], list[Part]] = {}
    for check in checks:
        for part in check.parts:
            runs_in = part.image or part.python
            if runs_in not in faults:
                faults[runs_in] = _fault(part)
            if (fault := faults[runs_in]) is not None or part.image:
                found[id(part)] = fault or Findings()
                continue
            # Another interpreter reads one Flow again, not several.
            which = id(check) if is_other(part.python) else 0
            groups.setdefault((which, *part.modules), []).append(part)
    if groups:
        gc.freeze()  # what is loaded stays; what users' code makes is searched for garbage
        imports = [_Import(parts, _asked(parts, checks)) for parts in groups.values()]
        running = _Imports(imports, quiet=quiet)
        try:
            running.run()
        except BaseException:
            stopped(_reports(checks, found | running.found))
            raise
        found |= running.found
    return _reports(checks, found)


def _reports(checks: Sequence[Check], found: dict[int, Findings]) -> list[Report]:
    nothing = Findings()
    return [
        check.finish([found.get(id(part), nothing) for part in check.parts]) for check in checks
    ]


def _fault(part: Part) -> Findings | None:
    """What is found where the interpreter or container of a part cannot run it; None if it can."""
    if part.image:
        unfit = engines.fault_of(part.image)
        return None if unfit is None else part.unfit(str(unfit), unfit.hint)
    if not is_other(part.python):
        return None
    if not (
        os.path.isfile(part.python) and os.access(part.python, os.X_OK)
    ):  # the YAML is to blame, and that is reported
        return Findings()
    fault = interpreters.misfit(part.python)
    return fault and part.unfit(fault.reason, fault.help)


def _asked(parts: Sequence[Part], checks: Sequence[Check]) -> bytes:
    """What `elsewhere.py` is to be told to import the same; nothing where this one can."""
    if not is_other(parts[0].python):
        return b""
    check = next(each for each in checks if any(part is parts[0] for part in each.parts))
    options = check.options
    asked = {
        "source": os.fspath(check.source),
        "is_path": isinstance(check.source, os.PathLike),
        "overlays": list(map(os.fspath, options.overlays)),
        "settings": list(options.settings),
        "env_file": os.fspath(options.env_file) if options.env_file else "",
        "parts": [n for n, each in enumerate(check.parts) if any(each is part for part in parts)],
    }
    return json.dumps(asked).encode()


class _Import:
    """One process, and what it has found.

    Args:
        parts: that it imports, one after the other; all have the same modules and variables.
        asked: for another interpreter; nothing for this one.
    """

    def __init__(self, parts: list[Part], asked: bytes) -> None:
        self.parts = parts
        self._asked = asked
        self._note = Note()
        self._results = os.memfd_create("findings")
        self.is_late = False
        self._began = 0.0

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
        """Start the process, and return its id."""
        self._began = time.monotonic()
        pid = children.fork()
        if not pid and self._asked:
            self._run_elsewhere()
        elif not pid:
            look_at(self.parts, self._results, self._note)
        return pid

    def _run_elsewhere(self) -> NoReturn:
        """Become a process of the interpreter that runs them."""
        stdin = os.memfd_create("asked")
        os.write(stdin, self._asked)
        os.lseek(stdin, 0, os.SEEK_SET)
        os.dup2(stdin, 0)
        os.dup2(2, 1)  # a script around the interpreter may print something
        for file in (self._results, self._note.file):
            os.set_inheritable(file, True)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it would be told with a traceback
        python = self.parts[0].python
        words = interpreters.command(
            python, "jinacli.check.elsewhere", str(self._results), str(self._note.file)
        )
        try:
            os.execve(python, words, interpreters.environment(python))
        finally:
            _leave(1)

    def findings(self, code: int) -> list[Findings] | None:
        """What it has found, part by part, once it has ended; None if it was interrupted.

        Args:
            code: its exit code, or the signal that killed it, negative.
        """
        found = self._read()
        doing = self._note.read()
        self._note.close()
        if doing == _INTERRUPTED:
            return None
        # Another build runs Flows for us, but may not check them, or has other findings.
        if found is None or (code == UNSUITED and self._asked):
            python = self.parts[0].python
            fault = (f"{python} has another build of jina", interpreters.install_hint(python))
            return [part.unfit(*fault) for part in self.parts]
        if code or doing:
            broken = self.parts[min(len(found), len(self.parts) - 1)]
            how = f"did not end within {broken.limit_s:g} s" if self.is_late else ending(code)
            found.append(Findings([broken.broken_off(doing, f"the process {how}")]))
        if len(found) > len(self.parts):  # it ended after all was found
            found[-2].problems += found.pop().problems
        return found + [Findings() for _ in self.parts[len(found) :]]

    def _read(self) -> list[Findings] | None:
        """What it has written; None if that is of another build."""
        with os.fdopen(self._results, "rb") as results:
            results.seek(0)
            try:
                return [Findings.from_line(line.decode()) for line in results]
            except ValueError:
                if self._asked:
                    return None
                raise


class _Imports:
    """All of them.

    Args:
        imports: the processes, none of which is started.
        quiet: do not say what is waited for.
    """

    def __init__(self, imports: list[_Import], *, quiet: bool) -> None:
        self._waiting = imports[::-1]
        self._running: dict[int, _Import] = {}
        self._children = Children(interrupted_s=KILL_GRACE_S)
        self._loading = Loading(quiet=quiet)
        self.found: dict[int, Findings] = {}
        """Id of a part -> what was found; those whose process has ended."""

    def run(self) -> None:
        """Import everything."""
        began = time.monotonic()
        cores = usable_cores()
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < cores:
                    each = self._waiting.pop()
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

    def _ended(self, pid: int, code: int) -> None:
        each = self._running.pop(pid)
        found = each.findings(code)
        if found is None:
            self._children.interrupt()
        else:
            self.found.update(zip(map(id, each.parts), found, strict=True))
        if self._children.stopped_by:
            self._waiting.clear()

    def _end_late(self, now: float) -> None:
        for pid, each in self._running.items():
            if each.deadline <= now and not each.is_late:
                each.is_late = True
                self._children.kill(pid)


def look_at(parts: Sequence[Part], results: int, note: Note) -> NoReturn:
    """Import Executors here, write what is found, and end this process.

    Args:
        parts: one after the other; all have the same variables.
        results: descriptor of the file for what is found.
        note: of what is being done.
    """
    code = 1
    try:
        _hide_data()
        set_variables(parts[0].env)  # of all of them
        for part in parts:
            os.write(results, part.look(note.write).as_line().encode() + b"\n")
        note.write("")
        code = 0
    except KeyboardInterrupt:
        note.write(_INTERRUPTED)
    except BaseException as error:  # ours: what users' code raises is among the findings
        show(error)
    finally:
        _leave(code)


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
