"""The run directory: where a running Flow keeps its sockets, and how others find it.

$JINA_RUN_DIR/, or $XDG_RUNTIME_DIR/jina/, or /tmp/jina-<uid>/, mode 0700, owned by the user, holds
a folder for each Flow, `<name>-<hash of the file's path>`, and in it:

    lock                    held by the supervisor as long as it lives
    flow.json               name, file, pid, addresses, process groups
    front.ipc, back.ipc     sockets, and asks.ipc
    board                   the begin board
    control                 socket on which the supervisor is asked for changes

Its log, which is kept after its end, lies elsewhere: see `jina.runtime.pastruns`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import signal
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jina.excepts import FlowBuildLevelError, FlowError
from jina.graph.origins import Origins
from jina.graph.plan import Plan
from jina.launch.plan_file import write_plan
from jina.runtime.descendants import end_orphans, stat_of
from jina.runtime.structs import decode_json, encode_json

_FRESH_S = 3600.0  # between touches; cleaners of /tmp take what nobody touched for days
_MAX_SOCKET_PATH = 107  # bytes; the kernel's limit for a local socket's address


class FlowRecord(msgspec.Struct, kw_only=True):
    """What stands in flow.json.

    Attributes:
        name: of the Flow.
        file: absolute path of its YAML, or "".
        pid: of the supervisor.
        started_at: seconds since the epoch.
        is_ready: every worker has been up.
        addresses: where clients reach the gateway, the local one first.
        is_one_shot: it was started for one command, and ends with it.
        log: the file that has what it says, as JSON lines; "" if there is none.
        endpoints: node -> the endpoints that it serves, once it is ready.
        groups: process group -> when its leader started, in kernel ticks; to end them if the
            supervisor could not.
        origins: what its plan was made from; None where nobody asks.
        http: URL of its front; "" if it has none.
    """

    name: str
    file: str = ""
    pid: int = 0
    started_at: float = 0.0
    is_ready: bool = False
    addresses: list[str] = []
    is_one_shot: bool = False
    log: str = ""
    endpoints: dict[str, list[str]] = {}
    groups: dict[int, int] = {}
    origins: Origins | None = None
    http: str = ""


_DECODER = msgspec.json.Decoder(FlowRecord)


class RunDirectory:
    """One Flow's directory, held by the process that supervises it.

    Use `claim` to make one.
    """

    def __init__(self, path: Path, lock: int, record: FlowRecord) -> None:
        self.path = path
        self.record = record
        self._lock = lock
        self._touched = time.monotonic()

    @property
    def front(self) -> str:
        """Address for clients on this machine."""
        return f"ipc://{self.path}/front.ipc"

    @property
    def back(self) -> str:
        """Address for workers."""
        return f"ipc://{self.path}/back.ipc"

    @property
    def board(self) -> Path:
        """The begin board."""
        return self.path / "board"

    @property
    def control(self) -> Path:
        """The supervisor's socket for changes."""
        return control_of(self.path)

    def save(self) -> None:
        """Write flow.json, whole or not at all."""
        new = self.path / "flow.json.new"
        new.write_bytes(encode_json(self.record))
        os.replace(new, self.path / "flow.json")

    def is_up_at(self, addresses: list[str], plan: Plan) -> None:
        """Let commands find the Flow, which is ready, at these addresses, and what it runs.

        Raises:
            OSError: flow.json cannot be written.
        """
        self.record.is_ready = True
        self.record.addresses = addresses
        self.record.origins = plan.origins
        write_plan(self.path, plan)
        self.save()

    def is_serving(self, endpoints: dict[str, list[str]]) -> None:
        """Let others read which endpoints the nodes of the Flow serve; completion does."""
        if endpoints != self.record.endpoints:
            self.record.endpoints = dict(endpoints)
            with contextlib.suppress(OSError):  # a full disk stops no Flow that runs
                self.save()

    def runs(self, plan: Plan) -> None:
        """Let commands know what the Flow runs now."""
        self.record.origins = plan.origins
        write_plan(self.path, plan)
        with contextlib.suppress(OSError):  # a full disk: then they tell of a change too many
            self.save()

    @property
    def is_there(self) -> bool:
        """Whether it still exists, and is ours rather than that of a later Flow."""
        return _is_linked(self._lock, self.path)

    def keep(self, fresh_s: float = _FRESH_S) -> bool:
        """Keep cleaners of old files away from it; to be called often.

        Args:
            fresh_s: seconds after which it is touched again.

        Returns:
            False when it was removed all the same.
        """
        now = time.monotonic()
        if now - self._touched > fresh_s:
            self._touched = now
            for path in (self.path.parent, self.path, *self.path.glob("*")):
                with contextlib.suppress(OSError):
                    os.utime(path)
        return self.is_there

    def remove(self) -> None:
        """Remove the directory and release the lock."""
        if self.is_there:
            shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def base_directories() -> list[Path]:
    """Where run directories may be, the first one being where new ones are made."""
    chosen = os.environ.get("JINA_RUN_DIR", "")
    if chosen:
        return [Path(chosen)]
    found = []
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.path.isdir(runtime):
        found.append(Path(runtime) / "jina")
    found.append(Path(f"/tmp/jina-{os.getuid()}"))
    return found


def control_of(path: Path) -> Path:
    """The socket of a run directory on which its supervisor is asked for changes."""
    return path / "control"


def directory_name(name: str, file: str) -> str:
    """The folder of a Flow: the same for the same file, unique for a Flow without one."""
    key = os.path.realpath(file) if file else f"{os.getpid()} {time.monotonic_ns()}"
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:32] or "flow"
    # No cryptography: OpenSSL would take a tenth of a Flow's start to load.
    return f"{safe}-{zlib.crc32(os.fsencode(key)):08x}"


def planned_directory(name: str, file: str) -> Path:
    """Where the run directory of a Flow will be."""
    return base_directories()[0] / directory_name(name, file)


def claim(name: str, file: str, key: str, *, is_one_shot: bool = False) -> RunDirectory:
    """Make the run directory of a Flow that is about to start.

    Args:
        name: of the Flow.
        file: its YAML, or "".
        key: the path that makes the directory's name; "" for one of its own.
        is_one_shot: see FlowRecord.

    Raises:
        FlowBuildLevelError: the same file is up already.
        FlowError: the directory is not safe to use.
    """
    base = base_directories()[0]
    try:
        _make_private(base)
        path = base / directory_name(name, key)
        _check_fits(path)
        for other in base_directories()[1:]:  # of a session with another environment
            if key and _is_private(other) and _is_held(other / path.name):
                raise _already_running(other / path.name, name, file)
        lock = _hold(path, name, file)
        record = FlowRecord(
            name=name, file=file, pid=os.getpid(), started_at=time.time(), is_one_shot=is_one_shot
        )
        return _occupied(path, lock, record)
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise FlowError(
            f"no Flow can run there: {error.strerror}",
            where=str(base),
            hint="free some space, or set JINA_RUN_DIR to a folder on another disk"
            if is_full
            else "set JINA_RUN_DIR to a folder that you can write to",
        ) from error


def _occupied(path: Path, lock: int, record: FlowRecord) -> RunDirectory:
    """The directory of the lock that we hold, with nothing of an earlier Flow left in it."""
    try:
        _clear(path)
        end_orphans()
        directory = RunDirectory(path, lock, record)
        directory.save()
    except BaseException:  # Ctrl-C too: nobody has the directory yet, to give it up
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
        raise
    return directory


def _check_fits(path: Path) -> None:
    """Whether sockets can be made in a directory.

    Raises:
        FlowError: its path is too long, or not text.
    """
    try:
        size_bytes = len(f"{path}/front.ipc".encode())
    except UnicodeEncodeError:  # ZeroMQ's addresses are text
        raise FlowError(
            "a path that is not valid UTF-8 cannot hold a socket",
            where=str(path),
            hint="set JINA_RUN_DIR to another folder",
        ) from None
    if size_bytes > _MAX_SOCKET_PATH:
        raise FlowError(
            f"a path of more than {_MAX_SOCKET_PATH} bytes cannot hold a socket",
            where=str(path),
            hint="set JINA_RUN_DIR to a shorter path",
        )


def _hold(path: Path, name: str, file: str) -> int:
    """Make a directory if need be, and lock it; the descriptor of the lock.

    Raises:
        FlowBuildLevelError: another supervisor holds it.
        OSError: it cannot be made.
    """
    patience = time.monotonic() + 0.2  # a command that only looks holds the lock for microseconds
    while True:
        path.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = _open_lock(path)
        except FileNotFoundError:
            continue  # whoever held it has just removed it
        except OSError:
            with contextlib.suppress(OSError):  # it stays if it is another's
                path.rmdir()
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            if time.monotonic() < patience:
                time.sleep(0.01)
                continue
            raise _already_running(path, name, file) from None
        if _is_linked(lock, path):
            return lock
        os.close(lock)


def _already_running(path: Path, name: str, file: str) -> FlowBuildLevelError:
    pid = record.pid if (record := _read(path)) else "unknown"
    return FlowBuildLevelError(
        f'the Flow "{name}" is already running, with process id {pid}',
        where=file,
        hint="stop it with `jina flow down`, or post to it",
    )


def running() -> Iterator[tuple[Path, FlowRecord]]:
    """Every Flow of this user that is up or starting, by directory name; leftovers are removed.

    Raises:
        FlowError: a directory of ours cannot be read, or is not ours.
    """
    bases = base_directories()
    if os.path.lexists(bases[0]):
        _check_private(bases[0])
    for base in bases:
        for path in _entries(base) if _is_private(base) else ():
            record = _read(path)
            if _is_held(path):
                if record is not None:
                    yield path, record
            else:
                remove_leftovers(path)


def _entries(base: Path) -> list[Path]:
    try:
        return sorted(base / name for name in os.listdir(base) if "-" in name)
    except OSError as error:
        raise FlowError(
            f"cannot list the running Flows: {error.strerror}",
            where=str(base),
            hint=f"`chmod 700 {base}`, or set JINA_RUN_DIR to another folder",
        ) from error


def remove_leftovers(path: Path) -> None:
    """End what a killed supervisor left running and remove its directory.

    There may be no lock in it: a gateway that removed it may have been killed, too. Whoever has
    just made it for a new Flow begins again when it is gone.
    """
    with contextlib.suppress(OSError):
        lock = _open_lock(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_linked(lock, path):
                _clear(path)
                end_orphans()
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)


def started_at_ticks(pid: int) -> int:
    """When a process started, in kernel ticks; 0 when it is gone or cannot be asked.

    It tells a process from a later one that was given the same id.
    """
    found = stat_of(pid)
    return found.started_at_ticks if found else 0


def _clear(path: Path) -> None:
    """Remove everything but the lock, after ending the process groups of an earlier life."""
    record = _read(path)
    for group, ticks in record.groups.items() if record else ():
        if ticks and started_at_ticks(group) == ticks:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
    for entry in list(path.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != "lock":
            entry.unlink(missing_ok=True)  # whoever ends the Flow may be removing it, too


def _read(path: Path) -> FlowRecord | None:
    try:
        return decode_json((path / "flow.json").read_bytes(), _DECODER)
    except (OSError, msgspec.DecodeError):
        return None


def _open_lock(path: Path, *, create: bool = True) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    return os.open(path / "lock", flags, 0o600)


def _is_held(path: Path) -> bool:
    try:
        lock = _open_lock(path, create=False)
    except OSError:
        return False
    try:
        # Shared, so that two who only look do not take each other for the supervisor.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _is_linked(lock: int, path: Path) -> bool:
    """Whether the lock that we hold is still the one in the directory."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path / "lock"))
    except OSError:
        return False


def _make_private(base: Path) -> None:
    base.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    _check_private(base)


def _check_private(base: Path) -> None:
    if not _is_private(base):
        raise FlowError(
            "this folder must be a real folder, owned by you and closed to others",
            where=str(base),
            hint=f"remove it, or `chmod 700 {base}` if it is yours",
        )


def _is_private(base: Path) -> bool:
    try:
        status = os.lstat(base)
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )
