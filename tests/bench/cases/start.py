"""From nothing to ready: a Flow against bare interpreters, `--help` against a bare program's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench import rivals
from tests.bench.measure import interleave, median, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import flow_up, jina_command, start_argv, worker_packages


def run_flow(options: Options) -> list[Table]:
    """A Flow of one small Executor: its start to ready."""
    with flow_up("one") as flow:
        packages = worker_packages(flow)
    processes = int(json.loads(run_client(start_argv("one")).output)["processes"])
    module = "tests.bench.rivals.bare_interpreters"
    bare = [sys.executable, "-m", module, str(processes), *packages]
    samples = interleave(
        {
            "jina Flow of one Executor": lambda: run_client(start_argv("one")),
            f"{processes} bare interpreters": lambda: run_client(bare),
        },
        options.repeats,
    )
    (flow_name, flow_runs), (bare_name, bare_runs) = (
        (name, [json.loads(one.output) for one in runs]) for name, runs in samples.items()
    )
    table = Table(
        "Start to ready, in a process that is up",
        ["", "wall ms", "CPU ms", "wall ÷ bare", "CPU ÷ bare"],
    )
    ratios = {
        what: median(a[what] / b[what] for a, b in zip(flow_runs, bare_runs, strict=True))
        for what in ("wall_s", "cpu_s")
    }
    for name, runs, shown in (
        (flow_name, flow_runs, [ratios["wall_s"], ratios["cpu_s"]]),
        (bare_name, bare_runs, [1.0, 1.0]),
    ):
        times = [median(one[what] for one in runs) * 1e3 for what in ("wall_s", "cpu_s")]
        table.rows.append([name, *times, *shown])
    table.notes.append(
        f"The bare interpreters import what a worker imports: {', '.join(packages)}."
    )
    table.figures = [
        Figure("start to ready, wall ÷ bare interpreters", ratios["wall_s"], 2.0),
        Figure("start to ready, CPU ÷ bare interpreters", ratios["cpu_s"], 2.0),
    ]
    table.samples = {flow_name: flow_runs, bare_name: bare_runs}
    return [table]


def run_help(options: Options) -> list[Table]:
    """`jina --help` against the smallest typer program with two commands."""
    bare = Path(rivals.__file__).with_name("bare_typer.py")
    samples = interleave(
        {
            "jina --help": lambda: run_client([*jina_command(), "--help"]),
            "bare typer --help": lambda: run_client([sys.executable, str(bare), "--help"]),
            "python -c pass": lambda: run_client([sys.executable, "-c", "pass"]),
        },
        options.repeats,
    )
    table = Table("--help", ["", "wall ms", "CPU ms", "wall ÷ typer", "CPU ÷ typer"])
    reference = samples["bare typer --help"]
    for name, runs in samples.items():
        wall = median(a.wall_s / b.wall_s for a, b in zip(runs, reference, strict=True))
        cpu = median(a.total_cpu_s / b.total_cpu_s for a, b in zip(runs, reference, strict=True))
        table.rows.append([
            name, median(one.wall_s for one in runs) * 1e3,
            median(one.total_cpu_s for one in runs) * 1e3, wall, cpu,
        ])  # fmt: skip
        if name == "jina --help":
            table.figures = [
                Figure("jina --help, wall ÷ bare typer", wall, 1.3),
                Figure("jina --help, CPU ÷ bare typer", cpu, 1.3),
            ]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return [table]


CASES = [
    Case("start", "Start of a Flow to ready", run_flow),
    Case("help", "jina --help", run_help),
]
