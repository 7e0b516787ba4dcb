"""`jina flow list`: the runs of Flows, those that run and those that have ended."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jina.launch import rundir
from jina.launch.rundir import FlowRecord
from jina.runtime.pastruns import PastRun, all_runs
from jinacli.screens.errors import say


def list_runs(*, as_json: bool, names_only: bool, limit: int | None) -> None:
    """List runs, the newest first.

    Args:
        as_json: print JSON.
        names_only: print only the names of the Flows, each once.
        limit: the newest ones; None for all.
    """
    records = {record.pid: record for _, record in rundir.running()}
    runs = [_described(folder, run, records) for folder, run in all_runs()]
    if limit is not None:
        runs = runs[:limit]
    if names_only:
        for name in dict.fromkeys(run["name"] for run in runs):
            print(name)
    elif as_json:
        print(json.dumps({"schema": "jina/runs/v1", "runs": runs}, indent=2))
    elif runs:
        # Late: only people need screens.
        from jinacli.screens.columns import screen_width
        from jinacli.screens.runs import run_lines

        sys.stdout.write("\n".join(run_lines(runs, screen_width())) + "\n")
    else:
        say("no Flow has run so far")


def _described(folder: Path, run: PastRun, records: dict[int, FlowRecord]) -> dict[str, Any]:
    record = records.get(run.pid) if not run.ended_at else None
    state = "running" if not run.ended_at else run.ending
    if record is not None and not record.is_ready:
        state = "starting"
    return {
        "name": run.name,
        "state": state,
        "reason": run.reason,
        "killed": run.killed,
        "started_at": run.started_at,
        "ended_at": run.ended_at or None,
        "pid": run.pid,
        "file": run.file,
        "workers": run.workers,
        "log": str(folder / "log"),
    }
