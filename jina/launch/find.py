"""Find a running Flow by name, by file, or because it is the only one."""

from __future__ import annotations

import difflib
import os
import time
from pathlib import Path

from jina.excepts import FlowNotFound
from jina.launch.rundir import FlowRecord, running

_LOOK_S = 0.02  # between looks at a Flow that is starting


def find_flow(wanted: str = "") -> FlowRecord:
    """The running Flow that is meant.

    Args:
        wanted: its name or the path of its YAML; "" for the only one that runs.

    Raises:
        FlowNotFound: none fits, or several do.
    """
    records = [record for _, record in running()]
    if not wanted:
        if len(records) == 1:
            return records[0]
        if not records:
            raise FlowNotFound(
                "no Flow is running",
                hint="start one with `jina flow up flow.yml`, or name a file with --flow flow.yml",
            )
        raise FlowNotFound(
            f"{len(records)} Flows are running, and none is named: {_listed(records)}",
            hint=f"choose one, as in --flow {records[0].name}",
        )
    path = os.path.realpath(wanted)
    found = [record for record in records if record.file and record.file == path] or [
        record for record in records if record.name == wanted
    ]
    if len(found) == 1:
        return found[0]
    if found:
        files = ", ".join(record.file or f"process {record.pid}" for record in found)
        raise FlowNotFound(
            f'{len(found)} running Flows are called "{wanted}": {files}',
            hint="name the file instead",
        )
    near = difflib.get_close_matches(wanted, [record.name for record in records], 1)
    raise FlowNotFound(
        f'no running Flow is called "{wanted}"',
        hint=f'did you mean "{near[0]}"?'
        if near
        else f"running: {_listed(records)}"
        if records
        else "none is running; start one with `jina flow up flow.yml`",
    )


def wait_until_ready(record: FlowRecord, timeout_s: float) -> FlowRecord:
    """Wait for a Flow that is still starting.

    Raises:
        FlowNotFound: it ended instead, or took too long.
    """
    deadline = time.monotonic() + timeout_s
    while not record.is_ready:
        if time.monotonic() > deadline:
            raise FlowNotFound(
                f'the Flow "{record.name}" is still starting after {timeout_s:g} s',
                hint="its own terminal says what it waits for",
            )
        time.sleep(_LOOK_S)
        found = [other for _, other in running() if other.pid == record.pid]
        if not found:
            raise FlowNotFound(f'the Flow "{record.name}" ended while it was starting')
        record = found[0]
    return record


def looks_like_file(wanted: str) -> bool:
    """Whether `--flow` names a file rather than a running Flow."""
    return wanted.endswith((".yml", ".yaml")) or os.sep in wanted or Path(wanted).is_file()


def _listed(records: list[FlowRecord]) -> str:
    return ", ".join(sorted(record.name for record in records))
