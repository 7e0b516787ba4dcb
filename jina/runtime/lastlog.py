"""What a Flow in the background said before it ended by itself: kept beside its run directory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_SUFFIX = ".last.log"
_KEPT = 5  # of all Flows of a user; the newest


def last_log_of(directory: str | Path) -> Path:
    """Where the log of a run directory is kept, whether it is there or not."""
    path = Path(directory)
    return path.with_name(path.name + _SUFFIX)


def keep_log(directory: str | Path) -> None:
    """Save the log of a run directory that is about to be removed, if it says anything.

    It replaces the Flow's last one, and the oldest of other Flows when there are many.
    """
    with contextlib.suppress(OSError):
        kept = last_log_of(directory)
        log = Path(directory) / "log"
        if not log.stat().st_size:
            return
        os.replace(log, kept)
        found = sorted(kept.parent.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in found[:-_KEPT]:
            path.unlink()


def forget_log(directory: str | Path) -> None:
    """Remove what was kept: the Flow is started again."""
    with contextlib.suppress(OSError):
        last_log_of(directory).unlink()
