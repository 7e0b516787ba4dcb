"""The list of the Flows that run."""

from __future__ import annotations

from typing import Any

from jina.executors.missing import shown
from jina.launch.find import shortest
from jina.names import worker_name
from jina.terminal_text import one_line
from jinacli.screens.numbers import number, rough_duration
from jinacli.screens.table import Column, lines_of

_OF_FLOW = (Column("flow"), Column("state"), Column("up"))
_OF_WORKER = (
    Column("worker"),
    Column("pid", is_number=True),
    Column("state", may_break=True),
    Column("outstanding", is_number=True),
    Column("failed", is_number=True),
)
# Shown where they are wanted or known: key of a worker -> its column.
_MORE = {
    "threads": Column("threads", is_number=True),
    "python": Column("python", may_break=True),
    "devices": Column("GPU"),
    "machine": Column("machine"),
}
_FILE = Column("file", may_break=True)


def flow_lines(flows: list[dict[str, Any]], width: int, *, is_verbose: bool = False) -> list[str]:
    """The lines of `jina flow ps`: a row for each worker of each Flow.

    Args:
        flows: as `jina flow ps --json` describes them.
        width: of the screen.
        is_verbose: with the threads that each worker may use, and its interpreter.
    """
    has_devices = any(worker.get("devices") for flow in flows for worker in flow["workers"])
    is_remote = any(worker.get("machine") for flow in flows for worker in flow["workers"])
    more = ["machine"] * is_remote + ["threads", "python"] * is_verbose
    more += ["devices"] * has_devices
    of_worker = (*_OF_WORKER, *(_MORE[key] for key in more))
    rows = []
    for flow in flows:
        state = f"{flow['state']}, for a post" if flow["one_shot"] else flow["state"]
        first = (flow["name"], state, rough_duration(flow["uptime_s"]))
        last = one_line(shortest(flow["file"]))  # a byte of a name that is not text stays visible
        for row in _rows(flow, more) or [("",) * len(of_worker)]:
            rows.append((*first, *row, last))
            first, last = ("", "", ""), ""
    return lines_of((*_OF_FLOW, *of_worker, _FILE), rows, width)


def _rows(flow: dict[str, Any], more: list[str]) -> list[tuple[str, ...]]:
    """A row for each worker, then one for each node that has none left."""
    workers: list[tuple[str, ...]] = [
        (
            worker_name(worker["node"], worker["replica"], worker["shard"]),
            str(worker["pid"]),
            f"busy {rough_duration(worker['busy_s'])}" if worker["busy_s"] else worker["state"],
            str(worker["outstanding"]),
            number(worker["failures"]),
            *(_shown(worker.get(key)) for key in more),
        )
        for worker in flow["workers"]
    ]
    failed = flow.get("failed", {})
    workers = [
        (front["name"], str(front["pid"] or ""), front["state"], "", "", *[""] * len(more))
        for front in flow.get("fronts", [])
    ] + workers
    return workers + [
        (node, "", f"failed: {reason.splitlines()[0]}", "", "", *[""] * len(more))
        for node, reason in failed.items()
    ]


def _shown(value: Any) -> str:
    """A value as people read it; paths are relative to the current folder if they are below it."""
    return shown(one_line(value)) if isinstance(value, str) and value else str(value or "")
