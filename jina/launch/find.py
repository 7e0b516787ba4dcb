"""Find a running Flow by name, by file, or because it is the only one."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path

from jina.excepts import FlowNotFound, SeveralFlows
from jina.launch.rundir import FlowRecord, running, started_at_ticks
from jina.suggest import nearest

_LOOK_S = 0.02  # between looks at a Flow that is starting


def find_flow(wanted: str = "", *, one_shots: bool = False, as_in: str = "--flow") -> FlowRecord:
    """Find the running Flow that the user means.

    Args:
        wanted: its name or the path of its YAML; "" for the only one that runs.
        one_shots: count Flows that were started for one command too. They end with that command,
            so nobody can rely on them.
        as_in: how this command lets the user name a Flow, for the hint.

    Raises:
        FlowNotFound: none fits.
        SeveralFlows: one of those, when several fit.
    """
    records = [record for _, record in running() if one_shots or not record.is_one_shot]
    if not wanted:
        if len(records) == 1:
            return records[0]
        if not records:
            raise FlowNotFound(
                "no Flow is running",
                hint="start one with `jina flow up flow.yml`, or use --flow flow.yml",
            )
        raise SeveralFlows(
            f"{len(records)} Flows are running: {_listed(records)}",
            hint=f"choose one, as in {as_in} {_handle(records[0], records)}",
        )
    path = _absolute(wanted)
    found = [record for record in records if record.file and record.file == path] or [
        record for record in records if record.name == wanted
    ]
    if len(found) == 1:
        return found[0]
    if found:
        files = [record.file for record in found if record.file]
        raise SeveralFlows(
            f'{len(found)} running Flows are named "{wanted}": '
            + ", ".join(record.file or f"process {record.pid}" for record in found),
            hint=f"use the file instead, as in {shortest(files[0])}"
            if files
            else "use the address instead; `jina flow ps --json` lists it",
        )
    if os.path.isfile(path):  # another Flow of a similar name is not meant
        raise FlowNotFound(
            f"{shortest(wanted)} is not running",
            hint=f"running: {_listed(records)}"
            if records
            else f"start it with `jina flow up {shlex.quote(wanted)}`",
        )
    near = nearest(wanted, [record.name for record in records])
    raise FlowNotFound(
        f'no running Flow is named "{wanted}"',
        hint=f'did you mean "{near}"?'
        if near
        else f"running: {_listed(records)}"
        if records
        else "none is running; start one with `jina flow up flow.yml`",
    )


def wait_until_ready(
    record: FlowRecord, timeout_s: float, tell: Callable[[float], None] = lambda seconds: None
) -> FlowRecord:
    """Wait for a Flow that is still starting.

    Args:
        record: of the Flow.
        timeout_s: how long.
        tell: called now and then with how long that has been.

    Raises:
        FlowNotFound: it ended instead, or took too long.
    """
    began = time.monotonic()
    while not record.is_ready:
        tell(time.monotonic() - began)
        if time.monotonic() - began > timeout_s:
            raise FlowNotFound(
                f'the Flow "{record.name}" is still starting after {timeout_s:g} s',
                hint="see its terminal for what it is waiting for",
            )
        time.sleep(_LOOK_S)
        found = [other for _, other in running() if other.pid == record.pid]
        if not found:
            raise FlowNotFound(f'the Flow "{record.name}" ended while it was starting')
        record = found[0]
    return record


def uptime_s(record: FlowRecord) -> float:
    """Seconds since a Flow's supervisor was started, also where the clock was set meanwhile."""
    ticks = started_at_ticks(record.pid)
    if not ticks:  # it is gone
        return time.time() - record.started_at
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def looks_like_file(wanted: str) -> bool:
    """Whether `--flow` names a file rather than a running Flow."""
    return wanted.endswith((".yml", ".yaml")) or os.sep in wanted or Path(wanted).is_file()


def _listed(records: list[FlowRecord]) -> str:
    return ", ".join(sorted(_handle(record, records) for record in records))


def _handle(record: FlowRecord, records: list[FlowRecord]) -> str:
    """What the user can call a Flow: its name, or its file where several have that name."""
    if sum(other.name == record.name for other in records) == 1 or not record.file:
        return record.name
    return shortest(record.file)


def shortest(file: str) -> str:
    """A path relative to the current folder, if that is shorter; "" stays ""."""
    try:
        relative = os.path.relpath(file) if file else ""
    except FileNotFoundError:  # the current folder was removed, so no path is relative to it
        return file
    return relative if len(relative) < len(file) else file


def _absolute(path: str) -> str:
    try:
        return os.path.realpath(path)
    except FileNotFoundError:  # the current folder was removed, so that no file is meant
        return ""
