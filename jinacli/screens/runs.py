"""The list of runs, for people."""

from __future__ import annotations

import time
from typing import Any

from jina.launch.find import shortest
from jinacli.screens.numbers import rough_duration
from jinacli.screens.table import Column, lines_of

_COLUMNS = (
    Column("flow"),
    Column("state"),
    Column("started"),
    Column("for", is_number=True),
    Column("why", may_break=True),
    Column("file", may_break=True),
)


def run_lines(runs: list[dict[str, Any]], width: int) -> list[str]:
    """What `jina flow list` prints.

    Args:
        runs: as `jina flow list --json` describes them.
        width: of the screen.
    """
    now = time.time()
    rows = [
        (
            run["name"],
            run["state"],
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run["started_at"])),
            rough_duration((run["ended_at"] or now) - run["started_at"]),
            _why(run),
            shortest(run["file"]),
        )
        for run in runs
    ]
    return lines_of(_COLUMNS, rows, width)


def _why(run: dict[str, Any]) -> str:
    if run["killed"]:
        return f"killed: {', '.join(run['killed'])}"
    return str(run["reason"])
