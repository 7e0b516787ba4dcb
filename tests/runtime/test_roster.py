"""Who may serve an external node, at which time."""

from __future__ import annotations

from typing import Any

import pytest

from jina.graph.plan import PlannedNode
from jina.runtime.agency import Admitted, Greet, TurnedAway, Wait
from jina.runtime.roster import Roster

NODES = [
    PlannedNode(name="encoder", needs=["gateway"], is_external=True),
    PlannedNode(name="indexer", needs=["encoder"], shards=3, is_external=True),
    PlannedNode(name="ranker", needs=["indexer"]),
]


def roster() -> Roster:
    return Roster("search", NODES, 5.0, ("1", "2"))


def hello(node: str = "encoder", **more: Any) -> Greet:
    return Greet(**{"machine": "m", "pid": 7, "node": node, "jina": "1", "msgspec": "2", **more})


@pytest.mark.parametrize(
    ("greet", "what", "hint", "is_usage"),
    [
        (
            hello(jina="0.9"),
            "the agent has jina 0.9, the gateway 1",
            "install the same jina on both machines",
            False,
        ),
        (
            hello(msgspec="0.1"),
            "the agent has msgspec 0.1, the gateway 2",
            "install the same msgspec on both machines",
            False,
        ),
        (
            hello("encodr"),
            'the Flow "search" has no Executor "encodr"',
            'did you mean "encoder"?',
            True,
        ),
        (
            hello("ranker"),
            'the Flow starts "ranker" itself',
            "write `external: true` in its YAML, to have it served from elsewhere",
            True,
        ),
        (hello(shard=0), '"encoder" has no shards', "leave out --shard", True),
        (hello("indexer", shard=3), '"indexer" has no shard 3', "it has 3, from 0 to 2", True),
    ],
)
def test_what_cannot_be_served_is_turned_away(
    greet: Greet, what: str, hint: str, is_usage: bool
) -> None:
    answer = roster().greet(b"a", greet, 0.0)
    assert answer == TurnedAway(what=what, hint=hint, is_usage=is_usage)


def test_replicas_get_the_first_numbers_that_are_free() -> None:
    agents = roster()
    assert numbers(agents.greet(b"a", hello(replicas=2), 0.0)) == [0, 1]
    assert numbers(agents.greet(b"b", hello(), 0.0)) == [2]
    agents.leave(b"a")
    assert numbers(agents.greet(b"c", hello(replicas=3), 0.0)) == [0, 1, 3]


def test_an_agent_that_comes_back_keeps_its_numbers() -> None:
    agents = roster()
    assert numbers(agents.greet(b"a", hello(numbers=[4]), 0.0)) == [4]
    assert numbers(agents.greet(b"b", hello(numbers=[4]), 0.0)) == [0]
    assert numbers(agents.greet(b"a", hello(numbers=[4]), 1.0)) == [4]


def test_a_shard_has_one_agent() -> None:
    agents = roster()
    assert isinstance(agents.greet(b"a", hello("indexer", shard=1), 0.0), Admitted)
    assert isinstance(agents.greet(b"b", hello("indexer", shard=0), 0.0), Admitted)
    for greet in (hello("indexer", shard=1), hello("indexer")):
        answer = agents.greet(b"c", greet, 0.0)
        assert isinstance(answer, TurnedAway)
        assert answer.is_usage
        assert "is served by agent 7 on m" in answer.what
    assert isinstance(agents.greet(b"a", hello("indexer", shard=1), 1.0), Admitted)


def test_a_shard_is_given_to_another_after_twice_the_lease() -> None:
    agents = roster()
    agents.greet(b"a", hello("indexer", shard=1), 0.0)
    assert agents.hears(b"a", 2.0)
    assert agents.silent(6.9) == []
    assert agents.silent(7.0) == [b"a"]
    agents.lose(b"a")
    assert not agents.hears(b"a", 7.0)
    answer = agents.greet(b"b", hello("indexer", shard=1), 8.0)
    assert answer == Wait(why="agent 7 on m, which served it, may still be alive", seconds=4.0)
    assert isinstance(agents.greet(b"b", hello("indexer", shard=0), 8.0), Admitted)
    assert isinstance(agents.greet(b"c", hello("indexer", shard=1), 12.0), Admitted)


def test_one_that_was_lost_may_come_back_itself() -> None:
    agents = roster()
    agents.greet(b"a", hello("indexer", shard=1), 0.0)
    agents.lose(b"a")
    assert isinstance(agents.greet(b"a", hello("indexer", shard=1), 1.0), Admitted)
    assert agents.hears(b"a", 1.0)


@pytest.mark.parametrize(("before", "after"), [(True, False), (False, True), (False, False)])
def test_nobody_waits_where_no_files_are_kept(before: bool, after: bool) -> None:
    agents = roster()
    agents.greet(b"a", hello(is_stateful=before), 0.0)
    agents.lose(b"a")
    assert isinstance(agents.greet(b"b", hello(is_stateful=after), 1.0), Admitted)


def test_one_that_keeps_files_waits_for_another_that_may_still_write_them() -> None:
    agents = roster()
    agents.greet(b"a", hello(is_stateful=True), 0.0)
    assert isinstance(agents.greet(b"b", hello(is_stateful=True), 1.0), Admitted)
    agents.lose(b"a")
    assert isinstance(agents.greet(b"c", hello(is_stateful=True), 1.0), Wait)
    agents.forget(10.1)
    assert isinstance(agents.greet(b"c", hello(is_stateful=True), 10.1), Admitted)


def test_one_that_left_in_order_is_waited_for_by_nobody() -> None:
    agents = roster()
    agents.greet(b"a", hello("indexer"), 0.0)
    agents.leave(b"a")
    assert isinstance(agents.greet(b"b", hello("indexer"), 0.0), Admitted)


def numbers(answer: object) -> list[int]:
    assert isinstance(answer, Admitted)
    return answer.numbers
