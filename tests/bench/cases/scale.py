"""Throughput while a Flow is scaled from 2 replicas to 4 and back."""

from __future__ import annotations

import bisect
import json
from collections.abc import Sequence

from tests.bench.measure import interleave, median, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import flow_up, scale_argv

_WINDOW_S = 0.25  # of the lowest throughput; some 100 requests of 5 ms each at two replicas
_SETTLE_S = 0.1  # at the beginning, which is not looked at


def run(options: Options) -> list[Table]:
    """Measure the throughput of each phase, and the lowest one while the Flow is changed."""
    phase_s = max(0.4, min(2.0, options.docs / 50_000))
    with flow_up("two_replicas") as flow:
        samples = interleave(
            {"scale": lambda: run_client(scale_argv(flow, phase_s), flow.processes)},
            options.repeats,
        )
    runs = [_rates(**json.loads(sample.output)) for sample in samples["scale"]]
    table = Table(
        f"2 -> 4 -> 2 replicas under load, {options.repeats} runs; a request takes 5 ms",
        ["requests per second", "all", "lowest in 250 ms", "lowest ÷ 2 replicas"],
    )
    for phase in runs[0]:
        rates = [one[phase] for one in runs]
        ratio = median(one[phase][1] / one["2 replicas"][0] for one in runs)
        table.rows.append(
            [phase, median(rate for rate, _ in rates), median(low for _, low in rates), ratio]
        )
    changing = ("scaling to 4", "scaling to 2")
    dip = median(
        1 - min(one[phase][1] for phase in changing) / one["2 replicas"][0] for one in runs
    )
    table.figures = [Figure("throughput lost at worst while scaling", dip, 0.5, True)]
    table.notes.append(
        "No request fails. While two more interpreters start, they take processor time from the"
        " rest; ending them costs nothing."
    )
    table.samples = {"scale": [dict(one) for one in runs]}
    return [table]


def _rates(answers: Sequence[float], ends: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Of each phase: requests per second, all in all and in its worst window."""
    phases = {
        "2 replicas": (_SETTLE_S, ends["before 4"]),
        "scaling to 4": (ends["before 4"], ends["to 4"]),
        "4 replicas": (ends["to 4"], ends["before 2"]),
        "scaling to 2": (ends["before 2"], ends["to 2"]),
        "2 again": (ends["to 2"], ends["end"]),
    }
    return {
        name: (_rate(answers, begin, end), _lowest(answers, begin, end))
        for name, (begin, end) in phases.items()
    }


def _rate(answers: Sequence[float], begin: float, end: float) -> float:
    return (bisect.bisect(answers, end) - bisect.bisect(answers, begin)) / (end - begin)


def _lowest(answers: Sequence[float], begin: float, end: float) -> float:
    """In the worst window; they begin 25 ms apart, and one may reach beyond a short phase."""
    starts = [begin]
    while starts[-1] + _WINDOW_S / 10 < end - _WINDOW_S:
        starts.append(starts[-1] + _WINDOW_S / 10)
    return min(_rate(answers, start, start + _WINDOW_S) for start in starts)


CASES = [Case("scale", "A Flow that is scaled while it is posted to", run)]
