"""Agents, their workers and the gateway are killed at random: every line has one outcome.

`JINA_CHAOS_SEEDS` is twice the number of seeds.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess

import pytest

from tests.flow.test_external import FLOW, Outside, make_keys, outside
from tests.shell import ZOO, Running, Shell, json_lines

SEEDS = max(1, int(os.environ.get("JINA_CHAOS_SEEDS", "1")) // 2)
LINES = 400  # of 20 ms each
EACH = 40  # lines between two kills
MOST_GATEWAYS = 4  # that are replaced within a minute


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_line_has_one_outcome_whoever_is_killed(shell: Shell, seed: int) -> None:
    chance = random.Random(seed)
    make_keys(shell)
    shell.write("moody.yml", f"jtype: Slow\npy_modules: [{ZOO}]\n")
    path = shell.write("lines.jsonl", json_lines(LINES))
    with outside(shell, FLOW) as there:
        agents = [there.ready(), there.ready()]
        assert there.flow.read_line()
        words = ("post", "/", "--inputs", path, "--request-size", "1", "--quiet")
        with shell.start(*words, stdout=subprocess.PIPE) as post:
            ids = []
            gateways = 0
            while line := post.read_line():
                ids.append(line.partition(b'"id":"')[2].partition(b'"')[0].decode())
                if len(ids) % EACH == 0:
                    what = chance.choice(["agent", "worker", "stop", "gateway"])
                    gateways += what == "gateway"
                    if what != "gateway" or gateways <= MOST_GATEWAYS:
                        _end(what, there, agents, chance)
            done = post.end()
        assert done.code in (0, 3), done.err  # a line that was begun in two deaths is an error
        assert ids == [f"d{n}" for n in range(LINES)]


def _end(what: str, there: Outside, agents: list[Running], chance: random.Random) -> None:
    """Kill somebody, or let an agent end in order; there is always another agent."""
    if what in ("gateway", "worker"):
        found = there.shell.processes(f"jina.runtime.{what}")
        with contextlib.suppress(ProcessLookupError):
            if found:
                os.kill(chance.choice(sorted(found)), signal.SIGKILL)
        return
    agent = agents.pop(chance.randrange(len(agents)))
    agent.process.send_signal(signal.SIGKILL if what == "agent" else signal.SIGINT)
    agents.append(there.serve())
