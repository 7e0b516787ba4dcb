"""Hanging methods and stopped processes, seeded: every line has one outcome, whatever stands still.

`JINA_CHAOS_SEEDS` is the number of seeds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading

import pytest

from tests.polling import wait_until
from tests.shell import WAIT_S, Shell

SEEDS = int(os.environ.get("JINA_CHAOS_SEEDS", "1"))
LINES = 600
STOPS_S = (0.02, 0.8)  # between two stops, and how long each lasts


class _Stopper(threading.Thread):
    """Stops workers for a while, one after the other, until it is told to leave."""

    def __init__(self, shell: Shell, chance: random.Random) -> None:
        super().__init__(name="stopper")
        self.stops = 0
        self._shell = shell
        self._chance = chance
        self._is_over = threading.Event()

    def run(self) -> None:
        while True:
            workers = sorted(self._shell.processes("jina.runtime.worker"))
            pid = self._chance.choice(workers or [0])
            if pid and _signal(pid, signal.SIGSTOP):
                self.stops += 1
                self._is_over.wait(self._chance.uniform(*STOPS_S))
                _signal(pid, signal.SIGCONT)
            if self._is_over.wait(self._chance.uniform(*STOPS_S)):
                return

    def __enter__(self) -> _Stopper:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def _signal(pid: int, signum: signal.Signals) -> bool:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return False
    return True


def lines(hanging: set[int]) -> str:
    texts = ["hang" if n in hanging else f"line {n}" for n in range(LINES)]
    return "".join(json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(texts))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_with_a_timeout_only_what_hangs_fails(shell: Shell, seed: int) -> None:
    chance = random.Random(seed)
    hanging = set(chance.sample(range(LINES), 2))
    flow = shell.flow("Slow, replicas: 2", "Fickle, replicas: 3, timeout: 400")
    with shell.up(flow) as up:
        with _Stopper(shell, chance) as stopper:
            done = shell.fork("post", "/", "--request-size", "20", "-q", stdin=lines(hanging))
        assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(LINES)], done.err
        failed = {n: line["error"]["type"] for n, line in enumerate(done.lines) if "error" in line}
        assert {failed.get(n) for n in hanging} == {"jina.excepts.ExecutorTimeout"}
        # A Document is blamed whose process was stopped in the middle again and again.
        assert set(failed.values()) == {"jina.excepts.ExecutorTimeout"}
        assert len(failed) < LINES / 20
        assert done.code == 3
        assert stopper.stops > 0
        assert " in act\n" in up.err
        assert "it will not be started again" not in up.err
        wait_until(lambda: len(shell.workers()) == 5, WAIT_S, "every worker is back")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_without_a_timeout_nothing_fails_and_nobody_is_ended(shell: Shell, seed: int) -> None:
    chance = random.Random(seed)
    with shell.up(shell.flow("Slow, replicas: 2", "Fickle, replicas: 2")) as up:
        before = shell.workers()
        with _Stopper(shell, chance) as stopper:
            done = shell.fork("post", "/", "--request-size", "20", stdin=lines(set()))
        assert (done.code, done.said) == (0, "")
        assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(LINES)]
        assert stopper.stops > 0
        assert shell.workers() == before
        assert "killed" not in up.err
