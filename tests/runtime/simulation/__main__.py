"""Tell the run of one seed, or live through many."""

from __future__ import annotations

import sys

from tests.runtime.simulation.runs import run_some
from tests.runtime.simulation.world import Simulation

if __name__ == "__main__":
    seed, *numbers = map(int, sys.argv[1:])
    if numbers:
        print(run_some(seed, *numbers))
    else:
        Simulation(seed, tell=print).run()
