"""Run processes, and measure how long they take and how much processor time they use."""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_READY_TIMEOUT_S = 60.0


class BenchError(Exception):
    """A program of the benchmark failed, or its output differs from that of the others."""


@dataclass
class Sample:
    """One measured run."""

    wall_s: float
    cpu_s: dict[str, float]
    """By role: "client" is the process that was started; the others were up before."""
    output: str = ""
    """What the client printed."""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def total_cpu_s(self) -> float:
        return sum(self.cpu_s.values())


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process with all its threads, in ns steps (Linux)."""
    # The clock id that clock_getcpuclockid(3) gives; /proc/<pid>/stat counts in steps of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)


def descendants(pid: int) -> list[int]:
    """Return a process's children, their children and so on, oldest first."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return sorted(set(found))


def peak_rss_bytes(pid: int) -> int:
    """Return the most memory that a living process has ever had.

    wait4 would not do: its figure includes the parent's memory at the fork.
    """
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0  # it has ended and is not reaped yet


def run_client(
    argv: Sequence[str],
    watched: Mapping[str, int] | None = None,
    *,
    env: Mapping[str, str] | None = None,
    watch_memory: bool = False,
) -> Sample:
    """Run a program until it ends, while other processes that are up work for it.

    Args:
        argv: the program and its arguments.
        watched: role -> pid of the others; their processor time during the run is counted.
        env: added to this process's environment.
        watch_memory: read the program's peak memory every 5 ms, for extra["peak_rss_bytes"].

    Raises:
        BenchError: the program failed.
    """
    watched = watched or {}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = {role: cpu_s(pid) for role, pid in watched.items()}
        start = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(env or {})},
        )
        peak = _watch_memory(process.pid) if watch_memory else 0
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        used = {role: cpu_s(pid) - before[role] for role, pid in watched.items()}
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            raise BenchError(f"{' '.join(argv)}: exit {process.returncode}\n{err.read().decode()}")
        client = usage.ru_utime + usage.ru_stime
        return Sample(
            wall, {"client": client, **used}, out.read().decode(), {"peak_rss_bytes": peak}
        )


def _watch_memory(pid: int) -> int:
    """Wait until the process ends, and return its peak memory."""
    peak = 0
    descriptor = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        while not waiting.poll(5):
            peak = max(peak, peak_rss_bytes(pid))
    finally:
        os.close(descriptor)
    return peak


@contextmanager
def server(module: str, *arguments: str) -> Iterator[int]:
    """Start a rival's server, which is a module, and yield its pid once it has printed "ready"."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        waiting = select.poll()
        waiting.register(process.stdout, select.POLLIN)
        if not waiting.poll(_READY_TIMEOUT_S * 1000) or process.stdout.readline() != b"ready\n":
            raise BenchError(f"{module} did not start")
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def interleave(
    variants: Mapping[str, Callable[[], Sample]], repeats: int
) -> dict[str, list[Sample]]:
    """Run all variants in turn, `repeats` times, starting with another one each time.

    An extra round at the start is not counted: it warms up files, caches and processes.
    """
    names = list(variants)
    for name in names:
        variants[name]()
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for repeat in range(repeats):
        turn = repeat % len(names)
        for name in names[turn:] + names[:turn]:
            samples[name].append(variants[name]())
    return samples


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def median_ratio(mine: Iterable[float], theirs: Iterable[float]) -> float:
    """Return the median of the ratios within each repeat.

    NaN if the runs were too short to tell costs from noise.
    """
    ratios = [a / b for a, b in zip(mine, theirs, strict=True) if b > 0]
    return statistics.median(ratios) if ratios else float("nan")
