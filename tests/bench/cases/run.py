"""`jina executor run` in one process, against the msgspec script in one process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

from tests.bench.measure import Sample, interleave, median, median_ratio, run_client
from tests.bench.options import Case, Options, check_equal, line_key
from tests.bench.report import Figure, Table
from tests.bench.subject import FLOWS, jina_command

_BASE_DOCS = 100  # a run of this many lines shows what a start costs
_RIVAL = "msgspec script"
_LIMIT = 1.3


def run_executor(options: Options) -> list[Table]:
    """Upper-case the text of lines that are Documents already."""
    executor = str(FLOWS / "executor.yml")
    variants: dict[str, Callable[[], Sample]] = {}
    for size in sorted({options.docs, _BASE_DOCS}):
        source = options.lines("ids", size)
        out = {name: str(options.folder / f"run-{name}-{size}.out") for name in ("jina", "script")}
        run = [*jina_command(), "executor", "run", executor, "/upper", "--inputs", str(source)]
        script = [sys.executable, "-m", "tests.bench.rivals.scripts", "msgspec", "ids"]
        rival = [*script, line_key(source), str(source), out["script"]]
        variants[f"jina {size}"] = partial(run_client, [*run, "--output", out["jina"], "--quiet"])
        variants[f"script {size}"] = partial(run_client, rival)
    samples = interleave(variants, options.repeats)
    names = [options.folder / f"run-{name}-{options.docs}.out" for name in ("jina", "script")]
    check_equal(*names)
    return [_table(samples, options.docs)]


def _table(samples: dict[str, list[Sample]], docs: int) -> Table:
    table = Table(
        f"{docs} lines with id, text and three tags",
        [
            "",
            "CPU \u00b5s per Document",
            "start CPU ms",
            "with start",
            f"with start \u00f7 {_RIVAL}",
        ],
    )
    with_start = {
        name: [one.total_cpu_s / docs * 1e6 for one in samples[f"{name} {docs}"]]
        for name in ("jina", "script")
    }
    beyond = {
        name: [
            (long.total_cpu_s - short.total_cpu_s) / max(1, docs - _BASE_DOCS) * 1e6
            for long, short in zip(
                samples[f"{name} {docs}"], samples[f"{name} {_BASE_DOCS}"], strict=True
            )
        ]
        for name in ("jina", "script")
    }
    for name, shown in (("jina", "jina executor run"), ("script", _RIVAL)):
        start = median(one.total_cpu_s for one in samples[f"{name} {_BASE_DOCS}"]) * 1e3
        ratio = median_ratio(with_start[name], with_start["script"])
        table.rows.append([shown, median(beyond[name]), start, median(with_start[name]), ratio])
    table.figures = [
        Figure(
            f"CPU per Document beyond the start \u00f7 {_RIVAL}",
            median_ratio(beyond["jina"], beyond["script"]),
            _LIMIT,
        ),
        Figure(
            f"CPU with start \u00f7 {_RIVAL}",
            median_ratio(with_start["jina"], with_start["script"]),
            _LIMIT,
        ),
    ]
    table.samples = {
        name: [{"wall_s": one.wall_s, "cpu_s": one.cpu_s} for one in runs]
        for name, runs in samples.items()
    }
    return table


CASES = [Case("run", "jina executor run", run_executor)]
