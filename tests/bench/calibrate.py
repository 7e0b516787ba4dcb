"""Measure how many cores this machine has free, which says what the other figures are worth."""

from __future__ import annotations

import subprocess
import sys

_LOOP = """
import time
start = time.perf_counter()
x = 0
for i in range({turns}):
    x += i
print(time.perf_counter() - start)
"""


def _loops_s(count: int, turns: int) -> list[float]:
    """Return the wall time of each of `count` busy loops that run at the same time."""
    loops = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", _LOOP.format(turns=turns)], stdout=subprocess.PIPE
        )
        for _ in range(count)
    ]
    return [float(loop.communicate()[0]) for loop in loops]


def effective_cores(turns: int = 3_000_000) -> float:
    """Return the speed of two busy loops side by side, in units of one: 2.0 on two free cores."""
    alone = min(_loops_s(1, turns) + _loops_s(1, turns))
    return sum(alone / together for together in _loops_s(2, turns))
