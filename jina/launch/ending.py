"""How a process ended, in words."""

from __future__ import annotations

import signal


def ending(code: int) -> str:
    """What became of a process.

    Args:
        code: its exit code, or the signal that killed it, negative.
    """
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
