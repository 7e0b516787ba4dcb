"""Runs are kept in a private folder: the newest ones, with how they ended."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jina.launch.rundir import started_at_ticks
from jina.runtime import pastruns
from jina.runtime.pastruns import (
    PastRun,
    all_runs,
    begin_run,
    last_run_of,
    read_run,
    save_run,
    state_directory,
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JINA_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def run(number: int, **more: object) -> PastRun:
    fields = {"name": f"flow{number}", "pid": number, "started_at": 86400.0 + number, **more}
    return PastRun(**fields)  # type: ignore[arg-type]


def test_where_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JINA_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert state_directory() == Path("/x/jina")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert state_directory() == Path("/home/me/.local/state/jina")


def test_a_run_is_private_and_found_again(state: Path) -> None:
    folder = begin_run(run(1, directory="/run/a"))
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "run.json").stat().st_mode) == 0o600
    save_run(folder, run(1, directory="/run/a", ended_at=5.0, ending="stopped"))
    begin_run(run(2, directory="/run/a", ended_at=6.0))
    assert [found.name for _, found in all_runs()] == ["flow2", "flow1"]
    found = last_run_of("/run/a")
    assert found is not None
    assert found[1].name == "flow2"
    assert last_run_of("/run/b") is None


def test_a_run_whose_supervisor_is_gone_was_killed(state: Path) -> None:
    mine = run(os.getpid(), ticks=started_at_ticks(os.getpid()))
    folder = begin_run(mine)
    assert folder is not None
    found = read_run(folder)
    assert found is not None
    assert (found.is_running, found.ending, found.ended_at) == (True, "", 0.0)
    (folder / "log").write_text("x")
    os.utime(folder / "log", (200_000, 200_000))
    save_run(folder, run(os.getpid(), ticks=1))  # another process had that id
    found = read_run(folder)
    assert found is not None
    assert (found.is_running, found.ending, found.ended_at) == (False, "killed", 200_000)


def test_the_newest_runs_are_kept_and_those_that_run(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = run(os.getpid(), ticks=started_at_ticks(os.getpid()), started_at=1.0, name="alive")
    begin_run(alive)
    for number in range(30):
        begin_run(run(number, ended_at=9.0))
    names = [found.name for _, found in all_runs()]
    assert names == [*(f"flow{number}" for number in range(29, 9, -1)), "alive"]
    monkeypatch.setattr(pastruns, "KEPT_RUNS_BYTES", 100)
    for folder, _ in all_runs():
        (folder / "log").write_bytes(bytes(40))
    begin_run(run(30, ended_at=9.0))
    assert [found.name for _, found in all_runs()] == ["flow30", "flow29", "flow28", "alive"]


def test_where_nothing_can_be_written_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("JINA_STATE_DIR", str(tmp_path / "file" / "below"))
    assert begin_run(run(1)) is None
    assert list(all_runs()) == []


def test_a_folder_that_others_can_write_to_is_not_used(state: Path) -> None:
    (state / "runs").mkdir(parents=True)
    (state / "runs").chmod(0o777)
    assert begin_run(run(1)) is None
