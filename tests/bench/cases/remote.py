"""An Executor on another machine beside one on this: tcp with keys beside a local socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client
from tests.bench.options import Case, Options, check_equal
from tests.bench.report import Figure, Table
from tests.bench.served import served_flow_up
from tests.bench.styles import STYLES
from tests.bench.subject import MEGABYTE, RunningFlow, flow_up, megabytes_argv

_BASE_DOCS = 100  # what so many lines cost is taken off
_DOCS_PER_MEGABYTE = 500  # of --docs, for each Document of 1 MB
_HERE, _THERE = "worker here, ipc", "through an agent, tcp with CURVE"
_MOST_CPU = 1.3
_LEAST_RATE = 25.0  # MB/s each way
_ROLES = ("gateway", "worker")
SHORT = "the quick brown fox jumps over the lazy dog"


def run(options: Options) -> list[Table]:
    """Measure short texts and Documents of 1 MB through both, in turns."""
    with flow_up("one") as here, served_flow_up(options.folder / "served") as there:
        flows = {_HERE: here, _THERE: there}
        return [
            _texts(options, flows, "short texts", _short),
            _texts(options, flows, STYLES["ids"].title, _with_tags),
            _megabytes(options, flows),
        ]


def _short(options: Options, count: int) -> Path:
    path = options.folder / f"short-{count}.jsonl"
    path.write_text("".join(f'{{"text": "{SHORT} {number}"}}\n' for number in range(count)))
    return path


def _with_tags(options: Options, count: int) -> Path:
    return options.lines("ids", count)


def _texts(
    options: Options,
    flows: Mapping[str, RunningFlow],
    title: str,
    lines: Callable[[Options, int], Path],
) -> Table:
    variants: dict[str, Callable[[], Sample]] = {}
    outputs = []
    for size in sorted({options.docs, _BASE_DOCS}):
        source = lines(options, size)
        for number, (name, flow) in enumerate(flows.items()):
            target = options.folder / f"remote-{number}-{size}.jsonl"
            outputs += [target] if size == options.docs else []
            post = flow.post("/upper", source, target)
            variants[f"{name}, {size}"] = partial(run_client, post, flow.processes, env=flow.env)
    samples = interleave(variants, options.repeats)
    check_equal(*outputs)
    more = max(1, options.docs - _BASE_DOCS)
    costs = {
        name: [
            {role: (long.cpu_s[role] - short.cpu_s[role]) / more * 1e6 for role in long.cpu_s}
            for long, short in zip(
                samples[f"{name}, {options.docs}"], samples[f"{name}, {_BASE_DOCS}"], strict=True
            )
        ]
        for name in flows
    }
    ratio = _ratio(costs)
    table = Table(
        f"{options.docs} {title}",
        ["CPU µs per Document", "client", *_ROLES, "gateway + worker", "÷ ipc", "wall s"],
        notes=[f"Per Document: what {options.docs} lines cost beyond {_BASE_DOCS}."],
    )
    for name, found in costs.items():
        roles = [median(one[role] for one in found) for role in ("client", *_ROLES)]
        wall = median(one.wall_s for one in samples[f"{name}, {options.docs}"])
        table.rows.append([name, *roles, _median_of_both(found), _own(name, ratio), wall])
    what = "CPU of gateway and worker, tcp with CURVE ÷ ipc"
    table.figures = [Figure(f"{title}: {what}", ratio, _MOST_CPU)]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return table


def _megabytes(options: Options, flows: Mapping[str, RunningFlow]) -> Table:
    count = max(4, options.docs // _DOCS_PER_MEGABYTE)
    samples = interleave(
        {
            name: partial(run_client, megabytes_argv(flow, count), flow.processes)
            for name, flow in flows.items()
        },
        options.repeats,
    )
    costs = {
        name: [{role: one.cpu_s[role] / count * 1e3 for role in _ROLES} for one in runs]
        for name, runs in samples.items()
    }
    rates = {
        name: [count * MEGABYTE / json.loads(one.output)["wall_s"] / 1e6 for one in runs]
        for name, runs in samples.items()
    }
    ratio = _ratio(costs)
    table = Table(
        f"{count} Documents of 1 MB, there and back",
        ["CPU ms per Document", *_ROLES, "gateway + worker", "÷ ipc", "MB/s each way"],
        notes=["The Executor reverses the bytes; the client checks them, within its time."],
    )
    for name, found in costs.items():
        roles = [median(one[role] for one in found) for role in _ROLES]
        both = _median_of_both(found)
        table.rows.append([name, *roles, both, _own(name, ratio), median(rates[name])])
    slowness = median(_LEAST_RATE / rate for rate in rates[_THERE])
    table.figures = [
        Figure(f"{_LEAST_RATE:g} MB/s ÷ Documents of 1 MB over tcp with CURVE", slowness, 1.0)
    ]
    table.samples = {
        name: [
            {"mb_per_s": rate, "cpu_s": one.cpu_s}
            for rate, one in zip(rates[name], runs, strict=True)
        ]
        for name, runs in samples.items()
    }
    return table


def _both(cost: Mapping[str, float]) -> float:
    return sum(cost[role] for role in _ROLES)


def _median_of_both(costs: list[dict[str, float]]) -> float:
    return median(map(_both, costs))


def _ratio(costs: Mapping[str, list[dict[str, float]]]) -> float:
    return median_ratio(map(_both, costs[_THERE]), map(_both, costs[_HERE]))


def _own(name: str, ratio: float) -> float:
    return ratio if name == _THERE else 1.0


CASES = [Case("remote", "An Executor on another machine: tcp with keys beside ipc", run)]
