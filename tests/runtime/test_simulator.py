"""The router keeps its promises through thousands of made-up lives of made-up Flows.

JINA_SIM_STEPS says how many steps of the router to make, JINA_SIM_SEED where the seeds begin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.simulation.flows import FEATURES
from tests.runtime.simulation.runs import run
from tests.runtime.simulation.world import Simulation

STEPS = int(os.environ.get("JINA_SIM_STEPS", "40000"))  # .ci/run makes two million
SEED = int(os.environ.get("JINA_SIM_SEED", "1"))
ROOT = Path(__file__).parents[2]
PROCESSES = 2  # that share the steps

# Seeds that once failed.
KEPT_SEEDS = [4, 39, 79, 344, 1773, 2675, 6820, 12911]


@pytest.mark.slow
@pytest.mark.timeout(600 + STEPS // 5000)
def test_every_request_has_one_outcome_whatever_happens() -> None:
    command = [sys.executable, "-m", "tests.runtime.simulation"]
    processes = [
        subprocess.Popen(
            [*command, str(SEED + index), str(STEPS // PROCESSES), str(PROCESSES)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(PROCESSES)
    ]
    outputs = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    assert sum(int(steps) for steps, _ in outputs) >= STEPS // PROCESSES * PROCESSES


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_what_once_failed_holds(seed: int) -> None:
    run(seed)


def test_a_seed_is_the_same_run_each_time() -> None:
    first: list[str] = []
    second: list[str] = []
    Simulation(7, tell=first.append).run()
    Simulation(7, tell=second.append).run()
    assert first == second
    assert len(first) > 100


def test_each_feature_is_seen_alone_and_with_all_others() -> None:
    seen = [Simulation(seed).features for seed in range(200)]
    assert {feature for some in seen if len(some) == 1 for feature in some} == set(FEATURES)
    assert set(FEATURES) in seen
