"""The times of a post: medians and percentiles of any number of calls."""

from __future__ import annotations

import pytest

from jina.client.timing import Timing
from jina.wire.maps import Leg


def test_each_node_has_a_row_in_the_order_in_which_it_was_met() -> None:
    timing = Timing()
    for n in range(1, 1001):
        timing.add([Leg("b", 0, 3, 0, n / 1000, 2 * n / 1000), Leg("a", 0, 1, 5, 5, 5)])
    first, second = timing.rows()
    assert first[:3] == ("b", 1000, 3000)
    assert first.waiting_ms == pytest.approx((500, 990), rel=0.01)
    assert first.running_ms == pytest.approx((500, 990), rel=0.01)
    assert second[:3] == ("a", 1000, 1000)
    assert second.running_ms[1] < 0.01


def test_a_clock_that_was_set_back_is_no_error() -> None:
    timing = Timing()
    timing.add([Leg("a", 0, 1, 10, 5, 1)])
    assert timing.rows()[0].waiting_ms[0] < 0.01


def test_nothing_was_timed() -> None:
    assert Timing().rows() == []
