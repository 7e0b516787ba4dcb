"""What the kernel says about a process: whether it runs, and how much memory it has."""

from __future__ import annotations

import os
from pathlib import Path

from jina.runtime.descendants import stat_of

_STOPPED = "Tt"  # by a signal, or by a debugger


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal, such as SIGSTOP, or by a debugger."""
    found = stat_of(pid)
    return found is not None and found.state in _STOPPED


def memory_bytes(pid: int) -> int:
    """Physical memory of a process, what it shares with others included; 0 where nobody says."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
