"""What a worker is at, from what the kernel, the begin board and the gateway say."""

from __future__ import annotations

import pytest

from jina.launch.health import state_of
from jina.runtime.facts import FailureCount, WorkerFacts


def facts(
    *, busy: bool = False, since_s: float = 0.0, outstanding: int = 0, oldest_s: float | None = None
) -> WorkerFacts:
    return WorkerFacts(
        identity="e/0/1",
        outstanding=outstanding,
        oldest_s=oldest_s,
        is_busy=busy,
        since_s=since_s,
        calls=0,
        docs=0,
        busy_s=0.0,
        failures=FailureCount(),
    )


@pytest.mark.parametrize(
    ("state", "stopped", "ready", "retiring", "seen"),
    [
        ("stopped", True, True, False, facts(busy=True)),
        ("stopped", True, False, False, None),
        ("loading", False, False, False, facts()),
        ("retiring", False, True, True, facts(busy=True)),
        ("busy", False, True, False, facts(busy=True, since_s=3600, outstanding=1)),
        ("ready", False, True, False, None),
        ("ready", False, True, False, facts(since_s=100)),
        # Sent to it, and not begun for long: it hangs outside of a call.
        ("silent", False, True, False, facts(since_s=100, outstanding=1, oldest_s=6)),
        ("silent", False, True, False, facts(since_s=0, outstanding=1, oldest_s=6)),
        # It waited long for a worker, and came to this one just now.
        ("ready", False, True, False, facts(since_s=0.1, outstanding=1, oldest_s=60)),
        ("ready", False, True, False, facts(since_s=100, outstanding=1, oldest_s=0.1)),
    ],
)
def test_what_a_worker_is_at(
    state: str, stopped: bool, ready: bool, retiring: bool, seen: WorkerFacts | None
) -> None:
    found = state_of(seen, is_stopped=stopped, is_ready=ready, is_retiring=retiring)
    assert found == state
