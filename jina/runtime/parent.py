"""Tie a process to its parent, so that it does not outlive it.

On Linux the kernel signals this process at the moment its parent dies, even while user code holds
the interpreter. Elsewhere the gateway, whose channel closes, ends the workers.
"""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, with_signal: signal.Signals) -> None:
    """Ask for `with_signal` when the parent dies, and leave if it is dead already.

    Must be the first thing that a process does: only the check after the call notices a parent that
    died before it.

    Args:
        parent: process id of the parent, as the parent itself gave it.
        with_signal: SIGKILL, or a signal that the process handles.
    """
    if sys.platform == "linux":
        # Late: only the processes of a Flow need it.
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
