"""Timers expire in the order of their times, and say how long to wait for the next one."""

from __future__ import annotations

from jina.runtime.timers import Timers
from tests.polling import wait_until


def test_the_next_timer_limits_the_wait() -> None:
    timers = Timers()
    assert timers.wait_ms(1000) == 1000
    timers.start(1, 3600)
    assert timers.wait_ms(1000) == 1000
    assert 0 < timers.wait_ms(10_000_000) <= 3_600_000
    timers.start(2, 0)
    assert timers.wait_ms(1000) == 0


def test_timers_expire_once_and_in_order() -> None:
    timers = Timers()
    for number, seconds in ((1, 3600.0), (2, 0.02), (3, 0.0)):
        timers.start(number, seconds)
    found: list[int] = []

    def both_came() -> bool:
        found.extend(timers.expired())
        return len(found) == 2

    wait_until(both_came)
    assert found == [3, 2]
    assert list(timers.expired()) == []


def test_timers_that_nobody_waits_for_are_forgotten_when_they_are_many() -> None:
    timers = Timers(lambda timer: timer % 100 == 0)
    for number in range(100_000):
        timers.start(number, 3600)
    assert len(timers) < 5000
    awaited = Timers()
    for number in range(5000):
        awaited.start(number, 0)
    assert len(list(awaited.expired())) == 5000
