"""`jina flow status`, `top` and `ps`: what each process of a Flow is at, told by who knows it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from tests.polling import wait_until
from tests.shell import JINA, WAIT_S, Shell

CLOSING = """
import os, threading
from jina import Executor, requests


class Closing(Executor):
    @requests(on="/call")
    def in_the_call(self, docs, **kwargs):
        os.closerange(0, 65536)

    @requests(on="/thread")
    def in_a_thread(self, docs, **kwargs):
        threading.Thread(target=self.close_all).start()

    def close_all(self):
        while not os.path.exists("answered"):
            pass
        os.closerange(0, 65536)

    @requests
    def nothing(self, docs, **kwargs):
        pass
"""


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Shell]:
    """A Flow whose last Executor waits for a file."""
    folder = shared_shell.folder
    file = shared_shell.flow("Moody, replicas: 2", f"Gate, uses_with: {{folder: {folder}}}")
    with shared_shell.up(file):
        yield shared_shell


def status(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shell.call("flow", "status", "--json").out)
    return found


def worker(shell: Shell, name: str) -> dict[str, Any]:
    (found,) = (each for each in status(shell)["workers"] if each["name"] == name)
    return found


def test_a_flow_that_is_well(flow: Shell) -> None:
    done = flow.call("flow", "status", "flow.yml", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert (found["schema"], found["name"], found["state"]) == ("jina/status/v1", "flow", "healthy")
    assert found["problems"] == []
    assert [each["name"] for each in found["workers"]] == ["moody/0", "moody/1", "gate/0"]
    assert {each["state"] for each in found["workers"]} == {"ready"}
    assert all(each["memory"] > 1 << 20 for each in (*found["workers"], found["gateway"]))
    done = flow.call("flow", "status")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("flow is healthy: up ")
    assert lines[2].split()[:4] == ["process", "state", "pid", "memory"]
    assert [line.split()[0] for line in lines[3:7]] == ["gateway", "moody/0", "moody/1", "gate/0"]


def test_a_worker_that_works_and_one_that_is_stopped(flow: Shell) -> None:
    pid = worker(flow, "gate/0")["pid"]
    with flow.start("post", "/", "--text", "x") as post:
        found = wait_until(lambda: (w := worker(flow, "gate/0"))["state"] == "busy" and w)
        assert found["outstanding"] == 1
        assert found["oldest_s"] >= 0
        assert found["since_s"] <= found["up_s"]
        assert status(flow)["gateway"]["requests_held"] == 1
        assert flow.call("flow", "status").code == 0
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: worker(flow, "gate/0")["state"] == "stopped")
            done = flow.call("flow", "status")
            assert done.code == 1
            assert done.out.startswith("flow is degraded: ")
            assert "\n- gate/0 is stopped\n" in done.out
            (shown,) = flow.ps()
            assert shown["state"] == "degraded"
            assert [each["state"] for each in shown["workers"]] == ["ready", "ready", "stopped"]
        finally:
            os.kill(pid, signal.SIGCONT)
        (flow.folder / "go").touch()
        assert post.end().code == 0
    wait_until(lambda: worker(flow, "gate/0")["state"] == "ready")
    assert worker(flow, "gate/0")["calls"] == 1


def test_a_stopped_gateway_does_not_keep_anybody_waiting(flow: Shell) -> None:
    gateway = flow.gateway()
    os.kill(gateway, signal.SIGSTOP)
    try:
        done = flow.call("flow", "status", "--json")
    finally:
        os.kill(gateway, signal.SIGCONT)
    assert done.code == 1
    found = json.loads(done.out)
    assert found["problems"] == ["the gateway is stopped"]
    assert [each["state"] for each in found["workers"]] == ["ready"] * 3


def test_failures_are_counted_and_told_in_the_log(flow: Shell) -> None:
    (flow.folder / "go").touch()
    lines = '{"id": "m1", "text": "raise"}\n'
    assert flow.call("post", "/moody", stdin=lines).code == 3
    lines = '{"id": "n1", "text": "well"}\n{"id": "n2", "text": "exit"}\n'
    assert flow.call("post", "/moody", stdin=lines).code == 3
    found = wait_until(lambda: (s := status(flow))["gateway"]["failures"] >= 2 and s)
    nodes = {each["name"]: each["failures"] for each in found["nodes"]}
    assert (nodes["gate"], nodes["moody"]) == (0, 2)
    assert sum(each["restarts"] for each in found["workers"]) >= 2
    assert "jina.excepts.WorkerDied" in found["gateway"]["last_error"]
    (shown,) = flow.ps()
    assert shown["requests_failed"] == 2

    def told() -> list[str]:
        log = flow.call("flow", "logs", "moody", "--json").out.splitlines()
        return [line["text"] for line in map(json.loads, log) if line["kind"] == "failure"]

    first, second = wait_until(lambda: len(lines := told()) == 2 and lines)
    assert first.startswith("error: /moody failed: ValueError: a bad mood (ids m1; from process ")
    assert second.startswith("error: /moody failed: jina.excepts.WorkerDied: ")
    assert "(ids n2; from process " in second


def test_an_unknown_flow_and_none(flow: Shell, shell: Shell) -> None:
    done = flow.call("flow", "status", "flwo")
    assert (done.code, done.out) == (4, "")
    assert 'did you mean "flow"?' in done.err
    for command in ("status", "top"):
        done = shell.fork("flow", command)
        assert (done.code, done.out) == (4, "")
        assert done.err.startswith("error: no Flow is running\n")


# --- on terminals of any width ---


@contextlib.contextmanager
def terminal(shell: Shell, columns: int, *arguments: str) -> Iterator[tuple[Any, int, list[Any]]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    before = termios.tcgetattr(theirs)
    environment = {name: value for name, value in shell.environment.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        ["setsid", "--ctty", JINA, *arguments],
        cwd=shell.folder,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    try:
        yield process, ours, before
        assert termios.tcgetattr(theirs) == before
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(WAIT_S)
        os.close(theirs)
        os.close(ours)


def shown(ours: int) -> str:
    os.set_blocking(ours, False)
    try:
        return os.read(ours, 1 << 20).decode()
    except BlockingIOError:
        return ""


@pytest.mark.parametrize("columns", [40, 200])
def test_lists_fit_the_screen(flow: Shell, columns: int) -> None:
    for command in ("status", "ps", "list"):
        with terminal(flow, columns, "flow", command) as (process, ours, _):
            process.wait(WAIT_S)
            text = shown(ours)
        lines = text.replace("\r\n", "\n").splitlines()
        assert "flow" in text
        assert max(map(len, lines)) <= columns
        assert columns == 40 or len(lines) < 12


@pytest.mark.parametrize(("key", "code"), [(b"q", 0), (b"\x03", 0)])
def test_top_leaves_the_terminal_as_it_was(flow: Shell, key: bytes, code: int) -> None:
    said = ""
    with terminal(flow, 80, "flow", "top", "--interval", "100ms") as (process, ours, _):

        def has_drawn_twice() -> bool:
            nonlocal said
            said += shown(ours)
            return said.count("q quits") >= 2

        wait_until(has_drawn_twice)
        os.write(ours, key)
        assert process.wait(WAIT_S) == code
        said += shown(ours)
    assert said.startswith("\x1b[?1049h\x1b[?25l\x1b[H")
    assert said.endswith("\x1b[?25h\x1b[?1049l")
    assert "requests/s" in said
    assert "moody" in said


def test_top_without_a_terminal_shows_one_screen(flow: Shell) -> None:
    done = flow.fork("flow", "top")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert done.out.startswith("flow is healthy: ")
    assert [line.split()[0] for line in done.out.splitlines()[2:5]] == ["executor", "moody", "gate"]
    assert done.err == "note: `jina flow status --json` is for scripts\n"


# --- workers that have lost their connection ---


def descriptors_of(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/fd")
    except OSError:  # it has died
        return []


def test_a_worker_that_closes_all_its_descriptors_is_replaced(shell: Shell) -> None:
    """In its method it dies as it replies; in a thread, nobody may notice but the gateway."""
    shell.write("closing.py", CLOSING)
    shell.write("flow.yml", "executors: [{name: c, uses: 'closing.py:Closing'}]\n")
    with shell.up("flow.yml"):
        before = shell.workers()["c/0"]
        done = shell.call("post", "/call", "--text", "x")
        assert done.code == 3
        assert done.lines[0]["error"]["type"] == "jina.excepts.WorkerDied"
        assert shell.call("post", "/", "--text", "x").code == 0
        after = shell.workers()["c/0"]
        assert after != before
        assert shell.call("post", "/thread", "--text", "x").code == 0
        (shell.folder / "answered").touch()
        wait_until(lambda: not descriptors_of(after))
        assert shell.call("post", "/", "--text", "x").code == 0
        assert shell.workers()["c/0"] != after
        ends = r"killed by SIGABRT|lost its connection"  # ZeroMQ's thread may notice it, too
        assert len(re.findall(ends, shell.call("flow", "logs").out)) >= 4  # three in its method
        assert shell.call("flow", "status").code == 0
