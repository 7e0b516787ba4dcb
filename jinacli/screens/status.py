"""How a Flow is, for people: its health, a row for each process, and the last error."""

from __future__ import annotations

import time

from jina.launch.rundir import FlowRecord
from jina.runtime.facts import Report, WorkerReport
from jinacli.screens.amounts import count, duration, size
from jinacli.screens.table import Column, lines_of, wrapped

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
        f"{record.name} is {report.state}: up {duration(time.time() - record.started_at)}, "
        f"requests: {count(gateway.requests_done)} done, {count(gateway.failures)} failed"
    )
    lines = wrapped(head, width)
    for problem in report.problems:
        lines += wrapped(f"- {problem.splitlines()[0]}", width)
    lines += ["", *lines_of(_COLUMNS, list(_rows(report)), width)]
    if gateway.floating:
        oldest = duration(gateway.floating_oldest_s or 0)
        text = f"floating requests: {count(gateway.floating)}, the oldest for {oldest}"
        lines += ["", *wrapped(text, width)]
    if gateway.last_error:
        ago = duration(max(0.0, time.time() - gateway.last_error_at))
        lines += ["", *wrapped(f"last error, {ago} ago: {gateway.last_error}", width)]
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
            count(gateway.requests_held),
            _age(gateway.oldest_s),
            count(gateway.failures),
            count(gateway.restarts),
        )
    ]
    queues = {node.name: node.queued for node in report.nodes}
    for worker in report.workers:
        queue = queues.pop(worker.node, None)  # of the node: said once
        rows.append(
            (
                worker.name,
                state_words(worker),
                str(worker.pid or ""),
                size(worker.memory),
                "" if queue is None else count(queue),
                count(worker.outstanding),
                _age(worker.oldest_s),
                count(worker.failures),
                count(worker.restarts),
            )
        )
    return rows


def state_words(worker: WorkerReport) -> str:
    """What a worker is at, and for how long where that tells something."""
    if worker.state in _TIMED and worker.since_s:
        return f"{worker.state} {duration(worker.since_s)}"
    return worker.state


def _age(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)
