"""Measure the peak memory of client and gateway, which must not grow with the number of lines."""

from __future__ import annotations

from tests.bench.measure import peak_rss_bytes, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import flow_up

_MIB = 1 << 20


def run(options: Options) -> list[Table]:
    """Run each size once, in a Flow of its own, because a peak never goes down."""
    table = Table("Peak memory, MiB", ["lines", "client", "gateway", "worker", "supervisor"])
    peaks: list[dict[str, float]] = []
    for count in (options.docs, options.docs * 10):
        source = options.lines("ids", count)
        target = options.folder / "memory.out"
        with flow_up("one") as flow:
            sample = run_client(
                flow.post("/upper", source, target), flow.processes, env=flow.env, watch_memory=True
            )
            peak = {role: peak_rss_bytes(pid) / _MIB for role, pid in flow.processes.items()}
        peak["client"] = sample.extra["peak_rss_bytes"] / _MIB
        peaks.append(peak)
        row = [peak[role] for role in ("client", "gateway", "worker", "supervisor")]
        table.rows.append([str(count), *row])
        target.unlink()
        if count != options.docs:
            source.unlink()
    small, large = peaks
    table.figures = [
        Figure(
            f"{role}: MiB more for ten times the lines",
            large[role] - small[role],
            8.0,
            is_difference=True,
        )
        for role in ("client", "gateway")
    ]
    table.samples = {"peaks": peaks}
    return [table]


CASES = [Case("memory", "Peak memory over a short and a long input", run)]
