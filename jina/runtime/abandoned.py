"""What a gateway does when its supervisor is dead: nobody else will end the workers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterable

from jina.runtime.descendants import end_marked


def end_abandoned(groups: Iterable[int], mark: str, directory: str) -> None:
    """Kill the workers and what they started, and remove the run directory.

    Args:
        groups: process groups of the workers; 0 for none.
        mark: what their descendants carry.
        directory: the run directory.
    """
    for group in filter(None, groups):
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    end_marked(mark)
    shutil.rmtree(directory, ignore_errors=True)
