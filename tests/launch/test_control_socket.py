"""The socket on which a supervisor is asked for changes: who may ask, and what garbage does."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.excepts import FlowBuildLevelError, FlowNotFound
from jina.launch.asking import ask, with_arguments
from jina.runtime.control import Change
from tests.polling import wait_until
from tests.shell import Shell


@pytest.fixture(scope="module")
def upper(shared_shell: Shell) -> Iterator[Shell]:
    with shared_shell.up(shared_shell.flow("Upper")):
        yield shared_shell


def directory(shell: Shell) -> Path:
    (name,) = shell.directories()
    return shell.run_dir / name


def test_only_its_owner_may_ask(upper: Shell) -> None:
    status = (directory(upper) / "control").stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(directory(upper).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "data",
    [b"\n", b"{}\n", b"\xff\xfe\n", b'{"type": "Drain"}\n', b'{"type": "Change", "nodes": 1}\n'],
)
def test_what_is_no_change_is_refused(upper: Shell, data: bytes) -> None:
    before = upper.workers()
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(30)
        asker.connect(str(directory(upper) / "control"))
        asker.sendall(data)
        answer = b""
        while more := asker.recv(4096):  # it hangs up
            answer += more
    assert answer.startswith(b'{"type":"Refused","what":"that is not a change: ')
    assert upper.workers() == before


def test_who_asks_and_leaves_is_served_all_the_same(upper: Shell) -> None:
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(30)
        asker.connect(str(directory(upper) / "control"))
        asker.sendall(b'{"type": "Change", "nodes": ["upper"], "repli')
    with socket.socket(socket.AF_UNIX) as asker:
        asker.settimeout(30)
        asker.connect(str(directory(upper) / "control"))
        asker.sendall(b'{"type": "Change", "nodes": ["upper"], "replicas": 2}\n')
    wait_until(lambda: list(upper.workers()) == ["upper/0", "upper/1"])
    wait_until(lambda: _scaled(directory(upper), 1))
    assert list(upper.workers()) == ["upper/0"]


def _scaled(where: Path, replicas: int) -> bool:
    try:
        ask(where, Change(nodes=["upper"], replicas=replicas), lambda text: None)
    except FlowBuildLevelError:  # the one before is not made yet
        return False
    return True


def test_nobody_is_there(tmp_path: Path) -> None:
    with pytest.raises(FlowNotFound, match="no Flow listens at"):
        ask(tmp_path, Change(nodes=[]), lambda text: None)


def test_a_change_of_a_flow_that_starts_is_refused(shell: Shell) -> None:
    flow = shell.flow(f"StaysPastItsEnd, uses_with: {{folder: {shell.folder}}}")
    with shell.start("flow", "up", flow) as up:
        wait_until(lambda: shell.directories() and (directory(shell) / "control").exists())
        with pytest.raises(FlowBuildLevelError, match="still starting"):
            ask(directory(shell), Change(nodes=[]), lambda text: None)
        (shell.folder / "go").touch()
        up.wait_for("is up")
        up.end(15)


def test_other_arguments_for_one_node() -> None:
    from jina.flow import Flow

    plan = Flow().add(name="a", replicas=2, uses_with={"x": 1, "y": 2}).add(name="b").plan()
    changed = with_arguments(plan, "a", {"y": 3}, Path("/dumps/2"))
    assert [spec.executor.with_ for spec in changed.workers] == [{"x": 1, "y": 3}] * 2 + [{}]
    paths = [spec.runtime_args.get("dump_path") for spec in changed.workers]
    assert paths == ["/dumps/2", "/dumps/2", None]
    assert with_arguments(plan, "nobody", {"y": 3}) == plan
