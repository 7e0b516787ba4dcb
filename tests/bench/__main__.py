"""`python -m tests.bench`: choose cases and sizes, measure, print tables."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import tempfile
from pathlib import Path

import jina
import jinacli
from tests.bench.calibrate import effective_cores
from tests.bench.cases import (
    batching,
    chain,
    fairness,
    http,
    index,
    jsonl,
    lanes,
    latency,
    memory,
    remote,
    run,
    scale,
    shards,
    start,
    types_batches,
    types_lines,
    types_match,
    vectors,
)
from tests.bench.measure import BenchError
from tests.bench.options import Case, Options
from tests.bench.page import write_figures
from tests.bench.report import Table, as_json, environment

CASES: dict[str, Case] = {
    case.name: case
    for module in (
        jsonl,
        latency,
        batching,
        fairness,
        chain,
        shards,
        vectors,
        start,
        run,
        memory,
        scale,
        types_batches,
        types_lines,
        types_match,
        http,
        index,
        remote,
        lanes,
    )
    for case in module.CASES
}
# Of an Executor of the catalogue, with many vectors for a long time; against what ".[dev]" lacks;
# of Flows on several machines, whose figures are in docs/scaling.md.
_ONLY_NAMED = ("index", "http", "remote", "lanes")


def main(argv: list[str] | None = None) -> int:
    """Run the chosen cases and print their tables; return 1 if one failed."""
    arguments = _parser().parse_args(argv)
    if arguments.list:
        for case in CASES.values():
            print(f"{case.name:14} {case.title}")
        return 0
    printed: list[str] = []

    def show(text: str) -> None:
        printed.append(text)
        print(text, flush=True)

    for package in (jina, jinacli):
        # An installed copy has byte code, and so do the libraries of the rivals.
        compileall.compile_dir(os.path.dirname(str(package.__file__)), quiet=2)
    before = effective_cores()
    cores = os.sched_getaffinity(0)
    if arguments.pin:
        os.sched_setaffinity(0, {min(cores)})  # the children inherit it
    tables: dict[str, list[Table]] = {}
    show(f"    {_command(arguments)}\n")
    show(", ".join(f"{name} {value}" for name, value in environment().items()) + "\n")
    show(f"Effective cores before: {before:.2f}{', pinned to one' if arguments.pin else ''}\n")
    failed = False
    with tempfile.TemporaryDirectory(prefix="jb") as folder:
        options = Options(Path(folder), arguments.docs, arguments.repeats)
        for name in arguments.case or [name for name in CASES if name not in _ONLY_NAMED]:
            show(f"## {CASES[name].title}\n")
            try:
                tables[name] = CASES[name].run(options)
            except BenchError as error:
                failed = True
                show(f"FAILED: {error}\n")
                continue
            for table in tables[name]:
                show(table.text())
    os.sched_setaffinity(0, cores)
    after = effective_cores()
    show(f"Effective cores after: {after:.2f}")
    if arguments.json:
        report = {
            "environment": environment(),
            "effective_cores": [before, after],
            "options": {"docs": options.docs, "repeats": options.repeats, "pin": arguments.pin},
            "cases": {name: [as_json(table) for table in found] for name, found in tables.items()},
        }
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.page and not failed:
        write_figures(arguments.page, printed)
    return 1 if failed else 0


def _command(arguments: argparse.Namespace) -> str:
    """Return the command that makes these figures again."""
    words = ["python -m tests.bench"]
    if arguments.case:
        words.append(f"--case {' '.join(arguments.case)}")
    words.append(f"--docs {arguments.docs} --repeats {arguments.repeats}")
    return " ".join([*words, "--pin"] if arguments.pin else words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--case",
        nargs="+",
        choices=list(CASES),
        metavar="NAME",
        help="which; if omitted, all but " + ", ".join(_ONLY_NAMED),
    )
    parser.add_argument("--docs", type=int, default=100_000, help="Documents in a run")
    parser.add_argument("--repeats", type=int, default=7, help="runs of each program, in turns")
    parser.add_argument("--pin", action="store_true", help="run everything on one core")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there")
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="put the figures into docs/benchmarks.md"
    )
    parser.add_argument("--list", action="store_true", help="list the cases")
    return parser


if __name__ == "__main__":
    sys.exit(main())
