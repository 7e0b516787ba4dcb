"""A Flow is scaled and restarted while it is posted to: every line has one outcome, in its place.

`JINA_CHANGE_LINES` is the number of lines of the run in which nothing is killed, so that nothing
may fail or be done twice. `JINA_CHAOS_SEEDS` is the number of runs in which workers and gateways
are killed meanwhile, `JINA_CHAOS_LINES` that of lines in each. A seed that fails is a bug with a
name: run it alone with `-k "seed-17"`.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from tests.chaos.test_random_kills import LINES, SEEDS, Killer, is_whole
from tests.polling import wait_until
from tests.shell import WAIT_S, Shell, json_lines

PROOF_LINES = int(os.environ.get("JINA_CHANGE_LINES", "30000"))

NOTES = """
import os
from jina import Executor, requests


class Notes(Executor):
    def __init__(self, folder, **kwargs):
        super().__init__(**kwargs)
        self._file = open(os.path.join(folder, f"seen-{os.getpid()}"), "a")

    @requests
    def note(self, docs, **kwargs):
        self._file.writelines(f"{doc.id}\\n" for doc in docs)

    def close(self):
        self._file.close()
"""


def a_change(chance: random.Random, nodes: list[str]) -> list[str]:
    node = chance.choice(nodes)
    return chance.choice(
        [
            ["scale", f"{node}={chance.randint(1, 4)}"],
            ["scale", f"{node}={chance.randint(1, 4)}"],
            ["restart", node],
            ["restart", node, "--surge"],
            ["restart"],
        ]
    )


def test_no_line_is_lost_doubled_or_failed_whatever_is_changed(shell: Shell) -> None:
    chance = random.Random(1)
    seen = shell.folder / "seen"
    seen.mkdir()
    shell.write("notes.py", NOTES)
    entries = "".join(
        f"  - {{name: {name}, uses: notes.py:Notes, uses_with: {{folder: {seen}}}{more}}}\n"
        for name, more in (("first", ""), ("second", ", replicas: 2"))
    )
    shell.write("flow.yml", f"jtype: Flow\nexecutors:\n{entries}")
    shell.write("lines.jsonl", json_lines(PROOF_LINES))
    changes: Counter[str] = Counter()
    with shell.up("flow.yml") as up:
        arguments = ("post", "/", "--inputs", "lines.jsonl", "--request-size", "10", "--quiet")
        out = shell.folder / "out.jsonl"
        with shell.start(*arguments, "--output", out) as post:
            while post.process.poll() is None or len(changes) < 2:  # on a slow machine, few
                change = a_change(chance, ["first", "second"])
                done = shell.fork("flow", *change)
                assert done.code == 0, done.err
                changes[change[0]] += 1
            done = post.end()
        assert done.code == 0, done.err
        assert "again" not in up.err
    assert out.read_text() == json_lines(PROOF_LINES).replace(", ", ",").replace(": ", ":")
    counted = Counter(line for path in seen.iterdir() for line in path.read_text().splitlines())
    # Each of the two Executors saw each Document once.
    assert counted == Counter({f"d{n}": 2 for n in range(PROOF_LINES)})


@pytest.mark.parametrize("seed", range(SEEDS), ids=[f"seed-{seed}" for seed in range(SEEDS)])
def test_changes_go_on_whatever_is_killed(shell: Shell, seed: int) -> None:
    chance = random.Random(f"change {seed}")
    flow = shell.flow("Slow, replicas: 2", "Upper")
    shell.write("lines.jsonl", json_lines(LINES))
    arguments = ("post", "/", "--inputs", "lines.jsonl", "--request-size", "20", "--quiet")
    out = shell.folder / "out.jsonl"
    with shell.up(flow) as up, shell.start(*arguments, "--output", out) as post:
        killer = Killer(shell, chance)
        killer.start()
        made = 0
        try:
            while post.process.poll() is None:
                done = shell.fork("flow", *a_change(chance, ["slow", "upper"]))
                assert done.code == 0, f"{done.err}\n{up.err}"
                made += 1
        finally:
            killer.stop()
        done = post.end()._replace(out=out.read_text())
        outcomes = done.lines
        assert [line["id"] for line in outcomes] == [f"d{n}" for n in range(LINES)], done.err
        failed = [line["error"] for line in outcomes if "error" in line]
        # A request is given up only when two workers died with it: rare, and told.
        assert {error["type"] for error in failed} <= {"jina.excepts.WorkerDied"}, failed[:1]
        assert len(failed) < LINES / 10
        assert made
        assert sum(killer.kills.values()) > 0
        wait_until(lambda: is_whole(shell), WAIT_S, "every worker is ready again")
        assert shell.fork("post", "/", stdin=json_lines(10)).code == 0, up.err
