"""JSON lines -> one Executor that upper-cases the text -> JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client, server
from tests.bench.options import Case, Options, check_equal, line_key
from tests.bench.report import Figure, Table
from tests.bench.styles import STYLES
from tests.bench.subject import flow_up

_BASE_DOCS = 100  # a run of this many lines shows what starting and stopping the client costs
_SCRIPTS = ("json", "orjson", "msgspec")


def run_style(style: str, options: Options) -> list[Table]:
    """Run all programs on one style of lines."""
    files = {size: options.lines(style, size) for size in sorted({options.docs, _BASE_DOCS})}
    variants: dict[str, Callable[[], Sample]] = {}
    outputs: dict[str, Path] = {}
    with ExitStack() as stack:
        flow = stack.enter_context(flow_up("one"))
        address = f"ipc://{options.folder}/{style}"
        rivals = "tests.bench.rivals"
        worker = stack.enter_context(
            server(f"{rivals}.handwritten", "worker", f"{address}-w", style)
        )
        echo = stack.enter_context(server(f"{rivals}.echo", "server", f"{address}-e"))

        def add(name: str, size: int, argv: list[str], watched: dict[str, int]) -> None:
            env = flow.env if name == "jina" else None
            variants[f"{name} {size}"] = partial(run_client, argv, watched, env=env)

        for size, source in files.items():
            key = line_key(source)

            def out(name: str, size: int = size) -> Path:
                return outputs.setdefault(
                    f"{name} {size}", options.folder / f"{style}-{name}-{size}.out"
                )

            paths = [style, key, str(source)]
            endpoint = STYLES[style].endpoint
            add("jina", size, flow.post(endpoint, source, out("jina")), flow.processes)
            add(
                "handwritten",
                size,
                _module("handwritten", "client", f"{address}-w", *paths, str(out("handwritten"))),
                {"worker": worker},
            )
            add(
                "echo",
                size,
                _module("echo", "lines", f"{address}-e", str(source), f"{options.folder}/echo.out"),
                {"worker": echo},
            )
            for library in _SCRIPTS:
                add(library, size, _module("scripts", library, *paths, str(out(library))), {})
        samples = interleave(variants, options.repeats)
    for size in files:
        written = [path for name, path in outputs.items() if name.endswith(f" {size}")]
        check_equal(*written)
    return [_table(style, options, files[options.docs], samples)]


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.rivals.{name}", *arguments]


def _table(style: str, options: Options, source: Path, samples: dict[str, list[Sample]]) -> Table:
    """Return the CPU per Document beyond the first hundred, and of the whole command."""
    docs = options.docs
    more = max(1, docs - _BASE_DOCS)
    size_mb = source.stat().st_size / 1e6
    table = Table(
        f"{STYLES[style].title}: {docs} lines, {size_mb:.0f} MB",
        ["CPU µs per Document", "client", "gateway", "worker", "all", "÷ handwritten", "÷ orjson",
         "with start", "wall s", "k docs/s", "start CPU ms"],
    )  # fmt: skip
    per_doc: dict[str, list[float]] = {}
    whole: dict[str, list[float]] = {}
    for name in ("jina", "handwritten", "echo", *_SCRIPTS):
        full, base = samples[f"{name} {docs}"], samples[f"{name} {_BASE_DOCS}"]
        per_doc[name] = [
            (one.total_cpu_s - start.total_cpu_s) / more * 1e6
            for one, start in zip(full, base, strict=True)
        ]
        whole[name] = [one.total_cpu_s / docs * 1e6 for one in full]
    for name, costs in per_doc.items():
        full, base = samples[f"{name} {docs}"], samples[f"{name} {_BASE_DOCS}"]

        def role(wanted: str, full: list[Sample] = full, base: list[Sample] = base) -> float | None:
            values = [
                (one.cpu_s[each] - start.cpu_s[each]) / more * 1e6
                for one, start in zip(full, base, strict=True)
                for each in one.cpu_s
                if each == wanted
            ]
            return median(values) if values else None

        wall = median(one.wall_s for one in full)
        table.rows.append([
            name, role("client"), role("gateway"), role("worker"), median(costs),
            median_ratio(costs, per_doc["handwritten"]), median_ratio(costs, per_doc["orjson"]),
            median(whole[name]), wall, docs / wall / 1000,
            median(one.total_cpu_s for one in base) * 1e3,
        ])  # fmt: skip
    table.notes.append(
        f"Per Document: what {docs} lines cost beyond {_BASE_DOCS} lines, in pairs of runs. "
        '"With start" divides the whole command, interpreter and imports included, by all lines. '
        "The Flow and the rivals' workers are up before the clock starts. "
        "Outputs are equal; echo gives back its input."
    )
    table.figures = [
        Figure(f"{style}: CPU ÷ {title}{how}", median_ratio(costs["jina"], costs[rival]), limit)
        for costs, how in ((per_doc, ""), (whole, ", with start"))
        for rival, title, limit in (
            ("handwritten", "hand-written", 1.0),
            ("orjson", "orjson script", 2.5),
        )
    ]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return table


CASES = [
    Case(
        "jsonl" if style == "ids" else f"jsonl-{style}",
        f"JSON lines through one Executor: {STYLES[style].title}",
        partial(run_style, style),
    )
    for style in STYLES
]
