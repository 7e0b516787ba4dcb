"""A worker that is late writes its stacks and is killed, unless it has gone on meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import WorkerSpec
from jina.launch.child import Child
from jina.launch.overdue import OverdueWorkers
from jina.launch.workers import WorkerProcess, Workers
from jina.runtime import control
from jina.runtime.board import Board, create_board

LATE = control.Overdue(identity="a/0/1", begun=7, seconds=2.0)
CODE = (
    "import faulthandler, signal; faulthandler.register(signal.SIGUSR1); print(flush=True); "
    "signal.pause(); signal.pause()"
)


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    create_board(tmp_path / "board")
    board = Board(tmp_path / "board")
    yield board
    board.close()


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout
    process.stdout.readline()
    child = Child("a/0", process)
    spec = WorkerSpec(node="a", replica=0, executor=ExecutorSpec(jtype="A"))
    yield WorkerProcess("a/0/1", spec, child, 3)
    child.signal_group(signal.SIGKILL)
    child.wait(30)
    child.close()


@pytest.fixture
def overdue(worker: WorkerProcess, board: Board, tmp_path: Path) -> OverdueWorkers:
    known = {worker.identity: worker}
    return OverdueWorkers(cast(Workers, known), str(tmp_path / "board"), lambda event: None)


def test_it_is_killed_a_moment_after_it_was_asked(
    overdue: OverdueWorkers, worker: WorkerProcess, board: Board
) -> None:
    board[3] = 7
    assert overdue.ask(LATE, 100.0)
    assert not overdue.ask(LATE, 100.1)  # it was asked already
    (due,) = overdue.due
    overdue.end_due(due - 0.01)
    assert not worker.child.has_ended()
    overdue.end_due(due)
    assert worker.child.wait(30)
    assert worker.child.ending == "was killed by SIGKILL"
    assert overdue.due == []
    assert not overdue.ask(LATE, 200.0)  # it is being ended


def test_one_that_has_gone_on_is_left_alone(
    overdue: OverdueWorkers, worker: WorkerProcess, board: Board
) -> None:
    board[3] = 7
    assert overdue.ask(LATE, 100.0)
    board[3] = 8
    overdue.end_due(200.0)
    assert not worker.child.has_ended()
    assert overdue.ask(control.Overdue(identity="a/0/1", begun=8, seconds=2.0), 201.0)


def test_one_that_is_gone_is_not_asked(overdue: OverdueWorkers) -> None:
    assert not overdue.ask(control.Overdue(identity="b/0/1", begun=7, seconds=2.0), 100.0)
    assert overdue.due == []
