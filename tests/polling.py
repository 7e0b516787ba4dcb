"""Wait for a thing to become so: poll with a deadline, never sleep and hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_LOOK_S = 0.005
_PATIENCE_S = 30.0  # of a busy machine; what comes, comes much sooner

_T = TypeVar("_T")


def poll(condition: Callable[[], _T], timeout_s: float = _PATIENCE_S) -> _T:
    """The condition's first true value, or its last one once the time is over."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return value


def wait_until(condition: Callable[[], _T], timeout_s: float = _PATIENCE_S, what: str = "") -> _T:
    """The condition's first true value.

    Raises:
        AssertionError: it did not become true in time; `what` says what was waited for.
    """
    value = poll(condition, timeout_s)
    assert value, f"not within {timeout_s:g} s: {what or condition}"
    return value
