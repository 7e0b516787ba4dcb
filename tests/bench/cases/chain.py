"""Compare chains of three Executors, where all or one serve the endpoint, with one Executor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client
from tests.bench.options import Case, Options, check_equal
from tests.bench.report import Figure, Table
from tests.bench.subject import flow_up

_BASE_DOCS = 100
_FLOWS = {
    "one": "one Executor",
    "three_one_bound": "three, one bound",
    "three": "three, all bound",
}


def run(options: Options) -> list[Table]:
    """Return the CPU per Document of each Flow beyond the first hundred lines."""
    sizes = (options.docs, _BASE_DOCS)
    variants: dict[str, Callable[[], Sample]] = {}
    outputs: list[Path] = []
    with ExitStack() as stack:
        for name in _FLOWS:
            flow = stack.enter_context(flow_up(name))
            for size in sizes:
                out = options.folder / f"chain-{name}-{size}.out"
                if size == options.docs:
                    outputs.append(out)
                argv = flow.post("/upper", options.lines("ids", size), out)
                variants[f"{name} {size}"] = partial(run_client, argv, flow.processes, env=flow.env)
        samples = interleave(variants, options.repeats)
    check_equal(*outputs)
    per_doc = {
        name: [
            (full.total_cpu_s - base.total_cpu_s) / max(1, options.docs - _BASE_DOCS) * 1e6
            for full, base in zip(
                samples[f"{name} {options.docs}"], samples[f"{name} {_BASE_DOCS}"], strict=True
            )
        ]
        for name in _FLOWS
    }
    table = Table(
        f"Chains, {options.docs} lines with id, text and tags",
        ["CPU µs per Document", "all", "÷ one", "wall s"],
    )
    ratios = {name: median_ratio(per_doc[name], per_doc["one"]) for name in _FLOWS}
    for name, title in _FLOWS.items():
        wall = median(one.wall_s for one in samples[f"{name} {options.docs}"])
        table.rows.append([title, median(per_doc[name]), ratios[name], wall])
    table.figures = [Figure("three, one bound ÷ one", ratios["three_one_bound"], 1.15)]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return [table]


CASES = [Case("chain", "Three Executors in a row, bound and unbound", run)]
