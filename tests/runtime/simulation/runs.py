"""Run seeds, and say how to run the one again that failed."""

from __future__ import annotations

from tests.runtime.simulation.world import Simulation


def run(seed: int) -> int:
    """One run; returns how many steps the router made.

    Raises:
        AssertionError: something did not hold; it says how to see what.
    """
    simulation = Simulation(seed)
    try:
        simulation.run()
    except Exception as error:
        raise AssertionError(
            f"seed {seed}, step {simulation.steps}: {type(error).__name__}: {error}\n"
            f"replay: python -m tests.runtime.simulation {seed}"
        ) from error
    return simulation.steps


def run_some(first: int, steps: int, stride: int) -> int:
    """Runs until the router has made so many steps; returns how many it made.

    Args:
        first: the first seed.
        steps: at least so many.
        stride: from one seed to the next.
    """
    seed, made = first, 0
    while made < steps:
        made += run(seed)
        seed += stride
    return made
