"""Find what a Flow's workers started, wherever it has gone, and end it.

An Executor may start processes, and these may leave the worker's process group and session. What
they cannot lose by accident is their environment: each worker gets a mark in it, which names
the supervisor by its process id and start, and this incarnation of the worker. So whatever carries
the mark of a supervisor that is gone belongs to nobody, and nothing needs to be recorded for that.

    namespace-pid-ticks               a supervisor's, and that of everything below it
    namespace-pid-ticks-incarnation   one worker's

Linux only: elsewhere there is no /proc, and process groups must do.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MARK = "JINA_RUN_ID"

_PROC = Path("/proc")
_ROUNDS = 5  # what is being killed may start one more
_LAST_S = 0.5  # for what was killed to end, over all rounds; much memory takes longest


class Stat(NamedTuple):
    """What the kernel says about a process.

    Attributes:
        state: a letter, Z for one that has ended and was not reaped.
        started_at_ticks: kernel ticks since the boot; tells it from a later process with the same
            id.
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


def mark_of(pid: int, incarnation: int | None = None) -> str:
    """The mark of a supervisor's descendants: its process id, when it started, and where.

    Process ids mean something only in their own namespace, and a container's processes can be seen
    from outside: so the mark names the namespace too. Empty where there is no /proc.

    Args:
        pid: of the supervisor.
        incarnation: of the worker whose descendants are meant; None for all.
    """
    stat = stat_of(pid)
    namespace = _namespace()
    if not (stat and namespace):
        return ""
    mark = f"{namespace}-{pid}-{stat.started_at_ticks}"
    return mark if incarnation is None else f"{mark}-{incarnation}"


def end_marked(*marks: str) -> None:
    """Kill every process of this user that carries one of the marks, or that of a worker below it.

    They are gone afterwards, unless the kernel takes its time.
    """
    meant = {mark for mark in marks if mark}
    if meant:
        _end(lambda found: found in meant or found.rpartition("-")[0] in meant)


def end_orphans() -> None:
    """Kill what carries the mark of a supervisor that is gone."""
    namespace = _namespace()
    if not namespace:
        return
    gone: dict[str, bool] = {}

    def is_meant(mark: str) -> bool:
        if mark not in gone:
            gone[mark] = _is_gone(mark, namespace)
        return gone[mark]

    _end(is_meant)


def is_orphan(mark: str) -> bool:
    """Whether a mark is that of a supervisor that is gone."""
    namespace = _namespace()
    return bool(namespace) and _is_gone(mark, namespace)


def processes_of(mark: str) -> dict[int, int]:
    """The processes of this user that carry a mark, each with the process id of its parent."""
    found: dict[int, int] = {}
    for pid, carried in _marked():
        with contextlib.suppress(OSError, IndexError):
            if carried == mark:
                fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
                found[pid] = int(fields[1])
    return found


def _is_gone(mark: str, namespace: str) -> bool:
    where, pid, ticks, *_ = [*mark.split("-"), "", ""]
    if where != namespace or not (pid.isdecimal() and ticks.isdecimal()):
        return False  # not one that we can look up
    stat = stat_of(int(pid))
    return stat is None or stat.state in "ZX" or stat.started_at_ticks != int(ticks)


def _end(is_meant: Callable[[str], bool]) -> None:
    deadline = time.monotonic() + _LAST_S
    for _ in range(_ROUNDS):
        killed = [
            held
            for pid, mark in _marked()
            if is_meant(mark) and (held := _kill(pid, mark)) is not None
        ]
        if not killed:
            return
        try:
            _await_end(killed, deadline)
        finally:
            for held in killed:
                os.close(held)


def _await_end(killed: list[int], deadline: float) -> None:
    """Wait until these processes are gone: then they start no others and hold no port."""
    poller = select.poll()
    for held in killed:
        poller.register(held, select.POLLIN)
    left = len(killed)
    while left and (left_s := deadline - time.monotonic()) > 0:
        for held, _ in poller.poll(left_s * 1000):
            poller.unregister(held)
            left -= 1


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


def _kill(pid: int, mark: str) -> int | None:
    """Kill a process that still carries the mark.

    A descriptor holds it while its mark is read again, so that its process id cannot become
    another's.

    Returns:
        that descriptor, to be closed; None when the process was gone.
    """
    try:
        held = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        if _read_mark(pid) == mark:
            signal.pidfd_send_signal(held, signal.SIGKILL)
            return held
    except OSError:
        pass  # gone meanwhile
    os.close(held)
    return None


def _namespace() -> str:
    """The number of this process's namespace of process ids; empty where there is none."""
    try:
        return os.readlink(_PROC / "self" / "ns" / "pid").strip("pid:[]")
    except OSError:
        return ""
