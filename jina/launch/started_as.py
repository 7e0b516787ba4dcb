"""What a process was started with: its environment and its current folder.

A Flow's YAML may name variables, and its workspaces may be in the current folder. To read it
again for a running Flow, one must find what `jina flow up` found, in any shell.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


@contextlib.contextmanager
def started_as(pid: int) -> Iterator[None]:
    """Have the environment and the current folder of another process; our own afterwards.

    Where the system does not tell them, our own stay.
    """
    environment, folder = dict(os.environb), Path.cwd()
    try:
        with contextlib.suppress(OSError):
            theirs = environment_of(pid)
            os.chdir(folder_of(pid))
            os.environb.clear()
            os.environb.update(theirs)
        yield
    finally:
        os.environb.clear()
        os.environb.update(environment)
        os.chdir(folder)


def environment_of(pid: int) -> dict[bytes, bytes]:
    """The environment that a process began with.

    Raises:
        OSError: there is no such process, or it is another user's.
    """
    entries = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)


def folder_of(pid: int) -> str:
    """The current folder of a process; our own where the system does not tell it."""
    try:
        return os.readlink(_PROC / str(pid) / "cwd")
    except OSError:
        return os.getcwd()
