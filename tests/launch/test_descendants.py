"""What workers started, wherever it has gone, ends with the Flow; nobody else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from jina.launch import descendants
from jina.launch.descendants import MARK, end_marked, end_orphans, mark_of
from tests.polling import wait_until
from tests.shell import Shell, is_alive

Sleeper = Callable[[str | None], subprocess.Popen[bytes]]

DAEMON = """
import subprocess, sys
from jina import Document, DocumentArray, Executor, requests
class Daemon(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        code = "import time; time.sleep(600)"
        self._pids = [
            subprocess.Popen([sys.executable, "-c", code], start_new_session=new).pid
            for new in (False, True)
        ]
    @requests
    def tell(self, **kwargs):
        return DocumentArray([Document(tags={"pids": self._pids})])
"""


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """Start a process with a mark in its environment."""
    started = []

    def start(mark: str | None) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **({} if mark is None else {MARK: mark})}
        process = subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True)
        # Until then it still has our own.
        wait_until(lambda: descendants._read_mark(process.pid) == (mark or ""))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def ended_mark() -> str:
    """The mark of a process that is gone."""
    with subprocess.Popen(["sleep", "600"]) as process:
        mark = mark_of(process.pid)
        process.kill()
    return mark


def test_the_descendants_of_one_supervisor_end_and_no_others(sleeper: Sleeper) -> None:
    ours = sleeper(mark_of(os.getpid()))
    others = [sleeper(mark_of(os.getppid())), sleeper(None), sleeper("")]
    end_marked(mark_of(os.getpid()))
    assert ours.wait(10) == -signal.SIGKILL
    assert [process.poll() for process in others] == [None, None, None]


def test_without_a_mark_nobody_ends(sleeper: Sleeper) -> None:
    process = sleeper("")
    end_marked("")
    assert process.poll() is None


def test_orphans_end_and_the_living_do_not(sleeper: Sleeper) -> None:
    orphan = sleeper(ended_mark())
    where, pid, ticks = mark_of(os.getpid()).split("-")
    reused = sleeper(f"{where}-{pid}-{int(ticks) - 1}")  # that process id is another's by now
    spared = [
        sleeper(mark_of(os.getpid())),
        sleeper(None),
        sleeper("nonsense"),
        sleeper(f"{where}-x-1"),
        sleeper("1" + ended_mark()),  # of another namespace: nobody whom we could look up
    ]
    end_orphans()
    assert orphan.wait(10) == -signal.SIGKILL
    assert reused.wait(10) == -signal.SIGKILL
    assert [process.poll() for process in spared] == [None] * len(spared)


def test_a_supervisor_that_is_dead_and_not_reaped_is_gone(sleeper: Sleeper) -> None:
    with subprocess.Popen(["sleep", "600"]) as dead:
        orphan = sleeper(mark_of(dead.pid))
        dead.kill()
        wait_until(lambda: not is_alive(dead.pid))
        end_orphans()
        assert orphan.wait(10) == -signal.SIGKILL


def test_a_mark_says_which_process_of_which_namespace() -> None:
    where, pid, ticks = mark_of(os.getpid()).split("-")
    assert (int(pid), int(ticks) > 0, where.isdecimal()) == (os.getpid(), True, True)
    assert mark_of(1 << 22) == ""  # beyond the largest process id


def daemons(shell: Shell) -> list[int]:
    """The processes that the Executor has started: one in its session, one in its own."""
    (line,) = shell.run("post", "/").lines
    return [int(pid) for pid in line["tags"]["pids"]]


@pytest.fixture
def daemon_flow(shell: Shell) -> Shell:
    shell.write("daemon.py", DAEMON)
    shell.write(
        "flow.yml", "executors: [{name: d, uses: {jtype: Daemon, py_modules: daemon.py}}]\n"
    )
    return shell


def test_a_stopped_flow_leaves_nothing_that_its_executors_started(daemon_flow: Shell) -> None:
    with daemon_flow.up("flow.yml"):
        pids = daemons(daemon_flow)
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


def test_what_left_a_killed_worker_stays_until_the_flow_ends(daemon_flow: Shell) -> None:
    """Beside what the worker in its place has started."""
    with daemon_flow.up("flow.yml"):
        before = daemons(daemon_flow)
        os.kill(daemon_flow.workers()["d/0"], signal.SIGKILL)
        after = daemons(daemon_flow)
        wait_until(lambda: not is_alive(before[0]), 5, "what stayed in its session is gone")
        assert all(map(is_alive, [before[1], *after]))
        assert not {*before} & {*after}
    assert not any(map(is_alive, before + after))


@pytest.mark.parametrize("next_command", ["flow ps", "flow down", "flow up flow.yml --detach"])
@pytest.mark.parametrize("is_gateway_killed", [True, False])
def test_the_next_command_ends_what_a_killed_flow_left(
    daemon_flow: Shell, next_command: str, is_gateway_killed: bool
) -> None:
    """The supervisor is killed, alone or with the gateway that would clean up after it."""
    with daemon_flow.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        pids = daemons(daemon_flow)
        gateway = daemon_flow.gateway()
        if is_gateway_killed:
            os.kill(gateway, signal.SIGSTOP)
        os.kill(up.pid, signal.SIGKILL)
        if is_gateway_killed:
            os.kill(gateway, signal.SIGKILL)
        up.end()
    wait_until(lambda: not is_alive(gateway), 5)
    assert is_alive(pids[1])  # it had left the worker's session
    assert daemon_flow.run(*next_command.split()).code == 0
    wait_until(lambda: not any(map(is_alive, pids)), 5, "what the Executor started is gone")
    if "--detach" in next_command:
        assert daemon_flow.run("flow", "down").code == 0


def test_a_foreign_program_in_the_place_of_a_killed_worker_is_spared(daemon_flow: Shell) -> None:
    """A program without the mark lives on, whoever is its parent."""
    with daemon_flow.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        with subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=-1, env=environment
        ) as other:
            up.end(signal.SIGKILL)
            assert daemon_flow.run("flow", "ps").code == 0
            assert other.poll() is None
            other.communicate(b"\n")
    wait_until(lambda: not daemon_flow.directories() and not daemon_flow.processes(), 5)
