"""The table of the Flows that run, and where the logs of those that ended are."""

from __future__ import annotations

import sys
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from jina.launch import rundir
from jina.launch.find import shortest
from jina.names import worker_name
from jina.runtime.lastlog import last_log_of
from jina.terminal_text import escaped
from jinacli.color import console_for
from jinacli.screens.errors import say

_WIDEST = 100_000  # columns; more than any row has
_FILE_WIDTH = 20  # columns that a file's name has at least, if it needs them; it may be broken


def show_flows(flows: list[dict[str, Any]]) -> None:
    """Print a row for each worker of each Flow.

    Args:
        flows: as `jina flow ps --json` describes them.
    """
    has_devices = any(worker.get("devices") for flow in flows for worker in flow["workers"])
    of_worker = ("worker", "pid", "state", "outstanding", *(("GPU",) if has_devices else ()))
    columns = ("flow", "state", "up", *of_worker, "file")
    table = Table(box=None)
    for column in columns:
        # Files tell apart what has one name: they are never shortened.
        table.add_column(column, no_wrap=column != "file", overflow="fold")
    for flow in flows:
        up = _duration(flow["uptime_s"])
        state = f"{flow['state']}, for a post" if flow["one_shot"] else flow["state"]
        first, last = (flow["name"], state, up), shortest(flow["file"])
        for whole_row in _rows(flow) or [("",) * 5]:
            row = whole_row[: len(of_worker)]
            # As text: a name in brackets is no mark-up.
            table.add_row(*(Text(escaped(cell)) for cell in (*first, *row, last)))
            first, last = ("", "", ""), ""
    width = None if sys.stdout.isatty() else _WIDEST
    console = console_for(sys.stdout, width=width, highlight=False)
    # A terminal too narrow for the other columns breaks the lines; rich would cut all cells.
    whole = console_for(sys.stdout, width=_WIDEST).measure(table).maximum
    files = max(cell_len(shortest(flow["file"])) for flow in flows)
    console.width = max(console.width, whole - files + min(files, _FILE_WIDTH))
    console.print(table)


def _rows(flow: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row for each worker, then one for each node that has none left."""
    workers: list[tuple[str, ...]] = [
        (
            worker_name(worker["node"], worker["replica"], worker["shard"]),
            str(worker["pid"]),
            worker["state"],
            str(worker["outstanding"]),
            worker.get("devices", ""),
        )
        for worker in flow["workers"]
    ]
    failed = flow.get("failed", {})
    return workers + [
        (node, "", f"failed: {reason.splitlines()[0]}", "", "") for node, reason in failed.items()
    ]


def _duration(seconds: float) -> str:
    whole = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def say_logs() -> None:
    """Say where the logs of Flows that ended by themselves are kept, if there are any."""
    for base in rundir.base_directories():
        if any(base.glob(last_log_of("*").name)):
            say(f"logs of Flows that ended by themselves: {base / last_log_of('*').name}")
