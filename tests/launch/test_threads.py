"""How many threads a worker's libraries may use, and how many cores there are to share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch.threads import VARIABLES, thread_variables, threads_in, usable_cores

CORES = usable_cores()


def worker(threads: int | None = None, **env: str) -> WorkerSpec:
    return WorkerSpec(node="a", replica=0, executor=ExecutorSpec(), env=env, threads=threads)


@pytest.mark.parametrize(
    ("spec", "inherited", "told"),
    [
        (worker(3), {}, dict.fromkeys(VARIABLES, "3")),
        # `threads` is said of this worker, the shell's variables of whatever is started there.
        (worker(3), {"OMP_NUM_THREADS": "7"}, dict.fromkeys(VARIABLES, "3")),
        (worker(3, OMP_NUM_THREADS="7"), {}, {}),
        # The other libraries follow this one.
        (worker(), {"OMP_NUM_THREADS": "7"}, {}),
        (worker(OMP_NUM_THREADS="7"), {}, {}),
        (
            worker(3, MKL_NUM_THREADS="7"),
            {},
            {name: "3" for name in VARIABLES if name != "MKL_NUM_THREADS"},
        ),
    ],
)
def test_what_the_user_says_is_kept(
    spec: WorkerSpec, inherited: dict[str, str], told: dict[str, str]
) -> None:
    assert thread_variables(spec, 1, environment=inherited) == told


@pytest.mark.parametrize("workers", [1, 2, 10_000])
def test_workers_share_the_cores(workers: int) -> None:
    share = str(max(1, CORES // workers))
    assert thread_variables(worker(), workers, environment={}) == dict.fromkeys(VARIABLES, share)


@pytest.mark.parametrize(
    ("value", "threads"), [("4", 4), ("4,2", 4), ("", 0), ("many", 0), ("²", 0)]
)
def test_an_environment_says_how_many(value: str, threads: int) -> None:
    assert threads_in({"OMP_NUM_THREADS": value}) == threads
    assert threads_in({}) == 0


@pytest.mark.parametrize(
    ("line", "files", "cores"),
    [
        ("0::/a/b", {"a/b/cpu.max": "100000 100000"}, 1),
        ("0::/a/b", {"a/cpu.max": "150000 100000"}, 1),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "cpu.max": "50000 100000"}, 1),
        ("0::/a", {"unified/a/cpu.max": "100000 100000"}, 1),
        ("0::/", {}, CORES),
        ("0::/", {"cpu.max": "max 100000"}, CORES),
        ("0::/", {"cpu.max": "nonsense"}, CORES),
        ("0::/", {"cpu.max": "99900000 100000"}, CORES),
        (
            "1:cpu,cpuacct:/a",
            {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"},
            1,
        ),
        (
            "1:cpu:/a",
            {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"},
            CORES,
        ),
        ("1:cpuset:/a", {"cpu/cpu.cfs_quota_us": "1", "cpu/cpu.cfs_period_us": "1"}, CORES),
    ],
)
def test_quotas_of_control_groups_count(
    tmp_path: Path, line: str, files: dict[str, str], cores: int
) -> None:
    (tmp_path / "cgroup").write_text(f"9:name=systemd:/\n{line}\n")
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(f"{text}\n")
    assert usable_cores(tmp_path, tmp_path / "groups") == cores


def test_the_affinity_counts(tmp_path: Path) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert usable_cores(tmp_path, tmp_path) == 1
    finally:
        os.sched_setaffinity(0, cores)
    assert usable_cores(tmp_path, tmp_path) == len(cores)
