"""`jina flow logs`: what a Flow has said, and what it says from now on."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jina.excepts import FlowTopologyError, SeveralFlows
from jina.launch.logreading import LogReader
from jina.launch.runlog import LogLine
from jina.runtime.pastruns import PastRun
from jina.suggest import nearest
from jina.terminal_text import escaped
from jinacli import exits
from jinacli.color import is_colored
from jinacli.flow.misnamed import misnamed
from jinacli.flow.runs import find_run
from jinacli.screens.errors import say, text_of
from jinacli.screens.prefixes import Prefixes

_LOOK_S = 0.1  # between looks at a log that is followed


@dataclass(frozen=True)
class Wanted:
    """Which lines are shown, and how.

    Attributes:
        names: Executors, or their processes; empty for all, and for the Flow's own lines.
        tail: the last lines; None for all.
        since_s: only lines that are not older.
        follows: go on until the Flow ends.
        has_prefix: show times and names.
        as_json: as they stand in the log.
    """

    names: tuple[str, ...] = ()
    tail: int | None = None
    since_s: float | None = None
    follows: bool = False
    has_prefix: bool = True
    as_json: bool = False


def show_logs(flow: str, wanted: Wanted) -> int:
    """Print the log of a Flow that runs, or of one that has ended.

    Args:
        flow: its name or file; empty for the only one that runs, or the last one that ran.
        wanted: which lines.

    Raises:
        FlowNotFound: there is none.
    """
    try:
        folder, run = find_run(flow)
    except SeveralFlows:
        if flow or (error := misnamed(wanted.names)) is None:
            raise
        say(text_of(error))
        return exits.USAGE
    if unknown := _unknown(wanted.names, run):
        say(text_of(unknown))
        return exits.USAGE
    show = _Lines(run, wanted)
    with LogReader(folder / "log") as reader:
        is_over = reader.is_over
        show(_last(filter(show.is_wanted, reader.read()), wanted.tail))
        while wanted.follows:
            show(filter(show.is_wanted, reader.read()))
            if is_over:
                break
            time.sleep(_LOOK_S)
            is_over = reader.is_over  # before it is read for the last time
    return exits.OK


class _Lines:
    """Prints lines."""

    def __init__(self, run: PastRun, wanted: Wanted) -> None:
        self._wanted = wanted
        self._after = 0.0 if wanted.since_s is None else time.time() - wanted.since_s
        self._prefixes = Prefixes(
            is_colored=is_colored(sys.stdout), names=[*run.workers, "gateway"]
        )
        self._is_today_only = time.time() - run.started_at < 43200

    def is_wanted(self, line: LogLine) -> bool:
        if line.at and line.at < self._after:
            return False
        return not self._wanted.names or any(
            line.worker == name or line.worker.startswith(f"{name}/") for name in self._wanted.names
        )

    def __call__(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            sys.stdout.write(f"{self._text(line)}\n")
        sys.stdout.flush()

    def _text(self, line: LogLine) -> str:
        if self._wanted.as_json:
            return json.dumps(
                {"at": line.at, "worker": line.worker, "kind": line.kind, "text": line.text}
            )
        if not self._wanted.has_prefix:
            return escaped(line.text)
        form = "%H:%M:%S" if self._is_today_only else "%Y-%m-%d %H:%M:%S"
        when = time.strftime(form, time.localtime(line.at)) if line.at else ""
        before = f"{when} {self._prefixes.before(line.worker)}"
        # The further lines of an event stand under the first one.
        return "\n".join(before + escaped(part) for part in line.text.split("\n"))


def _last(lines: Iterator[LogLine], tail: int | None) -> Iterable[LogLine]:
    return lines if tail is None else deque(lines, maxlen=tail)


def _unknown(names: Iterable[str], run: PastRun) -> FlowTopologyError | None:
    """Say which name is none of the Flow's."""
    known = {"gateway", "http", *run.workers, *(name.partition("/")[0] for name in run.workers)}
    known |= {name.rpartition("/")[0] for name in run.workers}
    for name in names:
        if name in known or name.partition("/")[0] in known:
            continue
        near = nearest(name, sorted(known))
        return misnamed([name]) or FlowTopologyError(
            f'the Flow "{run.name}" has no Executor "{name}"',
            hint=f'did you mean "{near}"?' if near else f"it has {', '.join(_nodes(run))}",
        )
    return None


def _nodes(run: PastRun) -> list[str]:
    return list(dict.fromkeys(name.partition("/")[0] for name in run.workers))
