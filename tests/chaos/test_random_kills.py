"""Random kills, seeded: every line has exactly one outcome, in order, whatever was killed when.

`JINA_CHAOS_SEEDS` is the number of seeds, `JINA_CHAOS_LINES` that of lines in each run. A seed that
fails is a bug with a name: run it alone with `-k "seed-17"`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jina.defaults import RESTART_BUDGET
from tests.polling import wait_until
from tests.shell import WAIT_S, ZOO, Shell, json_lines

SEEDS = int(os.environ.get("JINA_CHAOS_SEEDS", "1"))
LINES = int(os.environ.get("JINA_CHAOS_LINES", "3000"))
PAUSE_S = (0.05, 0.5)  # between two kills

FLOWS = (
    ("Slow, replicas: 2", "Upper, replicas: 2"),
    ("Slow, name: a, needs: gateway", "Upper, name: b, needs: gateway", "Merge, needs: [a, b]"),
    ("Upper", "Slow, replicas: 3", "Counter"),
)


SHARDED = (
    f"Shard, shards: 3, polling: ALL, uses_before: {{jtype: Upper, py_modules: [{ZOO}]}}",
    "Slow",
)


class Killer(threading.Thread):
    """Kills the gateway or a worker, again and again, until it is told to stop.

    No more often than a supervisor starts the same one again, whoever of them it meets.
    """

    def __init__(self, shell: Shell, chance: random.Random) -> None:
        super().__init__(name="killer")
        self.kills = {"gateway": 0, "worker": 0}
        self._shell = shell
        self._chance = chance
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(self._chance.uniform(*PAUSE_S)):
            kind = self._chance.choices(["gateway", "worker"], [1, 3])[0]
            if self.kills[kind] == RESTART_BUDGET:
                continue
            victims = sorted(self._shell.processes(f"jina.runtime.{kind}"))
            if victims:
                try:
                    os.kill(self._chance.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kills[kind] += 1

    def stop(self) -> None:
        self._is_over.set()
        self.join()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> Iterator[random.Random]:
    return random.Random(request.param)


@pytest.mark.parametrize(
    "chance", range(SEEDS), indirect=True, ids=[f"seed-{seed}" for seed in range(SEEDS)]
)
def test_every_line_has_one_outcome_whatever_is_killed(shell: Shell, chance: random.Random) -> None:
    for number, line in outcomes_of(shell, chance, chance.choice(FLOWS), "/"):
        assert line.get("text", f"LINE {number}") == f"LINE {number}"


@pytest.mark.parametrize(
    "chance", range(SEEDS), indirect=True, ids=[f"seed-{seed}" for seed in range(SEEDS)]
)
def test_every_line_has_every_shards_part_exactly_once(shell: Shell, chance: random.Random) -> None:
    """Heads and tails are among those that are killed."""
    parts = {"tags": {f"shard {n}": True for n in range(3)}, "matches": ["m0", "m1", "m2"]}
    for number, line in outcomes_of(shell, chance, SHARDED, "/parts"):
        if "error" not in line:
            found = [match["id"] for match in line["matches"]]
            assert {"tags": line["tags"], "matches": found} == parts
            assert line["text"] == f"LINE {number}"


def outcomes_of(
    shell: Shell, chance: random.Random, nodes: tuple[str, ...], endpoint: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Post while processes are killed, and check what holds for every Flow."""
    flow = shell.flow(*nodes)
    shell.write("lines.jsonl", json_lines(LINES))
    size = chance.choice([7, 20, 50])
    with shell.up(flow) as up:
        killer = Killer(shell, chance)
        killer.start()
        try:
            done = shell.fork(
                "post", endpoint, "--inputs", "lines.jsonl", "--request-size", str(size), "--quiet"
            )
        finally:
            killer.stop()
        outcomes = done.lines
        assert [line["id"] for line in outcomes] == [f"d{n}" for n in range(LINES)], done.err
        failed = [line["error"] for line in outcomes if "error" in line]
        assert done.code == (3 if failed else 0), done.err
        # A request is given up only when two workers died with it: rare, and told.
        assert {error["type"] for error in failed} <= {"jina.excepts.WorkerDied"}, failed[:1]
        assert len(failed) < LINES / 10
        yield from enumerate(outcomes)
        assert sum(killer.kills.values()) > 0
        # Afterwards it is whole again.
        wait_until(lambda: is_whole(shell), WAIT_S, "every worker is ready again")
        assert shell.fork("post", endpoint, stdin=json_lines(10)).code == 0, up.err


def is_whole(shell: Shell) -> bool:
    flows = shell.ps()
    return bool(flows) and all(
        json.dumps(flow["state"]) == '"ready"'
        and len(flow["workers"]) == len(shell.processes("jina.runtime.worker"))
        and all(worker["state"] == "ready" for worker in flow["workers"])
        for flow in flows
    )
