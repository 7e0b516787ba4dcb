"""`jina flow status`: how a Flow is, from its supervisor; the exit code says whether it is well."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from jina.launch.asking import directory_of
from jina.launch.find import find_flow, uptime_s
from jina.launch.looking import Looker
from jina.launch.rundir import FlowRecord
from jina.runtime.facts import Report
from jinacli import exits


def show_status(wanted: str, *, as_json: bool) -> int:
    """Print how a Flow is.

    Args:
        wanted: name or file of the Flow; empty for the only one that runs.
        as_json: print JSON.

    Returns:
        0 if it is healthy, else 1.

    Raises:
        FlowError: no such Flow, or it does not answer.
    """
    record = find_flow(wanted, one_shots=True, as_in="jina flow status")
    directory = directory_of(record)
    with Looker(directory, record) as looker:
        report = looker.look()
    if as_json:
        print(json.dumps(described(directory, record, report), indent=2))
    else:
        # Late: only people need screens.
        from jinacli.screens.columns import screen_width
        from jinacli.screens.status import status_lines

        sys.stdout.write("\n".join(status_lines(record, report, screen_width())) + "\n")
    return exits.OK if report.state == "healthy" else exits.FAILED


def described(directory: Path, record: FlowRecord, report: Report) -> dict[str, Any]:
    """The report with what stands in the Flow's record, for scripts."""
    found = {
        "schema": "jina/status/v1",
        "name": record.name,
        "state": report.state,
        "problems": report.problems,
        "pid": record.pid,
        "uptime_s": round(uptime_s(record), 1),
        "file": record.file,
        "one_shot": record.is_one_shot,
        "addresses": record.addresses,
        "http": record.http,
        "directory": str(directory),
    }
    for part in ("gateway", "fronts", "nodes", "workers"):
        found[part] = _rounded(msgspec.to_builtins(getattr(report, part)))
    return found


def _rounded(value: Any) -> Any:
    """Milliseconds are exact enough for people and scripts."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value
