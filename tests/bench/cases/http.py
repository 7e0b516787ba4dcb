"""The front over HTTP against mosec, whose front is a program in Rust."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.bench.measure import (
    ROOT,
    BenchError,
    Sample,
    descendants,
    interleave,
    median,
    median_ratio,
    run_client,
)
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.styles import rows
from tests.bench.subject import flow_up
from tests.http.fronts import FrontProcess, front_beside
from tests.polling import poll

_START_S = 60.0
_SIZES = (1, 100)
_CONNECTIONS = (1, 32)
_CROWD = 64
_CALL_MS = 5.0  # what a call costs at the Executor of the crowd
_COALESCE_MS = 10.0  # as long as mosec waits
JSON = "application/json"
LINES = "application/jsonlines"


class Target(NamedTuple):
    """What is posted to."""

    port: int
    processes: Mapping[str, int]
    """Role -> pid; "front" is the one that speaks HTTP."""


class Post(NamedTuple):
    """What is posted."""

    title: str
    size: int
    connections: int
    is_lines: bool

    @property
    def kind(self) -> str:
        return LINES if self.is_lines else JSON


POSTS = [
    Post(f"{size} as {'JSON lines' if is_lines else 'JSON'}, {count}", size, count, is_lines)
    for is_lines in (False, True)
    for size in _SIZES
    for count in _CONNECTIONS
]
_PATHS = {"jina": ("/upper", "/stream/upper"), "mosec": ("/json", "/lines")}


@contextlib.contextmanager
def jina_up(flow_name: str, **settings: float) -> Iterator[Target]:
    """A Flow of the benchmark, and a front beside it."""
    with flow_up(flow_name) as flow, front_beside(flow.address, **settings) as front:
        if not poll(lambda: front.ask("GET", "/readyz").status == 200, _START_S):
            raise BenchError(f"the front did not find the Flow: {front.said()}")
        yield _target_of(front, flow.processes)


def _target_of(front: FrontProcess, processes: Mapping[str, int]) -> Target:
    return Target(front.port, {**processes, "front": front.process.pid})


@contextlib.contextmanager
def mosec_up() -> Iterator[Target]:
    """Start mosec, and yield once it answers."""
    if importlib.util.find_spec("mosec") is None:
        raise BenchError('mosec is not installed: pip install -e ".[bench]"')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        tempfile.TemporaryDirectory(prefix="jm") as folder,
        tempfile.TemporaryFile() as log,
    ):
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.bench.rivals.mosec_server"),
                *("--address", "127.0.0.1", "--port", str(port), "--path", f"{folder}/s"),
                *("--timeout", "60000", "--log-level", "warning"),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            start_new_session=True,
        )
        try:
            if not poll(lambda: process.poll() is not None or _listens(port), _START_S):
                raise BenchError("mosec did not start")
            if process.poll() is not None:
                log.seek(0)
                raise BenchError(f"mosec did not start:\n{log.read().decode()}")
            yield Target(port, _roles(process.pid))
        finally:
            process.terminate()
            process.wait(_START_S)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _roles(pid: int) -> dict[str, int]:
    roles = {"main": pid}
    for number, child in enumerate(descendants(pid)):
        is_front = os.path.basename(os.readlink(f"/proc/{child}/exe")) == "mosec"
        roles["front" if is_front else f"worker {number}"] = child
    if "front" not in roles:
        raise BenchError("mosec has no front")
    return roles


def _load(
    target: Target, path: str, body: Path, post: Post, count: int, wanted: str
) -> Callable[[], Sample]:
    argv = [
        *(sys.executable, "-m", "tests.bench.rivals.http_load", str(target.port), path),
        *(post.kind, str(body), str(post.connections), str(count), wanted),
    ]
    return partial(run_client, argv, target.processes)


def _body(options: Options, post: Post) -> tuple[Path, str]:
    """A file with the body, and the text that an answer has for each Document."""
    documents = list(islice(rows("ids", 4_000), post.size))
    for document in documents:
        document["text"] = f"needle {document['text']}"
    path = options.folder / f"http-{post.size}-{'lines' if post.is_lines else 'json'}"
    if post.is_lines:
        path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    else:
        path.write_text(json.dumps({"data": documents}))
    return path, '"text":"NEEDLE '


def run(options: Options) -> list[Table]:
    """Measure each kind of post in turns, then a crowd with and without coalescing."""
    return [_against_mosec(options), _crowd(options)]


def _against_mosec(options: Options) -> Table:
    table = Table(
        "Documents in a POST as JSON or JSON lines, connections",
        [
            *("µs of CPU a request", "front", "mosec's front", "÷", "all", "all of mosec", "÷ "),
            *("p50 µs", "mosec", "p99 µs", "mosec "),
        ],
        notes=["The client is not counted."],
    )
    ratios: dict[Post, tuple[float, float]] = {}
    with jina_up("one") as jina, mosec_up() as mosec:
        for post in POSTS:
            count = max(2 * post.connections, min(4_000, options.docs // (post.size + 20)))
            body, wanted = _body(options, post)
            samples = interleave(
                {
                    name: _load(target, _PATHS[name][post.is_lines], body, post, count, wanted)
                    for name, target in (("jina", jina), ("mosec", mosec))
                },
                options.repeats,
            )
            ratios[post] = _row(table, post, samples, count)
    table.figures = _figures(ratios)
    return table


def _row(
    table: Table, post: Post, samples: Mapping[str, list[Sample]], count: int
) -> tuple[float, float]:
    """Add a row; the ratios of the fronts alone, and of everything."""
    found = {name: [_costs(one, count) for one in runs] for name, runs in samples.items()}
    mine, theirs = found["jina"], found["mosec"]

    def values(name: str) -> tuple[list[float], list[float]]:
        return [one[name] for one in mine], [one[name] for one in theirs]

    row: list[str | float | None] = [post.title]
    for name in ("front", "all"):
        a, b = values(name)
        row += [median(a), median(b), median_ratio(a, b)]
    for name in ("p50", "p99"):
        row += map(median, values(name))
    table.rows.append(row)
    table.samples |= {f"{post.title}: {name}": list(found[name]) for name in found}
    return median_ratio(*values("front")), median_ratio(*values("all"))


def _costs(sample: Sample, count: int) -> dict[str, float]:
    told = json.loads(sample.output)
    times = sorted(told["us"])
    used = {role: 1e6 * spent / count for role, spent in sample.cpu_s.items() if role != "client"}
    return {
        "front": used["front"],
        "all": sum(used.values()),
        "p50": times[len(times) // 2],
        "p99": times[min(len(times) - 1, int(len(times) * 0.99))],
        "rate": count / told["wall_s"],
        **{f"cpu of {role}": spent for role, spent in used.items()},
    }


def _figures(ratios: Mapping[Post, tuple[float, float]]) -> list[Figure]:
    figures = []
    for post, (front, everything) in ratios.items():
        if post.connections == max(_CONNECTIONS):
            limit = 1.0 if post.size == 1 else 1.6
            figures.append(Figure(f"front ÷ mosec's front, {post.title}", front, limit))
            if post.is_lines and post.size == max(_SIZES):
                figures.append(Figure(f"all ÷ all of mosec, {post.title}", everything, 1.5))
    return figures


def _crowd(options: Options) -> Table:
    """Single Documents, where a call costs the same whatever it gets."""
    post = Post("", 1, _CROWD, is_lines=False)
    body, wanted = _body(options, post)
    many = max(2 * _CROWD, options.docs // 20)
    with (
        jina_up("batching") as plain,
        jina_up("batching", coalesce_ms=_COALESCE_MS) as coalescing,
        mosec_up() as mosec,
    ):
        variants = {
            "jina, a call for each": (plain, "/alone", max(2 * _CROWD, many // 20)),
            f"jina, coalescing for {_COALESCE_MS:g} ms": (coalescing, "/alone", many),
            "jina, batching of the worker": (plain, "/together", many),
            "mosec, a call for each": (mosec, "/alone", max(2 * _CROWD, many // 20)),
            "mosec, dynamic batching": (mosec, "/together", many),
        }
        samples = interleave(
            {
                name: _load(target, path, body, post, count, wanted)
                for name, (target, path, count) in variants.items()
            },
            options.repeats,
        )
    counts = {name: count for name, (_, _, count) in variants.items()}
    found = {name: [_costs(one, counts[name]) for one in runs] for name, runs in samples.items()}
    table = Table(
        f"{_CROWD} connections, one Document each at a time, {_CALL_MS:g} ms a call",
        ["server", "requests/s", "÷ mosec's batching", "p50 ms", "p99 ms", "CPU µs a request"],
    )
    rates = {name: [one["rate"] for one in runs] for name, runs in found.items()}
    theirs = rates["mosec, dynamic batching"]
    for name, runs in found.items():
        table.rows.append(
            [
                name,
                median(rates[name]),
                median_ratio(rates[name], theirs),
                median(one["p50"] / 1000 for one in runs),
                median(one["p99"] / 1000 for one in runs),
                median(one["all"] for one in runs),
            ]
        )
    mine = rates[f"jina, coalescing for {_COALESCE_MS:g} ms"]
    table.figures = [
        Figure("throughput of mosec's batching ÷ coalescing", median_ratio(theirs, mine), 1.0)
    ]
    table.samples = {name: list(runs) for name, runs in found.items()}
    return table


CASES = [Case("http", "Documents over HTTP, beside mosec", run)]
