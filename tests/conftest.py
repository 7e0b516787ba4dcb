"""Run each test in a clean room: with run directories of its own, and nothing left behind.

`runtime_dir` gives a test a runtime directory of its own; without it, a test uses one that belongs
to the session. Either way, no test touches the Flows of whoever runs the tests. The current
directory is an empty one of the session. A test fails if it leaves a thread, a process, a socket, a
context of ZeroMQ, a pipe, a run directory or a file in the current directory.

A process that left its parent and its session is known by a mark in its environment. Only what
belongs to this process is looked at, so that others may run tests beside it.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import HealthCheck, configuration, settings
from zmq.utils import garbage

from tests import flaky, warming
from tests.polling import poll
from tests.pythons import PACKAGES, ROOT, make_venv
from tests.shell import Shell, forks_for_shells

# A busy machine is not a failure; pytest-timeout ends what hangs.
settings.register_profile(
    "jina",
    max_examples=int(os.environ.get("JINA_EXAMPLES", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("jina")
# Examples are kept where the tests were started, whatever directory they run in.
configuration.set_hypothesis_home_dir(Path.cwd() / ".hypothesis")

_PROC = Path("/proc")
# How long to wait for what ends by itself, such as a thread whose work is done.
_PATIENCE_S = float(os.environ.get("JINA_TEST_PATIENCE_S", "30"))
_MARK = "JINA_TEST_ROOM"  # names the session, in the environment of whatever the tests start
_contexts: weakref.WeakSet[zmq.Context[zmq.Socket[bytes]]] = weakref.WeakSet()  # all that exist
# Processes without our mark: read once, and not at all if they were there before the tests.
_strangers: set[int] = set()
_RUN_DIRECTORIES = {"runtime_dir", "shell", "shared_shell"}  # a test with one starts processes
_OURS = ("JINA_ADDRESS", "JINA_COLOR", "JINA_FLOW", "JINA_NO_PROGRESS", "JINA_QUIET")
# With these, typer and rich use colours, or none, wherever they write; CI services set some.
_PAINT = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "NO_COLOR",
    "PY_COLORS",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell does this to what it runs in the background; the commands under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Tell flaky tests from broken ones, if asked to."""
    flaky.install(config)


def pytest_collection(session: pytest.Session) -> None:
    """Import the test files before they are collected, if others do so at the same time."""
    warming.import_in_turn(session.config)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of tests, which stay."""
    gc.freeze()


def pytest_xdist_auto_num_workers() -> int:
    """Run three processes on two cores: a test often waits for a deadline or a process."""
    cores = len(os.sched_getaffinity(0))
    return cores + cores // 2


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test as quick that uses no run directory and is not marked as slow.

    The others run first, chaos before all, so that no process has a long file left at the end.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if not item.get_closest_marker("slow") and not fixtures & _RUN_DIRECTORIES:
            item.add_marker("quick")
    slow = {item.path for item in items if not item.get_closest_marker("quick")}
    items.sort(key=lambda item: ("chaos" not in item.path.parts, item.path not in slow))


@pytest.fixture(scope="session", autouse=True)
def _session_runtime_dir() -> Iterator[None]:
    """Keep every test away from the Flows and colour settings of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*_OURS, *_PAINT):
            patch.delenv(name, raising=False)
        # Hundreds of commands would compile jina anew each.
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        # There are none; to look for them takes pydantic a while in each command.
        patch.setenv("PYDANTIC_DISABLE_PLUGINS", "1")
        path = Path(tempfile.mkdtemp(prefix="jina-"))
        _use(path, patch)
        _strangers.update(_pids())
        patch.setenv(_MARK, str(path))
        patch.setattr(zmq.Context, "__init__", _noted(zmq.Context.__init__))
        (path / "here").mkdir()
        patch.chdir(path / "here")
        yield
        problems = _left_in(path)
    shutil.rmtree(path)
    assert not problems, f"the tests left: {problems}"


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the interpreter of another virtual environment, which has this jina."""
    folder = tmp_path_factory.mktemp("other") / "venv"
    return make_venv(folder, PACKAGES, ROOT)


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the test a short XDG_RUNTIME_DIR of its own; no Flow may be left in it."""
    path = Path(tempfile.mkdtemp(prefix="jina-"))
    _use(path, monkeypatch)
    yield path
    poll(lambda: not _left_in(path), _PATIENCE_S)
    problems = _left_in(path)
    shutil.rmtree(path)
    assert not problems, f"this test left: {problems}"


@pytest.fixture(scope="session")
def _forks(_session_runtime_dir: None) -> Iterator[None]:
    """Have a process that forks for each Shell; each test finds it there, so none leaves it."""
    with forks_for_shells():
        yield


@pytest.fixture
def shell(_forks: None, tmp_path: Path, runtime_dir: Path) -> Shell:
    """Give the test a folder and a run directory of its own to run `jina` in."""
    return Shell(tmp_path, runtime_dir / "jina")


@pytest.fixture(scope="module")
def shared_shell(_forks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Give all tests of a module one Shell, for the Flows that they share."""
    path = Path(tempfile.mkdtemp(prefix="jina-"))
    shell = Shell(tmp_path_factory.mktemp("shared"), path / "jina")
    yield shell
    poll(lambda: not shell.directories() and not shell.processes(), _PATIENCE_S)
    problems = [*shell.directories(), *shell.processes()]
    shutil.rmtree(path)
    assert not problems, f"this module left: {problems}"


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Fail a test that leaves a thread, a process, a socket, a context, a pipe or a file."""
    before = _held()
    yield
    if poll(lambda: not _held() - before, _PATIENCE_S):
        return
    left = sorted(map(_described, _held() - before))
    assert not left, f"this test left: {left}"


def _use(path: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("XDG_RUNTIME_DIR", str(path))
    patch.setenv("JINA_RUN_DIR", str(path / "jina"))
    patch.setenv("JINA_STATE_DIR", str(path / "state"))


def _described(held: str) -> str:
    """Add the command line of a process. It does not identify one: at its start it is empty."""
    kind, _, pid = held.partition(" ")
    return f"{held}: {_command(int(pid))}" if kind in ("daemon", "child") else held


def _held() -> set[str]:
    """Return what this process holds that a test could leave behind, in words."""
    held = {
        f"thread {thread.name} ({thread.ident})"
        for thread in threading.enumerate()
        # pyzmq starts this one at the first send without a copy, and keeps it.
        if type(thread).__name__ != "GarbageCollectorThread"
    }
    held |= {
        f"context {context.underlying:#x} of ZeroMQ"
        for context in list(_contexts)
        # pyzmq's own context, used by the thread above.
        if not context.closed and context is not garbage.gc._context
    }
    room = os.environ[_MARK]
    # Hidden files are caches of tools.
    held |= {f"file {name}" for name in os.listdir(f"{room}/here") if not name.startswith(".")}
    if _PROC.is_dir():
        held |= {f"daemon {pid}" for pid in _daemons(room)}
        held |= {f"child {pid}" for pid in _children()}
        held |= {target for target in _descriptors() if target.startswith(("socket:", "pipe:"))}
    return held


def _noted(create: Callable[..., None]) -> Callable[..., None]:
    """Note each context of ZeroMQ; Python itself terminates those that nobody holds any more."""

    @functools.wraps(create)
    def noted(context: zmq.Context[zmq.Socket[bytes]], *args: Any, **kwargs: Any) -> None:
        create(context, *args, **kwargs)
        _contexts.add(context)

    return noted


def _pids() -> set[int]:
    return {int(name) for name in os.listdir(_PROC) if name.isdigit()} if _PROC.is_dir() else set()


def _daemons(room: str) -> list[int]:
    """Return the processes that this session started and that no longer descend from it."""
    pids = _pids()
    _strangers.intersection_update(pids)
    unread = pids - _strangers
    mark = f"{_MARK}={room}".encode()
    ours = (_PROC / "self" / "environ").read_bytes()
    found = []
    for pid in unread:
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes()
        except PermissionError:  # of another user
            environment = b"another's"
        except OSError:  # gone meanwhile
            continue
        if mark in environment.split(b"\0"):
            if not _descends(pid):
                found.append(pid)
        # A process that was just forked may get the mark, and one that is ending may have had it.
        elif environment not in (ours, b""):
            _strangers.add(pid)
    return found


def _descends(pid: int) -> bool:
    """Whether a process is a descendant of this one."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            pid = int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # gone meanwhile
            return True
    return False


def _children() -> list[int]:
    found = []
    for task in (_PROC / "self" / "task").iterdir():
        try:
            found += [int(pid) for pid in (task / "children").read_text().split()]
        except OSError:  # a thread that has just ended
            continue
    return found


def _descriptors() -> list[str]:
    found = []
    for entry in os.scandir(_PROC / "self" / "fd"):
        try:
            found.append(os.readlink(entry.path))
        except OSError:  # the descriptor of this very scan
            continue
    return found


def _command(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return ""


def _left_in(path: Path) -> list[str]:
    """Return the run directories in a runtime directory, and the processes started to use it.

    Such a process is known by its environment, whoever its parent is by now.
    """
    base = path / "jina"
    if not base.exists():
        return []
    left = [f"run directory {entry.name}" for entry in base.iterdir() if entry.is_dir()]
    if _PROC.is_dir():
        mark = b"XDG_RUNTIME_DIR=" + os.fsencode(path) + b"\0"
        for entry in _PROC.iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:  # gone meanwhile, or not ours
                continue
            if mark in environment + b"\0":
                left.append(f"process {entry.name}: {_command(int(entry.name))}")
    return left
