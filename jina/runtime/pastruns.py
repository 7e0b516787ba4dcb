"""What is kept of a Flow after its end: when it ran, how it ended, and its log.

$JINA_STATE_DIR/, or $XDG_STATE_HOME/jina/, or ~/.local/state/jina/, mode 0700, has a folder `runs`,
and in it one for each run, `<when it started>-<name>-<process id>`:

    run.json       what stands in `PastRun`
    log, log.1     what was said, as JSON lines; the older part in log.1

The log is written from the start of the Flow. The newest runs are kept, older ones are removed when
another Flow starts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jina.defaults import KEPT_RUNS, KEPT_RUNS_BYTES
from jina.runtime.descendants import stat_of
from jina.runtime.structs import decode_json, encode_json


class PastRun(msgspec.Struct, kw_only=True):
    """One run of a Flow, which may not be over.

    Attributes:
        name: of the Flow.
        file: absolute path of its YAML, or "".
        directory: its run directory.
        pid: of its supervisor.
        ticks: when that process started, in kernel ticks; tells it from a later one with its id.
        workers: names of its workers, in their order.
        started_at: seconds since 1970.
        ended_at: seconds since 1970; 0 while it runs, or if nobody could write it.
        ending: stopped, failed, or killed; empty while it runs.
        reason: why it stopped or failed, in a few words.
        killed: workers that did not end in time when they were told to, and were killed.
    """

    name: str
    file: str = ""
    directory: str = ""
    pid: int = 0
    ticks: int = 0
    workers: list[str] = []
    started_at: float = 0.0
    ended_at: float = 0.0
    ending: str = ""
    reason: str = ""
    killed: list[str] = []

    @property
    def is_running(self) -> bool:
        """Whether its supervisor is alive."""
        if self.ended_at:
            return False
        found = stat_of(self.pid)
        return (
            found is not None and found.state not in "ZX" and found.started_at_ticks == self.ticks
        )


_DECODER = msgspec.json.Decoder(PastRun)


def state_directory() -> Path:
    """Where runs are kept."""
    chosen = os.environ.get("JINA_STATE_DIR", "")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_STATE_HOME", "")
    return Path(base or Path.home() / ".local" / "state") / "jina"


def begin_run(run: PastRun) -> Path | None:
    """Make the folder of a run that starts; None where that is not possible.

    Older runs are removed if there are too many.
    """
    when = time.strftime("%Y%m%d-%H%M%S", time.localtime(run.started_at))
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", run.name)[:32] or "flow"
    try:
        runs = state_directory() / "runs"
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(runs):
            return None
        _forget_old(runs)
        folder = runs / f"{when}-{safe}-{run.pid}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        save_run(folder, run)
    except (OSError, RuntimeError):  # a full or read-only disk, or nobody has a home
        return None
    return folder


def save_run(folder: Path, run: PastRun) -> None:
    """Write what is known of a run, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    new = folder / "run.json.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(encode_json(run))
    os.replace(new, folder / "run.json")


def read_run(folder: Path) -> PastRun | None:
    """What is known of a run; None if it cannot be read.

    The end of one that was killed, with all who could have written that, is that of its log.
    """
    try:
        run = decode_json((folder / "run.json").read_bytes(), _DECODER)
    except (OSError, msgspec.DecodeError):
        return None
    if not run.ended_at and not run.is_running:
        run.ending = "killed"
        run.ended_at = run.started_at
        with contextlib.suppress(OSError):
            run.ended_at = max(run.started_at, (folder / "log").stat().st_mtime)
    return run


def all_runs() -> Iterator[tuple[Path, PastRun]]:
    """Every run that is kept, the newest first."""
    for folder in reversed(_folders(state_directory() / "runs")):
        run = read_run(folder)
        if run is not None:
            yield folder, run


def last_run_of(directory: str) -> tuple[Path, PastRun] | None:
    """The newest run in a run directory."""
    return next((found for found in all_runs() if found[1].directory == directory), None)


def _forget_old(runs: Path) -> None:
    """Remove the oldest runs beyond those that are kept; the next one counts already."""
    size = 0
    ended = 1
    for folder in reversed(_folders(runs)):
        run = read_run(folder)
        if run is not None and not run.ended_at:
            continue
        ended += 1
        for name in ("log", "log.1"):
            with contextlib.suppress(OSError):
                size += (folder / name).stat().st_size
        if ended > KEPT_RUNS or size > KEPT_RUNS_BYTES:
            shutil.rmtree(folder, ignore_errors=True)


def _folders(runs: Path) -> list[Path]:
    try:
        return sorted(runs / name for name in os.listdir(runs))
    except OSError:
        return []


def _is_private(path: Path) -> bool:
    status = os.lstat(path)
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
