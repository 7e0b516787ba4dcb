"""Tell the run of one seed, event by event."""

from __future__ import annotations

import sys

from tests.runtime.simulation.world import Simulation

if __name__ == "__main__":
    Simulation(int(sys.argv[1]), tell=print).run()
