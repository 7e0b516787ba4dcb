"""Measure how a Flow, `jina post`, `--help` and `check` start, each against a bare program."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

from tests.bench import rivals
from tests.bench.measure import interleave, median, run_client
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import FLOWS, flow_up, jina_command, start_argv, worker_packages


def run_flow(options: Options) -> list[Table]:
    """Measure a Flow of one small Executor from its start until it is ready."""
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
    """Compare `jina --help` with the imports of its packages, and with a small typer program."""
    bare = Path(rivals.__file__).with_name("bare_typer.py")
    commands = {
        "jina --help": [*jina_command(), "--help"],
        "import typer, rich": [sys.executable, "-c", "import typer, rich"],
        "bare typer --help": [sys.executable, str(bare), "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    return [_commands("--help", commands, "imports", {"wall": 1.6, "CPU": 1.6}, options)]


def run_client_start(options: Options) -> list[Table]:
    """Compare `jina post` of one line to a Flow that is up with the imports that it needs."""
    imports = "import typer, rich, msgspec, zmq"
    source = options.lines("ids", 1)
    with flow_up("one") as flow:
        commands = {
            "jina post": flow.post("/upper", source, options.folder / "one.out"),
            imports: [sys.executable, "-c", imports],
        }
        limits = {"CPU": 1.3}
        return [_commands("jina post of one line", commands, "imports", limits, options, flow.env)]


def run_check(options: Options) -> list[Table]:
    """Compare `jina executor check` of a small Executor with the imports that it cannot avoid."""
    check = [*jina_command(), "executor", "check", str(FLOWS / "executor.yml")]
    commands = {
        "jina executor check": check,
        "import typer, rich, pydantic, yaml": [
            sys.executable, "-c", "import typer, rich, pydantic, yaml",
        ],
        "jina executor check --no-import": [*check, "--no-import"],
    }  # fmt: skip
    return [_commands("executor check", commands, "imports", {"CPU": 4.0}, options)]


def _commands(
    title: str,
    commands: dict[str, list[str]],
    short: str,
    limits: dict[str, float],
    options: Options,
    env: dict[str, str] | None = None,
) -> Table:
    """Run commands in turn, and return a table.

    Args:
        title: of the table.
        commands: name -> command; the first is compared with the second.
        short: name of the second in headings.
        limits: for "wall" and "CPU", the largest ratio allowed.
        options: says how often to run them.
        env: added to the environment of each.
    """
    samples = interleave(
        {name: functools.partial(run_client, argv, env=env) for name, argv in commands.items()},
        options.repeats,
    )
    subject, rival = list(commands)[:2]
    table = Table(title, ["", "wall ms", "CPU ms", f"wall ÷ {short}", f"CPU ÷ {short}"])
    for name, runs in samples.items():
        pairs = list(zip(runs, samples[rival], strict=True))
        ratios = {
            "wall": median(a.wall_s / b.wall_s for a, b in pairs),
            "CPU": median(a.total_cpu_s / b.total_cpu_s for a, b in pairs),
        }
        wall = median(one.wall_s for one in runs) * 1e3
        cpu = median(one.total_cpu_s for one in runs) * 1e3
        table.rows.append([name, wall, cpu, *ratios.values()])
        if name == subject:
            table.figures = [
                Figure(f"{subject}, {what} ÷ {rival}", ratios[what], limit)
                for what, limit in limits.items()
            ]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return table


CASES = [
    Case("start", "Start of a Flow to ready", run_flow),
    Case("help", "jina --help", run_help),
    Case("client", "Start of jina post", run_client_start),
    Case("check", "jina executor check", run_check),
]
