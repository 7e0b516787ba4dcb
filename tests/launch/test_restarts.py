"""When a dead worker comes back: moments of its deaths on the left, the delay on the right."""

from __future__ import annotations

import pytest

from jina.launch.restarts import Comebacks, Restarts


@pytest.mark.parametrize(
    ("deaths", "delays"),
    [
        ([0], [0.1]),
        ([0, 1, 2, 3, 4], [0.1, 0.2, 0.4, 0.8, 1.6]),
        # More than five within a minute: it does not come back.
        ([0, 1, 2, 3, 4, 5], [0.1, 0.2, 0.4, 0.8, 1.6, None]),
        ([0, 10, 20, 30, 40, 59.9], [0.1, 0.2, 0.4, 0.8, 1.6, None]),
        # The first one is over a minute old when the sixth comes.
        ([0, 10, 20, 30, 40, 60.1], [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]),
        # Never more than ten seconds.
        ([0, 13, 26, 39, 52, 65, 78, 91], [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10]),
        # A minute in peace and all is forgotten.
        ([0, 1, 2, 62.1, 63], [0.1, 0.2, 0.4, 0.1, 0.2]),
    ],
)
def test_delays_double_until_the_budget_is_spent(
    deaths: list[float], delays: list[float | None]
) -> None:
    restarts = Restarts()
    assert [restarts.delay_s(moment) for moment in deaths] == delays


def test_deaths_that_a_request_is_to_blame_for_cost_nothing() -> None:
    restarts = Restarts()
    for moment in range(50):
        assert restarts.delay_s(moment) == 0.1
        restarts.forgive()


def test_only_the_last_death_is_forgiven() -> None:
    restarts = Restarts()
    assert [restarts.delay_s(moment) for moment in range(3)] == [0.1, 0.2, 0.4]
    restarts.forgive()
    assert [restarts.delay_s(moment) for moment in range(3, 7)] == [0.4, 0.8, 1.6, None]


def test_there_is_nothing_to_forgive_before_a_death() -> None:
    restarts = Restarts()
    restarts.forgive()
    assert restarts.delay_s(0) == 0.1


def test_a_node_or_a_shard_of_it_is_given_up_with_its_last_worker() -> None:
    comebacks = Comebacks(
        {
            **{f"a/{replica}": ("a", None) for replica in range(2)},
            **{f"s/shard-{shard}/0": ("s", shard) for shard in range(2)},
        }
    )
    assert comebacks.give_up("a/1", "was killed") is None
    assert comebacks.give_up("s/shard-1/0", "was killed") == ("s", 1)
    assert comebacks.give_up("a/0", "was killed") == ("a", None)
    assert list(comebacks.given_up) == [("s", 1), ("a", None)]
    assert comebacks.given_up["s", 1].endswith("the last one was killed")
