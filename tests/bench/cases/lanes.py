"""Lanes on a cluster of Ray beside one Flow with as many workers, for an encoder of 100 µs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.bench.measure import ROOT, BenchError, Sample, interleave, median, median_ratio
from tests.bench.options import Case, Options
from tests.bench.report import Figure, Table
from tests.bench.subject import FLOWS
from tests.polling import poll

VENV = "JINA_RAY_VENV"
"""Variable that names an environment with Ray and everything that jina needs; see `.ci/ray`."""
_COUNT = 2  # of lanes, and of workers of the one Flow
_START_S = 120.0
_ONE, _LANES = "one Flow, 2 replicas", "2 lanes"


def run(options: Options) -> list[Table]:
    """Measure both in turns, startup apart."""
    named = os.environ.get(VENV, "")
    python = Path(named, "bin", "python")
    if not named or not python.exists():
        raise BenchError(f"{VENV} names no environment with Ray: see .ci/ray")
    source = options.lines("ids", options.docs)
    with _cluster(python.parent) as (address, env):
        on_ray = ("--on", "ray", "--ray-address", address, "--lanes", str(_COUNT))
        post = partial(_post, python, env, source, options.folder)
        samples = interleave(
            {
                _ONE: partial(post, "encoder_two.yml"),
                _LANES: partial(post, "encoder_one.yml", *on_ray),
            },
            options.repeats,
        )
    table = Table(
        f"{options.docs} lines, an Executor that uses a core for 100 µs for each",
        ["", "seconds, startup apart", "÷ one Flow", "whole command, s"],
        notes=[
            f"Startup apart: {options.docs} by the rate from the moment when the last of the"
            f" {_COUNT} workers has begun until the end of the last call."
        ],
    )
    seconds = {name: [one.extra["seconds"] for one in runs] for name, runs in samples.items()}
    for name, runs in samples.items():
        ratio = median_ratio(seconds[name], seconds[_ONE])
        whole = median(one.wall_s for one in runs)
        table.rows.append([name, median(seconds[name]), ratio, whole])
    ratio = median_ratio(seconds[_LANES], seconds[_ONE])
    table.figures = [Figure("time of lanes ÷ one Flow, startup apart", ratio, 1.0)]
    table.samples = {
        name: [{"seconds": one.extra["seconds"], "wall_s": one.wall_s} for one in runs]
        for name, runs in samples.items()
    }
    return [table]


def _post(
    python: Path, env: Mapping[str, str], source: Path, folder: Path, flow: str, *words: str
) -> Sample:
    """Post to a Flow that starts for it; `extra` has the seconds, startup apart."""
    target = folder / "lanes-out"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    output = target if "--on" in words else target / "part-00000.jsonl"
    argv = [
        *(str(python), "-m", "jinacli", "post", "/encode", "--flow", str(FLOWS / flow)),
        *("--inputs", str(source), "--output", str(output), "--quiet", *words),
    ]
    sample = _timed(argv, env)
    sample.extra["seconds"] = _seconds(sorted(target.glob("part-*.jsonl")))
    return sample


def _timed(argv: list[str], env: Mapping[str, str]) -> Sample:
    # Not by `run_client`: what takes the time are processes of the command, or of the cluster.
    with tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        done = subprocess.run(
            argv, cwd=FLOWS, stdin=subprocess.DEVNULL, stdout=err, stderr=err, env=env, check=False
        )
        wall_s = time.perf_counter() - start
        if done.returncode != 0:
            err.seek(0)
            raise BenchError(f"{' '.join(argv)}: exit {done.returncode}\n{err.read().decode()}")
    return Sample(wall_s, {})


def _seconds(parts: list[Path]) -> float:
    """How long all lines would take at the rate that they had once every worker had begun."""
    calls = [json.loads(line)["tags"] for part in parts for line in part.read_bytes().splitlines()]
    if not calls:
        raise BenchError("there are no results")
    first: dict[int, float] = {}
    for call in calls:
        first[call["pid"]] = min(call["began"], first.get(call["pid"], call["began"]))
    since = max(first.values())
    counted = sum(call["began"] >= since for call in calls)
    spent = max(call["ended"] for call in calls) - since
    return float(len(calls) * spent / counted)


@contextlib.contextmanager
def _cluster(programs: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Start a cluster of one node; yields its address and the environment of commands.

    Raises:
        BenchError: it did not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="jr.", dir="/tmp"))  # short: Ray's sockets are in it
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    env = {
        **{name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
        "PYTHONPATH": str(ROOT),  # the jina that is measured is this one
        "JINA_RUN_DIR": f"{folder}/run",
        "JINA_STATE_DIR": f"{folder}/state",
        "XDG_CACHE_HOME": f"{folder}/cache",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # that of the one Flow
    }
    log = folder / "log"
    with log.open("wb") as out:
        head = subprocess.Popen(
            [
                *(str(programs / "ray"), "start", "--head", "--block", f"--num-cpus={_COUNT}"),
                *("--node-ip-address=127.0.0.1", f"--port={port}", "--include-dashboard=false"),
                *(f"--temp-dir={folder}/ray", "--object-store-memory=100000000"),
                "--disable-usage-stats",
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            start_new_session=True,
        )
    try:
        started = b"Ray runtime started"
        poll(lambda: started in log.read_bytes() or head.poll() is not None, _START_S)
        if started not in log.read_bytes():
            raise BenchError(f"no cluster of Ray:\n{log.read_text()}")
        yield f"127.0.0.1:{port}", env
    finally:
        head.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            head.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(head.pid, signal.SIGKILL)
        head.wait()
        shutil.rmtree(folder, ignore_errors=True)


CASES = [Case("lanes", "Lanes on a cluster of Ray", run)]
