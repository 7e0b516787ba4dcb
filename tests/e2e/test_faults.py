"""Deaths during a post: every line has exactly one outcome, in order, whatever dies."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from tests.polling import wait_until
from tests.shell import Running, Shell, is_alive, json_lines

LINES = 4000
LOST = (
    "it has no workers left; `jina flow restart frail` (or a fix under --watch) brings it "
    "back; the last one ended with exit code 9"
)


def post_and(shell: Shell, post: Running, count: int, *kills_at: tuple[int, str]) -> list[str]:
    """Read the outcomes of a post of `count` lines, and kill somebody at some of them.

    Args:
        shell: with the Flow.
        post: under way, of `json_lines(count)`.
        count: of lines.
        *kills_at: number of the line that was read last, and whom to kill: a worker's name or
            "gateway"; in order.

    Returns:
        the lines, decoded.
    """
    kills = list(kills_at)
    found = []
    for number in range(count):
        line = post.read_line()
        assert line, post.err
        found.append(line.decode())
        while kills and kills[0][0] == number:
            whom = kills.pop(0)[1]
            # One that was killed a moment ago may not be there yet.
            if whom == "gateway":
                pid = shell.gateway()
            else:
                pid = wait_until(lambda whom=whom: shell.workers().get(whom))
            os.kill(pid, signal.SIGKILL)
            if whom != "gateway":
                wait_until(lambda pid=pid: not is_alive(pid))
    assert not kills
    return found


def assert_all_in_order(lines: list[str], count: int, start: int = 0) -> None:
    assert [json.loads(line)["id"] for line in lines] == [
        f"d{n}" for n in range(start, start + count)
    ]
    assert not [line for line in lines if '"error"' in line]


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("seed", [1, 2])
def test_workers_are_killed_and_no_line_is_lost_or_doubled(
    shell: Shell, replicas: int, seed: int
) -> None:
    chance = random.Random(seed)
    kills = sorted(
        (number, f"{node}/{chance.randrange(replicas)}")
        for number, node in zip(chance.sample(range(LINES - 2000), 3), "sus", strict=True)
    )
    flow = shell.flow(
        f"Slow, name: s, replicas: {replicas}", f"Upper, name: u, replicas: {replicas}"
    )
    shell.write("lines.jsonl", json_lines(LINES))
    with shell.up(flow) as up:
        with shell.start("post", "/", "--inputs", "lines.jsonl") as post:
            lines = post_and(shell, post, LINES, *kills)
            done = post.end()
            assert (done.code, done.out, done.said) == (0, "", "")
        assert_all_in_order(lines, LINES)
        assert [json.loads(line)["text"] for line in lines] == [f"LINE {n}" for n in range(LINES)]
        for _, worker in kills:
            assert f"{worker} was killed by SIGKILL; restarting in 0." in up.err
        wait_until(lambda: len(shell.workers()) == 2 * replicas)
        assert {each["state"] for each in shell.ps()[0]["workers"]} <= {"ready", "starting"}


def test_the_gateway_is_killed_and_the_workers_keep_their_memory(shell: Shell) -> None:
    with shell.up(shell.flow("Counter", "Slow")) as up:
        before = shell.workers()
        with shell.start("post", "/", stdin=subprocess.PIPE) as post:
            post.tell(json_lines(2000).encode())
            lines = post_and(shell, post, 1500, (500, "gateway"))
            post.tell(json_lines(2000, 2000).encode())
            lines += post_and(shell, post, 2500, (900, "gateway"))
            done = post.end()
            assert (done.code, done.out, done.said) == (0, "", "")
        assert_all_in_order(lines, 4000)
        assert shell.workers() == before
        (seen,) = shell.fork("post", "/seen").lines
        assert seen["tags"] == {"seen": 4000, "pid": before["counter/0"]}
        assert up.err.count("gateway was killed by SIGKILL; restarting immediately\n") == 2
        assert shell.ps()[0]["state"] == "ready"


@pytest.mark.parametrize("word", ["die", "exit"])
def test_a_document_that_kills_its_worker_fails_and_the_rest_is_right(
    shell: Shell, word: str
) -> None:
    lines = json_lines(1000).splitlines()
    for poisoned in (0, 555, 999):
        lines[poisoned] = json.dumps({"id": f"d{poisoned}", "text": word})
    with shell.up(shell.flow("Moody, replicas: 2")):
        done = shell.fork("post", "/moody", "--request-size", "10", stdin="\n".join(lines))
        assert [line["id"] for line in done.lines] == [f"d{n}" for n in range(1000)]
        failed = [line for line in done.lines if "error" in line]
        assert [line["id"] for line in failed] == ["d0", "d555", "d999"]
        how = "killed by SIGKILL" if word == "die" else "exit code 7"
        for line, deaths in zip(failed, (5, 5, 6), strict=True):
            assert line["error"] == {
                "type": "jina.excepts.WorkerDied",
                "message": f"This Document crashed the worker ({deaths} attempts; {how})",
                "executor": "moody",
                "endpoint": "/moody",
            }
        assert all(
            line["text"] == f"LINE {line['id'][1:]}" for line in done.lines if "text" in line
        )
    assert done.code == 3
    assert done.said == (
        "3 of 1,000 failed; the first: WorkerDied in moody: "
        f"This Document crashed the worker (5 attempts; {how})\n"
    )


def test_a_request_that_kills_says_what_its_worker_said_last(shell: Shell) -> None:
    shell.write(
        "last.py",
        "import os\n"
        "from jina import Executor, requests\n"
        "class Last(Executor):\n"
        "    @requests\n"
        "    def act(self, **kwargs):\n"
        "        print('out of memory, almost')\n"
        "        os.abort()\n",
    )
    shell.write("flow.yml", "executors: [{name: l, uses: {jtype: Last, py_modules: last.py}}]\n")
    with shell.up("flow.yml"):
        (line,) = shell.fork("post", "/").lines
    assert line["error"]["message"] == (
        "This request crashed the worker (2 attempts; killed by SIGABRT); its last lines were:\n"
        "    out of memory, almost"
    )


def test_a_worker_that_dies_at_idle_too_often_is_given_up(shell: Shell) -> None:
    """Requests fail at once then, `ps` says so, and other endpoints go on."""
    with shell.up(shell.flow("DiesAtIdle, name: frail", "Status")) as up:
        up.wait_for("error: frail/0 ended with exit code 9, too often: it will not be restarted\n")
        done = shell.fork("post", "/never", "--text", "x")
        assert done.code == 3
        assert done.lines[0]["error"] == {
            "type": "jina.excepts.ExecutorUnavailable",
            "message": LOST,
            "executor": "frail",
            "endpoint": "/never",
        }
        assert shell.fork("post", "/status").code == 0
        (flow,) = shell.ps()
        assert flow["state"] == "degraded"
        assert flow["failed"] == {"frail": LOST}
        header, first, last = (" ".join(row.split()) for row in shell.ps_table())
        assert header == "flow state up worker pid state outstanding failed file"
        assert first.startswith("flow degraded ")
        assert first.endswith(" flow.yml")
        assert last == (f"frail failed: {LOST}")


def test_a_killed_worker_keeps_its_place_and_gets_a_new_process(shell: Shell) -> None:
    with shell.up(shell.flow("Upper, replicas: 2")):
        before = shell.workers()
        os.kill(before["upper/1"], signal.SIGKILL)

        def is_back() -> bool:
            now = shell.workers()
            states = {each["state"] for each in shell.ps()[0]["workers"]}
            return set(now) == set(before) and now != before and states == {"ready"}

        wait_until(is_back)
        assert shell.workers()["upper/0"] == before["upper/0"]


def test_a_worker_that_cannot_be_started_again_is_tried_later(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")) as flow:
        limits = resource.prlimit(flow.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(flow.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(shell.workers()["upper/0"], signal.SIGKILL)
        flow.wait_for("upper/0 could not be started: ")
        resource.prlimit(flow.pid, resource.RLIMIT_NOFILE, limits)
        assert shell.fork("post", "/upper", "--text", "a").lines[0]["text"] == "A"


def test_what_a_killed_worker_had_started_is_ended(shell: Shell) -> None:
    with shell.up(shell.flow("Parent")):
        (line,) = shell.fork("post", "/").lines
        grandchild = int(line["tags"]["pid"])
        os.kill(shell.workers()["parent/0"], signal.SIGKILL)
        wait_until(lambda: not is_alive(grandchild))


def test_the_flow_goes_away_during_a_post(shell: Shell) -> None:
    """What was answered stands; the rest is told as an error, within seconds."""
    shell.write("lines.jsonl", json_lines(20_000))
    with shell.up(shell.flow("Slow")) as up:
        with shell.start("post", "/", "--inputs", "lines.jsonl") as post:
            assert b'"d0"' in post.read_line()
            os.kill(up.pid, signal.SIGKILL)
            done = post.end()
        up.end()
    assert done.code == 4
    written = 1 + len(done.lines)  # the first was read above
    assert done.err.startswith(f"{written:,} results were written before this:\nerror: ipc://")
    assert done.err.endswith(
        "front.ipc: the Flow is gone\n"
        "help: `jina flow logs --flow flow` shows why; start it again with `jina flow up`\n"
    )


def test_methods_that_raise_now_and_then(shell: Shell) -> None:
    """Only those lines fail, not the others of their requests; all keep their places."""
    lines = json_lines(LINES).splitlines()
    bad = sorted(random.Random(7).sample(range(LINES), 20))
    for number in bad:
        lines[number] = json.dumps({"id": f"d{number}", "text": "raise"})
    with shell.up(shell.flow("Moody, replicas: 2")):
        done = shell.fork("post", "/moody", "--request-size", "5", stdin="\n".join(lines))
    assert done.code == 3
    assert len(done.lines) == LINES
    for number, line in enumerate(done.lines):
        assert line["id"] == f"d{number}"
        assert ("error" in line) == (number in bad)


def test_a_supervised_program_may_write_without_end(shell: Shell) -> None:
    """Megabytes of output neither block the worker nor the others."""
    shell.write(
        "noisy.py",
        "from jina import Executor, requests\n"
        "class Noisy(Executor):\n"
        "    @requests\n"
        "    def act(self, **kwargs):\n"
        "        print('x' * 100 * 1024)\n"
        "        for number in range(5000): print('line', number)\n",
    )
    path: Path = shell.write(
        "flow.yml", "executors: [{name: n, uses: {jtype: Noisy, py_modules: noisy.py}}]\n"
    )
    with shell.up(path.name) as up:
        assert shell.fork("post", "/", stdin=json_lines(300)).code == 0
        up.wait_for("n/0 | line 4999\n")
