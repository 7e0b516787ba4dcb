"""`jina post --flow file.yml`: a Flow for one command, which comes and goes with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jina.defaults import DRAIN_GRACE_S
from tests.polling import wait_until
from tests.shell import WAIT_S, Running, Shell, json_lines
from tests.terminal import Terminal


def worker_of(post: Running) -> int:
    """Post a line; the process id of the worker that answers."""
    post.tell(b"{}\n")
    pid: int = json.loads(post.read_line())["tags"]["pid"]
    return pid


def test_each_has_its_own_and_none_ends_with_another(shell: Shell) -> None:
    shell.flow("Counter")
    options = ("--flow", "flow.yml", "--inputs", "-", "--quiet")
    with (
        shell.start("post", "/seen", *options, stdin=subprocess.PIPE) as first,
        shell.start("post", "/seen", *options, stdin=subprocess.PIPE) as second,
    ):
        workers = [worker_of(first), worker_of(second)]
        assert workers[0] != workers[1]
        assert [flow["one_shot"] for flow in shell.ps()] == [True, True]
        assert all("ready, for a post" in line for line in shell.ps_table()[1:])
        assert first.end().code == 0
        assert worker_of(second) == workers[1]
        done = shell.call("post", "/seen", "--text", "x")
        assert (done.code, done.out) == (4, "")
        assert done.said.startswith("error: no Flow is running\n")
        assert second.end().code == 0
    assert not shell.processes()


def test_it_stands_in_the_way_of_no_flow_of_the_same_file(shell: Shell) -> None:
    shell.flow("Counter")
    options = ("--flow", "flow.yml", "--inputs", "-", "--quiet")
    with shell.start("post", "/seen", *options, stdin=subprocess.PIPE) as post:
        own = worker_of(post)
        with shell.up("flow.yml"):
            (line,) = shell.fork("post", "/seen", "--flow", "flow.yml").lines
            assert line["tags"]["pid"] != own
            assert post.end().code == 0
            assert shell.call("post", "/seen").code == 0


def test_down_ends_it_too(shell: Shell) -> None:
    shell.flow("Counter")
    options = ("--flow", "flow.yml", "--inputs", "-", "--quiet")
    with shell.start("post", "/seen", *options, stdin=subprocess.PIPE) as post:
        worker_of(post)
        assert shell.call("flow", "down", "flow").code == 0
        post.tell(b"{}\n")
        done = post.end()
    assert done.code == 4
    assert "Stopping (SIGTERM)\n" in done.said


def test_what_is_wrong_with_a_batch_is_said_once(shell: Shell) -> None:
    """An error of jina's own has no traceback to show beside its words."""
    batching = "{/status: {preferred_batch_size: 2, timeout: 1}}"
    shell.flow(f"Status, uses_dynamic_batching: {batching}")
    done = shell.fork("post", "/status", "-t", "a", "-t", "b", "--flow", "flow.yml")
    assert done.code == 3
    assert done.said.count("the method of /status returned 1 Document for 2; ") == 1
    assert done.said.count("help: ") == 1
    assert "2 of 2 failed; the first: BatchingError in status: the method of" in done.said


def test_the_greeting_takes_no_longer_than_the_timeout(shell: Shell) -> None:
    done = shell.call(
        "post", "/", "--text", "x", "--address", "tcp://127.0.0.1:1", "--timeout", "200ms"
    )
    assert (done.code, done.out) == (4, "")
    assert done.said.startswith("error: tcp://127.0.0.1:1: no answer within 0.2 s\nhelp: is ")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_interrupts_it_is_told_what_it_waits_for(shell: Shell, signum: int) -> None:
    """On a terminal; and the second time it ends at once."""
    shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with Terminal(shell, "post", "/", "--text", "x", "--flow", "flow.yml") as terminal:
        wait_until((shell.folder / "begun").exists)
        terminal.process.send_signal(signum)
        terminal.wait_for("Press Ctrl-C again to stop")
        assert terminal.process.poll() is None  # it waits for the request that was begun
        asked_at = time.monotonic()
        terminal.process.send_signal(signum)
        assert terminal.process.wait(WAIT_S) == (130 if signum == signal.SIGINT else 143)
        assert time.monotonic() - asked_at < DRAIN_GRACE_S
        terminal.wait_for("interrupted" if signum == signal.SIGINT else "terminated")
    assert terminal.shown.splitlines()[1:3] == [
        "0 results were written before the interruption",
        "Finishing requests in progress, then stopping the Flow. Press Ctrl-C again to stop "
        "immediately",
    ]
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")


def test_interrupted_once_it_finishes_what_was_begun(shell: Shell) -> None:
    shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.start("post", "/", "--text", "x", "--flow", "flow.yml", "--quiet") as post:
        wait_until((shell.folder / "begun").exists)
        post.process.send_signal(signal.SIGINT)
        post.wait_for("before the interruption")
        (shell.folder / "go").touch()
        done = post.end()
    assert done.code == 130
    assert done.said == "0 results were written before the interruption\ninterrupted\n"
    assert (shell.folder / "closed").exists()


def test_a_terminal_that_is_closed_ends_it_in_order(shell: Shell) -> None:
    shell.flow("Gate", name="unused.yml")
    shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    shell.write("many.jsonl", json_lines(1000))
    with Terminal(shell, "post", "/", "-i", "many.jsonl", "-f", "flow.yml", owns=True) as terminal:
        wait_until((shell.folder / "begun").exists)
        (shell.folder / "go").touch()
        terminal.close()
        terminal.process.wait(WAIT_S)
    wait_until(lambda: not shell.processes() and not shell.directories(), what="all are gone")
    assert (shell.folder / "closed").exists()


def test_a_stopped_and_continued_post_goes_on(shell: Shell) -> None:
    shell.flow("Slow")
    shell.write("many.jsonl", json_lines(2000))
    with shell.start("post", "/", "-i", "many.jsonl", "-f", "flow.yml", "-q") as post:
        assert post.read_line()
        # Not SIGTSTP: it does nothing in a session that has no terminal.
        post.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: state_of(post.pid) == "T")
        post.process.send_signal(signal.SIGCONT)
        done = post.end()
    assert (done.code, done.said) == (0, "")
    assert len(done.out.splitlines()) == 1999


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_the_end_of_a_killed_one_is_told_as_what_it_is(shell: Shell) -> None:
    """It has no terminal or log of its own, and nobody starts it with `jina flow up`."""
    shell.flow(f"Gate, uses_with: {{folder: {shell.folder}}}")
    with shell.start("post", "/", "--text", "x", "--flow", "flow.yml", "--quiet") as post:
        wait_until((shell.folder / "begun").exists)
        os.kill(shell.ps()[0]["pid"], signal.SIGKILL)
        done = post.end()
    assert done.code == 4
    assert done.said.endswith(
        "the Flow is gone\n"
        "help: it was started for this command, and was killed or gave up; run the command again\n"
    )
