"""Run directories: one supervisor each, private, found by others, cleaned after a kill -9."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jina.excepts import FlowBuildLevelError, FlowError
from jina.launch.rundir import (
    FlowRecord,
    RunDirectory,
    base_directories,
    claim,
    directory_name,
    running,
    started_at_ticks,
)
from tests.polling import poll, wait_until


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def names() -> list[str]:
    return [record.name for _, record in running()]


@pytest.fixture
def base(runtime_dir: Path) -> Path:
    return runtime_dir / "jina"


@contextlib.contextmanager
def claimed(name: str = "flow", file: str = "", key: str = "") -> Iterator[RunDirectory]:
    directory = claim(name, file, key)
    try:
        yield directory
    finally:
        directory.remove()


# --- where -------------------------------------------------------------------------------------


def test_the_bases_are_the_chosen_one_or_the_users_two(
    runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path(f"/tmp/jina-{os.getuid()}")
    assert base_directories() == [runtime_dir / "jina"]
    monkeypatch.delenv("JINA_RUN_DIR")
    assert base_directories() == [runtime_dir / "jina", own]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_dir / "not there"))
    assert base_directories() == [own]
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert base_directories() == [own]


def test_a_directory_is_named_after_the_flow_and_its_file(tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.yml"), str(tmp_path / "b.yml")
    assert directory_name("search", first) == directory_name("search", first)
    assert directory_name("search", first) != directory_name("search", second)
    assert directory_name("search", first).startswith("search-")
    assert directory_name("se/../arch ü", first).startswith("se_.._arch__-")
    assert len(directory_name("x" * 500, first)) == 32 + 1 + 8
    assert directory_name("", first).startswith("flow-")


def test_a_link_to_a_file_names_the_same_directory(tmp_path: Path) -> None:
    (tmp_path / "a.yml").touch()
    (tmp_path / "link.yml").symlink_to("a.yml")
    assert directory_name("f", str(tmp_path / "a.yml")) == directory_name(
        "f", str(tmp_path / "link.yml")
    )


def test_flows_without_a_file_have_directories_of_their_own(base: Path) -> None:
    with claimed("flow") as first, claimed("flow") as second:
        assert first.path != second.path
        assert names() == ["flow", "flow"]


# --- claimed -----------------------------------------------------------------------------------


def test_a_claimed_directory_is_private_and_found(base: Path) -> None:
    with claimed("search", "/somewhere/search.yml", "/somewhere/search.yml") as directory:
        assert directory.path.parent == base
        for path in (base, directory.path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert directory.front == f"ipc://{directory.path}/front.ipc"
        assert directory.back == f"ipc://{directory.path}/back.ipc"
        ((path, record),) = running()
        assert path == directory.path
        assert (record.name, record.file) == ("search", "/somewhere/search.yml")
        assert (record.pid, record.is_ready) == (os.getpid(), False)
    assert list(base.iterdir()) == []
    assert names() == []


def test_what_is_saved_is_what_others_see(base: Path) -> None:
    with claimed() as directory:
        directory.record.is_ready = True
        directory.record.addresses = [directory.front, "tcp://127.0.0.1:5555"]
        directory.record.groups = {123: 456}
        directory.save()
        assert [record for _, record in running()] == [directory.record]


def test_the_same_file_twice_is_refused_and_names_the_process(base: Path) -> None:
    with claimed("search", "/f/search.yml", "/f/search.yml"):
        with pytest.raises(FlowBuildLevelError) as caught:
            claim("search", "/f/search.yml", "/f/search.yml")
        assert str(caught.value) == (
            f'/f/search.yml: the Flow "search" is already running, with process id {os.getpid()}\n'
            "help: stop it with `jina flow down`, or post to it"
        )
        assert names() == ["search"]  # the first one is unharmed
    with claimed("search", "/f/search.yml", "/f/search.yml"):
        assert names() == ["search"]


def test_the_same_file_from_a_session_with_another_environment_is_refused(
    tmp_path: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = [tmp_path / "here", tmp_path / "there"]
    monkeypatch.setattr("jina.launch.rundir.base_directories", lambda: bases[::-1])
    with claimed("search", "/f/search.yml", "/f/search.yml"):
        monkeypatch.setattr("jina.launch.rundir.base_directories", lambda: bases)
        with pytest.raises(FlowBuildLevelError, match="already running, with process id"):
            claim("search", "/f/search.yml", "/f/search.yml")
        assert names() == ["search"]
    with claimed("search", "/f/search.yml", "/f/search.yml"), claimed():
        assert names() == ["flow", "search"]


def test_of_many_who_claim_at_once_one_gets_it(base: Path) -> None:
    program = (
        "import sys\n"
        "from jina.excepts import FlowBuildLevelError\n"
        "from jina.launch.rundir import claim\n"
        "try:\n"
        "    directory = claim('flow', '', '/the/same.yml')\n"
        "except FlowBuildLevelError:\n"
        "    print('refused', flush=True)\n"
        "else:\n"
        "    print('claimed', flush=True)\n"
        "    sys.stdin.read()\n"
        "    directory.remove()\n"
    )
    claimants = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    said = []
    for process in claimants:
        assert process.stdout is not None
        said.append(process.stdout.readline().strip())
        list(running())  # whoever looks meanwhile does no harm
    for process in claimants:
        process.communicate()
    assert sorted(said) == ["claimed"] + ["refused"] * 5


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_base_that_is_open_to_others_is_refused(base: Path, mode: int) -> None:
    base.mkdir()
    base.chmod(mode)
    with pytest.raises(FlowError) as caught:
        claim("flow", "", "")
    assert str(caught.value) == (
        f"{base}: this folder must be a real folder, owned by you and closed to others\n"
        f"help: remove it, or `chmod 700 {base}` if it is yours"
    )
    with pytest.raises(FlowError) as looked:
        names()
    assert str(looked.value) == str(caught.value)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
def test_a_base_of_somebody_else_is_refused(base: Path) -> None:
    base.mkdir(mode=0o700)
    os.chown(base, 65534, 65534)
    with pytest.raises(FlowError, match="owned by you"):
        claim("flow", "", "")


def test_a_base_that_is_a_link_or_a_file_is_refused(base: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    base.symlink_to(tmp_path)
    with pytest.raises(FlowError, match="must be a real folder"):
        claim("flow", "", "")
    base.unlink()
    base.touch()
    with pytest.raises(FlowError, match="must be a real folder"):
        claim("flow", "", "")
    base.unlink()


def test_a_path_too_long_for_a_socket_is_refused(
    runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = runtime_dir / ("x" * 100)
    monkeypatch.setenv("JINA_RUN_DIR", str(base))
    with pytest.raises(FlowError) as caught:
        claim("flow", "", "/f.yml")
    assert caught.value.what == "a path of more than 107 bytes cannot hold a socket"
    assert caught.value.where.startswith(str(base))
    assert list(base.iterdir()) == []


# --- left by a supervisor that was killed ------------------------------------------------------


SUPERVISOR = """
import subprocess, sys
from jina.launch.rundir import claim, started_at_ticks
directory = claim("killed", "", "/killed.yml")
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
directory.record.groups[child.pid] = started_at_ticks(child.pid) + int(sys.argv[1])
directory.save()
for name in ("front.ipc", "board", "log"):
    (directory.path / name).touch()
print(child.pid, flush=True)
sys.stdin.read()
"""


def killed_supervisor(ticks_off: int = 0) -> int:
    """Leave a directory as a kill -9 does; its worker lives on.

    Args:
        ticks_off: by how much the worker's noted start is wrong.

    Returns:
        The worker's process id.
    """
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(ticks_off)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    return pid


def test_who_looks_ends_the_workers_of_a_killed_supervisor_and_removes_its_directory(
    base: Path,
) -> None:
    pid = killed_supervisor()
    assert len(list(base.iterdir())) == 1
    assert names() == []
    assert list(base.iterdir()) == []
    wait_until(lambda: not is_alive(pid))


def test_who_claims_the_directory_of_a_killed_supervisor_ends_its_workers(base: Path) -> None:
    pid = killed_supervisor()
    with claimed("killed", "", "/killed.yml") as directory:
        wait_until(lambda: not is_alive(pid))
        assert {path.name for path in directory.path.iterdir()} == {"lock", "flow.json"}
        assert directory.record.groups == {}


@pytest.mark.parametrize("ticks_off", [1, -1])
def test_a_process_that_only_has_the_same_number_is_left_alone(base: Path, ticks_off: int) -> None:
    pid = killed_supervisor(ticks_off)
    try:
        assert names() == []
        assert list(base.iterdir()) == []
        assert not poll(lambda: not is_alive(pid), timeout_s=0.2)
    finally:
        os.killpg(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid))


def test_a_process_whose_start_is_unknown_is_left_alone(base: Path) -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as bystander:
        leave(base / "flow-1", FlowRecord(name="flow", groups={bystander.pid: 0}))
        assert names() == []
        assert bystander.poll() is None
        bystander.kill()


def leave(path: Path, record: FlowRecord | bytes) -> None:
    """A directory whose lock nobody holds."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.mkdir()
    (path / "lock").touch()
    data = record if isinstance(record, bytes) else msgspec.json.encode(record)
    (path / "flow.json").write_bytes(data)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"name": 5}', b"\xff"])
def test_a_left_directory_with_a_damaged_record_is_removed(base: Path, data: bytes) -> None:
    leave(base / "flow-1", data)
    assert names() == []
    assert list(base.iterdir()) == []


def test_a_left_directory_without_a_lock_is_removed(base: Path) -> None:
    """A gateway that was killed while it removed the directory of a killed supervisor leaves it."""
    left = base / "flow-12345678"
    left.mkdir(mode=0o700, parents=True)
    base.chmod(0o700)
    (left / "board").touch()
    assert list(running()) == []
    assert not left.exists()


def test_two_who_remove_a_directory_at_once_leave_nothing(base: Path) -> None:
    base.mkdir(mode=0o700)
    path = base / "flow-0123abcd"
    for _ in range(20):
        path.mkdir(mode=0o700)
        for number in range(300):
            (path / f"{number}").touch()
        other = threading.Thread(target=shutil.rmtree, args=(path, True))
        other.start()
        list(running())
        other.join()
        assert not path.exists()


def test_a_left_directory_with_a_folder_in_it_is_removed_and_can_be_claimed(base: Path) -> None:
    for _ in range(2):
        leave(base / directory_name("flow", "/f.yml"), FlowRecord(name="flow"))
        (base / directory_name("flow", "/f.yml") / "folder").mkdir()
        with claimed("flow", "", "/f.yml"):
            assert names() == ["flow"]
    leave(base / "flow-1", FlowRecord(name="flow"))
    (base / "flow-1" / "folder").mkdir()
    assert names() == []
    assert list(base.iterdir()) == []


def test_what_links_to_elsewhere_is_removed_and_what_it_points_to_is_not(
    base: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    leave(base / "flow-1", FlowRecord(name="flow"))
    (base / "flow-1" / "link").symlink_to(kept)
    assert names() == []
    assert (kept / "file").exists()


def test_a_process_that_is_gone_has_no_start() -> None:
    with subprocess.Popen(["true"]) as process:
        assert started_at_ticks(process.pid) > 0
    assert started_at_ticks(process.pid) == 0
    assert started_at_ticks(os.getpid()) == started_at_ticks(os.getpid()) > 0


def test_a_directory_that_is_kept_is_never_old(base: Path) -> None:
    """Cleaners of /tmp remove what was not touched for days."""
    with claimed() as directory:
        everything = [base, directory.path, directory.path / "lock", directory.path / "flow.json"]
        for path in everything:
            os.utime(path, (1, 1))
        assert directory.keep()
        assert [path.stat().st_mtime for path in everything] == [1] * 4  # it is not time yet
        assert directory.keep(fresh_s=0)
        assert all(path.stat().st_mtime > 1 for path in everything)


def test_a_directory_that_was_removed_or_taken_over_is_not_there(base: Path) -> None:
    first = claim("search", "/s.yml", "/s.yml")
    shutil.rmtree(first.path)
    assert not first.keep(fresh_s=0)
    with claimed("search", "/s.yml", "/s.yml") as second:
        assert second.path == first.path
        assert not first.keep()
        first.remove()
        assert second.keep()
