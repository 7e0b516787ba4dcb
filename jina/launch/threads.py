"""How many threads the numerical libraries of a worker may use.

Each of them would take all cores, and workers beside each other would get in each other's way. So
a worker is told its share in its environment, which the libraries read when they are imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from jina.graph.plan import WorkerSpec

OPENMP = "OMP_NUM_THREADS"
VARIABLES = (
    OPENMP,
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


def thread_variables(
    spec: WorkerSpec, workers: int, *, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the environment of a worker says in addition; nothing that the user has said.

    Whoever sets OMP_NUM_THREADS means all libraries: they follow it unless theirs is set.

    Args:
        spec: of the worker.
        workers: how many share the cores, at least 1.
        environment: that it inherits; None is ours.
    """
    inherited = os.environ if environment is None else environment
    # `threads` is said of this worker; the environment, of everything.
    said = {**inherited, **spec.env} if spec.threads is None else spec.env
    if OPENMP in said:
        return {}
    threads = spec.threads or max(1, usable_cores() // workers)
    return {name: str(threads) for name in VARIABLES if name not in said}


def threads_in(environment: Mapping[str, str]) -> int:
    """How many threads an environment allows; 0 where it does not say so."""
    first = environment.get(OPENMP, "").partition(",")[0].strip()  # "4,2": then nested ones
    return int(first) if first.isascii() and first.isdecimal() else 0


def usable_cores(process: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """The cores that this process and those that it starts may use together, at least 1.

    Its affinity counts, and the quota of its control group, as that of a container; of 2.5 cores,
    2.

    Args:
        process: its folder in /proc.
        groups: where the control groups are mounted.
    """
    # macOS has no affinity.
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, int(min([cores, *_quotas(process, groups)])))


def _quotas(process: Path, groups: Path) -> Iterator[float]:
    """Cores that each control group around a process allows."""
    try:
        lines = (process / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0":
            roots = [groups, groups / "unified"]
        elif "cpu" in controllers.split(","):
            roots = [groups / controllers, groups / "cpu"]
        else:
            continue
        own = Path(path.lstrip("/"))
        for root in roots:
            # Within a container the path may be that of the host: then only the root is there.
            for folder in (own, *own.parents):
                yield from _quota(root / folder)


def _quota(group: Path) -> Iterator[float]:
    """Cores that one control group allows, if it limits them; of version 2 or 1."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((group / name).read_text() for name in names).split()
            if int(quota) > 0 and int(period) > 0:  # "max" or -1 is no limit
                yield int(quota) / int(period)
        except (OSError, ValueError):
            continue
