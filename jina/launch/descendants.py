"""Find what a Flow's workers started, wherever it has gone, and end it.

An Executor may start processes, and these may leave the worker's process group and session. All
that they cannot lose by accident is their environment: each worker gets a mark in it, which names
the supervisor by its process id and start. So whatever carries the mark of a supervisor that is
gone belongs to nobody, and nothing needs to be recorded for that.

Linux only: elsewhere there is no /proc, and process groups must do.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MARK = "JINA_RUN_ID"

_PROC = Path("/proc")
_ROUNDS = 5  # what is being killed may start one more


class Stat(NamedTuple):
    """What the kernel tells of a process.

    Attributes:
        state: a letter, Z for one that has ended and was not reaped.
        started_at_ticks: kernel ticks since the boot; with it, a process id that was given to
            somebody else meanwhile is told apart.
    """

    state: str
    started_at_ticks: int


def stat_of(pid: int) -> Stat | None:
    """Ask the kernel about a process; None when it is gone or cannot be asked."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return Stat(fields[0], int(fields[19]))


def mark_of(pid: int) -> str:
    """The mark of a supervisor's descendants: its process id, when it started, and where.

    Process ids mean something in their own namespace only, and a container's processes can be seen
    from outside of it: so the mark names the namespace too. Empty where there is no /proc.
    """
    stat = stat_of(pid)
    namespace = _namespace()
    return f"{namespace}-{pid}-{stat.started_at_ticks}" if stat and namespace else ""


def end_marked(mark: str) -> None:
    """Kill every process of this user that carries the mark."""
    if mark:
        _end(lambda found: found == mark)


def end_orphans() -> None:
    """Kill what carries the mark of a supervisor that is gone."""
    namespace = _namespace()
    if not namespace:
        return
    gone: dict[str, bool] = {}

    def is_orphan(mark: str) -> bool:
        if mark not in gone:
            gone[mark] = _is_gone(mark, namespace)
        return gone[mark]

    _end(is_orphan)


def _is_gone(mark: str, namespace: str) -> bool:
    where, _, rest = mark.partition("-")
    pid, _, ticks = rest.partition("-")
    if where != namespace or not (pid.isdecimal() and ticks.isdecimal()):
        return False  # nobody whom we know
    stat = stat_of(int(pid))
    return stat is None or stat.state in "ZX" or stat.started_at_ticks != int(ticks)


def _end(is_meant: Callable[[str], bool]) -> None:
    for _ in range(_ROUNDS):
        found = [pid for pid, mark in _marked() if is_meant(mark) and _kill(pid, mark)]
        if not found:
            return


def _marked() -> Iterator[tuple[int, str]]:
    """Every other process of this user that carries a mark."""
    user = os.getuid()
    with contextlib.suppress(OSError):
        for entry in os.scandir(_PROC):
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == user and (mark := _read_mark(int(entry.name))):
                    yield int(entry.name), mark


def _read_mark(pid: int) -> str:
    """The mark in a process's environment; empty when there is none."""
    start = f"{MARK}=".encode()
    for variable in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
        if variable.startswith(start):
            return variable[len(start) :].decode("ascii", "replace")
    return ""


def _kill(pid: int, mark: str) -> bool:
    """Kill a process that still carries the mark; whether it was there.

    A descriptor holds it while it is asked again: its process id cannot become another's.
    """
    try:
        held = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if _read_mark(pid) != mark:
            return False
        signal.pidfd_send_signal(held, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(held)
    return True


def _namespace() -> str:
    """The number of this process's namespace of process ids; empty where there is none."""
    try:
        return os.readlink(_PROC / "self" / "ns" / "pid").strip("pid:[]")
    except OSError:
        return ""
