"""The router keeps its promises through thousands of made-up lives of made-up Flows.

JINA_SIM_STEPS says how many steps of the router to make, JINA_SIM_SEED where the seeds begin.
"""

from __future__ import annotations

import os

import pytest

from tests.runtime.simulator import Simulation

STEPS = int(os.environ.get("JINA_SIM_STEPS", "100000"))
SEED = int(os.environ.get("JINA_SIM_SEED", "1"))

# Seeds that once failed.
KEPT_SEEDS = [2, 1039]


def run(seed: int) -> int:
    simulation = Simulation(seed)
    try:
        simulation.run()
    except Exception as error:
        raise AssertionError(
            f"seed {seed}, step {simulation.steps}: {type(error).__name__}: {error}\n"
            f"replay: python -m tests.runtime.simulator {seed}"
        ) from error
    return simulation.steps


@pytest.mark.timeout(600 + STEPS // 5000)
def test_every_request_has_one_outcome_whatever_happens() -> None:
    seed, steps = SEED, 0
    while steps < STEPS:
        steps += run(seed)
        seed += 1


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
