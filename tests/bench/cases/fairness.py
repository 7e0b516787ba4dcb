"""A search beside a bulk post: one Document at a time, through a node that others keep busy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.measure import ROOT, Sample, interleave, median, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import SERVICE_MS, RunningFlow, bulk_argv, flow_up, search_argv

_MOST = 400  # searches in a run


def run(options: Options) -> list[Table]:
    """Measure p50 and p99 of a search, alone and beside a post that never ends."""
    count = min(_MOST, options.round_trips)
    with flow_up("one") as flow:

        def alone() -> Sample:
            return run_client(search_argv(flow, count), flow.processes)

        def beside() -> Sample:
            with _bulk_post(flow):
                return alone()

        samples = interleave({"alone": alone, "beside a bulk post": beside}, options.repeats)
    table = Table(
        f"A search whose Executor takes {SERVICE_MS} ms, {count} in each of {options.repeats} runs",
        ["ms", "p50", "p99"],
    )
    p50 = {name: [_quantile(one, 0.5) for one in runs] for name, runs in samples.items()}
    p99 = {name: [_quantile(one, 0.99) for one in runs] for name, runs in samples.items()}
    table.rows = [[name, median(p50[name]), median(p99[name])] for name in samples]
    table.notes.append(
        f"The post has 16 requests of 100 Documents under way; each takes {SERVICE_MS} ms too."
    )
    idle, busy = p99.values()
    ratios = [mine / (3 * other + SERVICE_MS) for mine, other in zip(busy, idle, strict=True)]
    table.figures = [Figure("p99 ÷ (3 x p99 alone + one call)", median(ratios), 1.0)]
    table.samples = {
        name: [{"p50": a, "p99": b} for a, b in zip(p50[name], p99[name], strict=True)]
        for name in samples
    }
    return [table]


@contextmanager
def _bulk_post(flow: RunningFlow) -> Iterator[None]:
    """Keep a client posting; it says when it is under way."""
    process = subprocess.Popen(bulk_argv(flow), cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.communicate()


def _quantile(sample: Sample, part: float) -> float:
    """A percentile of a run's searches; the first tenth warms up."""
    times = json.loads(sample.output)
    times = sorted(times[len(times) // 10 :])
    return float(times[min(len(times) - 1, int(len(times) * part))])


CASES = [Case("fairness", "A search beside a bulk post through the same Executor", run)]
