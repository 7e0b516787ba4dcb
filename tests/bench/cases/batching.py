"""Many clients of one Document each, with and without dynamic batching."""

from __future__ import annotations

import json
from functools import partial

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import crowd_argv, flow_up

_CLIENTS = 64
_CALL_MS = 5.0  # what a call costs, however many Documents it gets
_TIMEOUT_MS = 10.0  # of the Flow's YAML
_ENDPOINTS = {"/alone": "a call for each", "/together": "batched, 64 or 10 ms"}


def run(options: Options) -> list[Table]:
    """Return throughput and latency of both."""
    rounds = max(2, options.docs // (_CLIENTS * 20))
    with flow_up("batching") as flow:
        variants = {}
        for endpoint in _ENDPOINTS:
            count = rounds if endpoint == "/together" else max(2, rounds // 20)
            argv = crowd_argv(flow, endpoint, _CLIENTS, count)
            variants[endpoint] = partial(run_client, argv, flow.processes)
        samples = interleave(variants, options.repeats)
    found = {name: [_figures(sample) for sample in runs] for name, runs in samples.items()}
    table = Table(
        f"{_CLIENTS} clients, one Document each at a time, {_CALL_MS:g} ms a call",
        ["Executor", "Documents/s", "÷ a call for each", "p50 ms", "p99 ms"],
    )
    rates = {name: [one["rate"] for one in runs] for name, runs in found.items()}
    for name, title in _ENDPOINTS.items():
        table.rows.append(
            [
                title,
                median(rates[name]),
                median_ratio(rates[name], rates["/alone"]),
                median(one["p50"] for one in found[name]),
                median(one["p99"] for one in found[name]),
            ]
        )
    table.figures = [
        Figure(
            "throughput of a call for each ÷ batched, times 20",
            20 * median_ratio(rates["/alone"], rates["/together"]),
            1.0,
        ),
        Figure(
            "p99 ms, batched",
            median(one["p99"] for one in found["/together"]),
            2 * _TIMEOUT_MS + _CALL_MS,
        ),
    ]
    table.samples = {name: list(runs) for name, runs in found.items()}
    return [table]


def _figures(sample: Sample) -> dict[str, float]:
    told = json.loads(sample.output)
    times = sorted(told["ms"])
    return {
        "rate": len(times) / told["wall_s"],
        "p50": times[len(times) // 2],
        "p99": times[min(len(times) - 1, int(len(times) * 0.99))],
    }


CASES = [Case("batching", "Many clients of one Document each, with dynamic batching", run)]
