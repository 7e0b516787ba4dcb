"""Compare chains of three Executors, where all or one serve the endpoint, with one Executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

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


class Costs(NamedTuple):
    """What Flows cost, each with as many figures as there were turns.

    Args:
        per_doc: Flow -> CPU µs per Document beyond the first hundred lines.
        samples: Flow and size -> every run.
    """

    per_doc: dict[str, list[float]]
    samples: dict[str, list[Sample]]

    def table(self, title: str, options: Options, flows: Mapping[str, str]) -> Table:
        """A row for each Flow, compared with the one called "one"."""
        table = Table(
            f"{title}, {options.docs} lines with id, text and tags",
            ["CPU µs per Document", "all", "÷ one", "wall s"],
        )
        for name, words in flows.items():
            wall = median(one.wall_s for one in self.samples[f"{name} {options.docs}"])
            table.rows.append([words, median(self.per_doc[name]), self.ratio(name), wall])
        table.samples = {
            name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
            for name, runs in self.samples.items()
        }
        return table

    def ratio(self, name: str) -> float:
        """How many times the Flow called "one"."""
        return median_ratio(self.per_doc[name], self.per_doc["one"])


def costs(options: Options, flows: Iterable[str]) -> Costs:
    """Post the same lines through each Flow, in turns; their outputs must be equal."""
    sizes = (options.docs, _BASE_DOCS)
    variants: dict[str, Callable[[], Sample]] = {}
    outputs: list[Path] = []
    with ExitStack() as stack:
        for name in flows:
            flow = stack.enter_context(flow_up(name))
            for size in sizes:
                out = options.folder / f"{name}-{size}.out"
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
        for name in flows
    }
    return Costs(per_doc, samples)


def run(options: Options) -> list[Table]:
    """Return the CPU per Document of each Flow beyond the first hundred lines."""
    found = costs(options, _FLOWS)
    table = found.table("Chains", options, _FLOWS)
    table.figures = [Figure("three, one bound ÷ one", found.ratio("three_one_bound"), 1.15)]
    return [table]


CASES = [Case("chain", "Three Executors in a row, bound and unbound", run)]
