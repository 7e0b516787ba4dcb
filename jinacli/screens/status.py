"""How a Flow is, for people: its health, a row for each process, and the last error."""

from __future__ import annotations

import time

from jina.launch.find import uptime_s
from jina.launch.rundir import FlowRecord
from jina.runtime.facts import Report, WorkerReport
from jina.terminal_text import cell
from jinacli.screens.columns import wrapped
from jinacli.screens.numbers import number, rough_duration, size
from jinacli.screens.table import Column, lines_of

_COLUMNS = (
    Column("process"),
    Column("state"),
    Column("pid", is_number=True),
    Column("memory", is_number=True),
    Column("queue", is_number=True),
    Column("in progress", is_number=True),
    Column("oldest", is_number=True),
    Column("failed", is_number=True),
    Column("restarts", is_number=True),
)
_TIMED = ("busy", "loading", "silent")


def status_lines(record: FlowRecord, report: Report, width: int) -> list[str]:
    """What `jina flow status` prints.

    Args:
        record: of the Flow.
        report: its supervisor's.
        width: of the screen.
    """
    gateway = report.gateway
    head = (
        f"{record.name} is {report.state}: up {rough_duration(uptime_s(record))}, "
        f"requests: {number(gateway.requests_done)} done, {number(gateway.failures)} failed"
    )
    lines = wrapped(cell(head), width)
    if record.http:
        lines += wrapped(cell(f"HTTP: {record.http}"), width)
    for problem in report.problems:
        lines += wrapped(cell(f"- {problem.splitlines()[0]}"), width)
    lines += ["", *lines_of(_COLUMNS, list(_rows(report)), width)]
    if gateway.floating:
        oldest = rough_duration(gateway.floating_oldest_s or 0)
        text = f"floating requests: {number(gateway.floating)}, the oldest for {oldest}"
        lines += ["", *wrapped(cell(text), width)]
    if gateway.last_error:
        ago = rough_duration(max(0.0, time.time() - gateway.last_error_at))
        lines += ["", *wrapped(cell(f"last error, {ago} ago: {gateway.last_error}"), width)]
    return lines


def _rows(report: Report) -> list[tuple[str, ...]]:
    gateway = report.gateway
    rows: list[tuple[str, ...]] = [
        (
            "gateway",
            gateway.state,
            str(gateway.pid or ""),
            size(gateway.memory),
            "",
            number(gateway.requests_held),
            _age(gateway.oldest_s),
            number(gateway.failures),
            number(gateway.restarts),
        )
    ]
    for front in report.fronts:
        pid, restarts = str(front.pid or ""), number(front.restarts)
        held = number(front.requests_held)
        rows.append((front.name, front.state, pid, size(front.memory), "", held, "", "", restarts))
    queues = {node.name: node.queued for node in report.nodes}
    for worker in report.workers:
        queue = queues.pop(worker.node, None)  # of the node: said once
        rows.append(
            (
                f"{worker.name} on {worker.machine}" if worker.machine else worker.name,
                state_words(worker),
                str(worker.pid or ""),
                size(worker.memory),
                "" if queue is None else number(queue),
                number(worker.outstanding),
                _age(worker.oldest_s),
                number(worker.failures),
                number(worker.restarts),
            )
        )
    return rows


def state_words(worker: WorkerReport) -> str:
    """What a worker is at, and for how long where that tells something."""
    if worker.state in _TIMED and worker.since_s:
        return f"{worker.state} {rough_duration(worker.since_s)}"
    return worker.state


def _age(seconds: float | None) -> str:
    return "" if seconds is None else rough_duration(seconds)
