"""The live screen of `jina flow top`: rate, latency, queue and memory, by Executor and front."""

from __future__ import annotations

from typing import NamedTuple

from jina.launch.find import uptime_s
from jina.launch.rundir import FlowRecord
from jina.runtime.facts import Report, WorkerReport
from jina.terminal_text import cell
from jinacli.screens.columns import wrapped
from jinacli.screens.numbers import number, rough_duration, size
from jinacli.screens.table import Column, lines_of

_COLUMNS = (
    Column("executor"),
    Column("state"),
    Column("docs/s", is_number=True),
    Column("calls/s", is_number=True),
    Column("latency", is_number=True),
    Column("busy", is_number=True),
    Column("queue", is_number=True),
    Column("oldest", is_number=True),
    Column("memory", is_number=True),
    Column("failed", is_number=True),
)
_FRONT_COLUMNS = (
    Column("http"),
    Column("state"),
    Column("requests/s", is_number=True),
    Column("in progress", is_number=True),
    Column("memory", is_number=True),
    Column("restarts", is_number=True),
)
_SMALL = ("executor", "state", "docs/s", "latency", "queue", "memory")  # for a narrow screen


class Sample(NamedTuple):
    """A report, and when it came, on the monotonic clock."""

    report: Report
    at: float


class Flow(NamedTuple):
    """What a node did between two samples."""

    docs: int
    calls: int
    busy_s: float


def top_lines(
    record: FlowRecord, before: Sample | None, now: Sample, width: int, height: int
) -> list[str]:
    """The lines of the screen.

    Args:
        record: of the Flow.
        before: an earlier sample, for the rates; None at first.
        now: the latest one.
        width: columns of the screen.
        height: rows of the screen; what does not fit is counted.
    """
    report, gateway = now.report, now.report.gateway
    seconds = now.at - before.at if before else 0.0
    rate = ""
    if before and seconds > 0:
        done = max(0, gateway.requests_done - before.report.gateway.requests_done)
        rate = f"{_rate(done / seconds)} requests/s, "
    head = (
        f"{record.name} is {report.state}: "
        f"up {rough_duration(uptime_s(record))}, {rate}"
        f"{number(gateway.requests_held)} in progress, {number(gateway.failures)} failed"
    )
    lines = wrapped(cell(head), width)
    lines += [f"- {problem.splitlines()[0]}"[:width] for problem in report.problems[:3]]
    rows = _rows(report, before.report if before else None, seconds)
    table = lines_of(_COLUMNS, rows, width)
    if table and table[0].split()[:1] != ["executor"]:  # too wide: the columns that count most
        places = [place for place, column in enumerate(_COLUMNS) if column.head in _SMALL]
        small = [[row[place] for place in places] for row in rows]
        table = lines_of([_COLUMNS[place] for place in places], small, width)
    lines += ["", *table]
    if report.fronts:
        fronts = _front_rows(report, before.report if before else None, seconds)
        lines += ["", *lines_of(_FRONT_COLUMNS, fronts, width)]
    if gateway.last_error:
        lines += ["", *wrapped(cell(f"last error: {gateway.last_error}"), width)[:2]]
    foot = ["", "q quits"]
    room = max(1, height - len(foot) - 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"... {len(lines) - room + 1} more lines"]
    return lines + foot


def _rows(report: Report, before: Report | None, seconds: float) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for node in report.nodes:
        workers = [worker for worker in report.workers if worker.node == node.name]
        done = _done(workers, before)
        has_rate = before is not None and seconds > 0
        busy = _busy(workers, before, seconds) if has_rate else 0.0
        rows.append(
            (
                node.name,
                _state(workers),
                _rate(done.docs / seconds) if has_rate else "",
                _rate(done.calls / seconds) if has_rate else "",
                _milliseconds(done.busy_s / done.calls) if done.calls else "",
                f"{100 * busy:.0f}%" if has_rate else "",
                number(node.queued),
                "" if node.oldest_s is None else rough_duration(node.oldest_s),
                size(sum(worker.memory for worker in workers)),
                number(node.failures),
            )
        )
    return rows


def _front_rows(report: Report, before: Report | None, seconds: float) -> list[tuple[str, ...]]:
    old = {front.name: front.requests_done for front in before.fronts} if before else {}
    return [
        (
            front.name,
            front.state,
            _rate(max(0, front.requests_done - old[front.name]) / seconds)
            if front.name in old and seconds > 0
            else "",
            number(front.requests_held),
            size(front.memory),
            number(front.restarts),
        )
        for front in report.fronts
    ]


def _done(workers: list[WorkerReport], before: Report | None) -> Flow:
    """What these processes did since, or since they started."""
    old = {worker.pid: worker for worker in before.workers} if before else {}
    docs = calls = 0
    busy_s = 0.0
    for worker in workers:
        was = old.get(worker.pid)
        docs += worker.docs - (was.docs if was else 0)
        calls += worker.calls - (was.calls if was else 0)
        busy_s += worker.busy_s - (was.busy_s if was else 0.0)
    return Flow(docs, calls, busy_s)


def _busy(workers: list[WorkerReport], before: Report | None, seconds: float) -> float:
    """The part of the time that these processes were in a call, the running one included."""
    done = _done(workers, before).busy_s
    old = {worker.pid: worker for worker in before.workers} if before else {}
    for worker in workers:
        if worker.state == "busy":
            done += min(worker.since_s, seconds)
        was = old.get(worker.pid)
        if was is not None and was.state == "busy" and worker.calls > was.calls:
            done -= was.since_s  # counted at the sample before
    return min(1.0, max(0.0, done / seconds / max(1, len(workers))))


def _state(workers: list[WorkerReport]) -> str:
    """How many processes are in which state: `2 busy, 1 ready`, or just `ready`."""
    counts: dict[str, int] = {}
    for worker in workers:
        counts[worker.state] = counts.get(worker.state, 0) + 1
    if len(counts) == 1 and len(workers) == 1:
        return next(iter(counts))
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))


def _rate(per_second: float) -> str:
    return number(per_second) if per_second >= 10 or not per_second else f"{per_second:.1f}"


def _milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"
