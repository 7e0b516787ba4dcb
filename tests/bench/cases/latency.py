"""One Document at a time: the round trip through gateway and Executor."""

from __future__ import annotations

import json
import sys

from tests.bench.measure import Sample, interleave, median, run_client, server
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import flow_up, latency_argv

_BODY_BYTES = 300  # as large as the Document is on the wire


def run(options: Options) -> list[Table]:
    """Measure p50 and p99 of the Flow and of a bare DEALER-ROUTER pair."""
    count = options.round_trips
    address = f"ipc://{options.folder}/latency"
    echo_argv = [
        sys.executable, "-m", "tests.bench.rivals.echo", "latency", address,
        str(_BODY_BYTES), str(count),
    ]  # fmt: skip
    with (
        flow_up("one") as flow,
        server("tests.bench.rivals.echo", "frames", address) as echo,
    ):
        samples = interleave(
            {
                "jina session": lambda: run_client(
                    latency_argv("session", flow, count), flow.processes
                ),
                "jina Client.post": lambda: run_client(
                    latency_argv("post", flow, count), flow.processes
                ),
                "raw round trip": lambda: run_client(echo_argv, {"worker": echo}),
            },
            options.repeats,
        )
    table = Table(
        f"One Document at a time, {count} round trips in each of {options.repeats} runs",
        ["round trip µs", "p50", "p99", "p50 ÷ raw", "p99 ÷ raw"],
    )
    p50 = {name: [_quantile(one, 0.5) for one in runs] for name, runs in samples.items()}
    p99 = {name: [_quantile(one, 0.99) for one in runs] for name, runs in samples.items()}
    raw = "raw round trip"
    for name in samples:
        table.rows.append(
            [
                name,
                median(p50[name]),
                median(p99[name]),
                _ratio(p50, name, raw),
                _ratio(p99, name, raw),
            ]
        )
    table.notes.append(
        '"session" keeps its connection; "Client.post" is one call of the API per Document.'
    )
    table.figures = [
        Figure(f"p50 ÷ raw round trip, {name}", _ratio(p50, name, raw), 4.0)
        for name in samples
        if name != raw
    ]
    table.samples = {
        name: [{"p50": a, "p99": b} for a, b in zip(p50[name], p99[name], strict=True)]
        for name in samples
    }
    return [table]


def _quantile(sample: Sample, part: float) -> float:
    """Return a percentile of the second half of a run's round trips; the first half warms up."""
    times = json.loads(sample.output)
    times = sorted(times[len(times) // 2 :])
    return float(times[min(len(times) - 1, int(len(times) * part))])


def _ratio(values: dict[str, list[float]], name: str, other: str) -> float:
    return median(a / b for a, b in zip(values[name], values[other], strict=True))


CASES = [Case("latency", "One Document at a time through gateway and Executor", run)]
