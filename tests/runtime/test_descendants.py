"""What workers started, wherever it has gone, ends with the Flow; nobody else does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jina.runtime import descendants
from jina.runtime.descendants import MARK, end_marked, end_orphans, mark_of
from tests.polling import wait_until
from tests.shell import Shell, is_alive

Sleeper = Callable[[str | None], subprocess.Popen[bytes]]

DAEMON = """
import subprocess, sys
from jina import Document, DocumentArray, Executor, requests
def is_alive(pid):
    try:
        state = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
class Daemon(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with open("daemons", "a+") as log:
            log.seek(0)
            met = [pid for line in log for pid in map(int, line.split()) if is_alive(pid)]
            code = "import time; time.sleep(600)"
            self._pids = [
                subprocess.Popen([sys.executable, "-c", code], start_new_session=new).pid
                for new in (False, True)
            ]
            print(*self._pids, file=log)
        with open("met", "a") as log:
            print(*met, file=log)
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
        started.append(process)
        wait_until(lambda: has_mark(process, mark or ""))  # until then it still has our own
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(30)


def has_mark(process: subprocess.Popen[bytes], mark: str) -> bool:
    """Whether a process has begun with this mark.

    Any `jina` command that runs meanwhile ends an orphan at once: then it had the mark.
    """
    try:
        return descendants._read_mark(process.pid) == mark
    except OSError:
        return process.poll() == -signal.SIGKILL


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
    assert ours.wait(30) == -signal.SIGKILL
    assert [process.poll() for process in others] == [None, None, None]


def test_the_descendants_of_one_worker_end_and_those_of_its_supervisors_others_do_not(
    sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descendants, "_LAST_S", 30.0)  # however busy the machine is
    ours = [sleeper(mark_of(os.getpid(), incarnation)) for incarnation in (1, 3)]
    others = [
        sleeper(mark_of(os.getpid(), 12)),
        sleeper(mark_of(os.getpid())),
        sleeper(mark_of(os.getppid(), 1)),
    ]
    end_marked(mark_of(os.getpid(), 1), mark_of(os.getpid(), 3), "")
    # Not a moment later: whoever is started next finds their ports free.
    assert [process.poll() for process in ours] == [-signal.SIGKILL] * 2
    assert [process.poll() for process in others] == [None] * 3
    end_marked(mark_of(os.getpid()))
    assert [process.poll() for process in others] == [-signal.SIGKILL, -signal.SIGKILL, None]


def test_ending_them_leaves_no_descriptor(sleeper: Sleeper) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(3):
        sleeper(mark_of(os.getpid(), 1))
        end_marked(mark_of(os.getpid()))
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_without_a_mark_nobody_ends(sleeper: Sleeper) -> None:
    process = sleeper("")
    end_marked("")
    assert process.poll() is None


def test_orphans_end_and_the_living_do_not(sleeper: Sleeper) -> None:
    orphan = sleeper(ended_mark())
    where, pid, ticks = mark_of(os.getpid()).split("-")
    orphan_of_worker = sleeper(f"{ended_mark()}-7")
    reused = sleeper(f"{where}-{pid}-{int(ticks) - 1}")  # that process id is another's by now
    spared = [
        sleeper(mark_of(os.getpid())),
        sleeper(mark_of(os.getpid(), 7)),
        sleeper(None),
        sleeper("nonsense"),
        sleeper(f"{where}-x-1"),
        sleeper("1" + ended_mark()),  # of another namespace: nobody whom we could look up
    ]
    end_orphans()
    assert orphan.wait(30) == -signal.SIGKILL
    assert orphan_of_worker.wait(30) == -signal.SIGKILL
    assert reused.wait(30) == -signal.SIGKILL
    assert [process.poll() for process in spared] == [None] * len(spared)


def test_a_supervisor_that_is_dead_and_not_reaped_is_gone(sleeper: Sleeper) -> None:
    with subprocess.Popen(["sleep", "600"]) as dead:
        orphan = sleeper(mark_of(dead.pid))
        dead.kill()
        wait_until(lambda: not is_alive(dead.pid))
        end_orphans()
        assert orphan.wait(30) == -signal.SIGKILL


def test_a_mark_says_which_process_of_which_namespace() -> None:
    where, pid, ticks = mark_of(os.getpid()).split("-")
    assert (int(pid), int(ticks) > 0, where.isdecimal()) == (os.getpid(), True, True)
    assert mark_of(1 << 22) == ""  # beyond the largest process id


def daemons(shell: Shell) -> list[int]:
    """The processes that the Executor has started: one in its session, one in its own."""
    (line,) = shell.fork("post", "/").lines
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


def test_what_a_killed_worker_had_started_ends_before_another_one_starts(
    daemon_flow: Shell,
) -> None:
    """Whether it had left the worker's session or not; that of another worker stays."""
    daemon_flow.write(
        "flow.yml",
        "executors: [{name: d, replicas: 2, uses: {jtype: Daemon, py_modules: daemon.py}}]\n",
    )

    def told(name: str) -> list[list[int]]:
        lines = (daemon_flow.folder / name).read_text().splitlines()
        return [sorted(map(int, line.split())) for line in lines]

    with daemon_flow.up("flow.yml"):
        killed = daemon_flow.workers()["d/0"]
        gone, stay = sorted(told("daemons"), key=lambda pids: parent_of(pids[0]) != killed)
        assert [parent_of(pid) for pid in gone] == [killed] * 2
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(told("met")) == 3, what="another one has started")
        assert told("met")[-1] == stay
        assert all(map(is_alive, stay + told("daemons")[-1]))
    assert not any(is_alive(pid) for pids in told("daemons") for pid in pids)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_supervisor_leaves_nothing_that_its_executors_started(daemon_flow: Shell) -> None:
    with daemon_flow.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        pids = daemons(daemon_flow)
        up.end(signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, pids)), what="the gateway has ended them")
    wait_until(lambda: not daemon_flow.directories() and not daemon_flow.processes())


@pytest.mark.parametrize("next_command", ["flow ps", "flow down", "flow up flow.yml --detach"])
def test_the_next_command_ends_what_a_killed_flow_left(
    daemon_flow: Shell, next_command: str
) -> None:
    """The supervisor is killed, with the gateway that would clean up after it."""
    with daemon_flow.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        pids = daemons(daemon_flow)
        gateway = daemon_flow.gateway()
        os.kill(gateway, signal.SIGSTOP)
        os.kill(up.pid, signal.SIGKILL)
        os.kill(gateway, signal.SIGKILL)
        up.end()
    wait_until(lambda: not is_alive(gateway))
    # One of them had left the worker's session; whatever `jina` runs first ends it.
    assert daemon_flow.fork(*next_command.split()).code == 0
    wait_until(lambda: not any(map(is_alive, pids)), what="what the Executor started is gone")
    if "--detach" in next_command:
        assert daemon_flow.fork("flow", "down").code == 0


def test_a_foreign_program_in_the_place_of_a_killed_worker_is_spared(daemon_flow: Shell) -> None:
    """A program without the mark lives on, whoever is its parent."""
    with daemon_flow.start("flow", "up", "flow.yml", "--json") as up:
        assert up.read_line()
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        with subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=-1, env=environment
        ) as other:
            up.end(signal.SIGKILL)
            assert daemon_flow.fork("flow", "ps").code == 0
            assert other.poll() is None
            other.communicate(b"\n")
    wait_until(lambda: not daemon_flow.directories() and not daemon_flow.processes())
