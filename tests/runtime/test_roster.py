"""Who may serve an external node, at which time."""

from __future__ import annotations

from typing import Any

import pytest

from jina.graph.plan import PlannedNode
from jina.runtime.agency import Admitted, Greet, TurnedAway, Wait
from jina.runtime.control import Holder
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


def holder(identity: bytes, node: str, shard: int | None = None, **more: Any) -> Holder:
    return Holder(identity=identity, who="agent 7 on m", node=node, shard=shard, **more)


A = holder(b"a", "indexer", 1)


@pytest.mark.parametrize(
    ("held", "identity", "greet", "waits_s"),
    [
        (A, b"b", hello("indexer", shard=1), 10.0),
        (A, b"b", hello("indexer"), 10.0),  # every shard
        (A, b"b", hello("indexer", shard=2), 0.0),  # a shard that nobody had
        (A, b"a", hello("indexer", shard=1), 0.0),  # it is the one that had it
        (holder(b"a", "indexer"), b"b", hello("indexer", shard=2), 10.0),
        (holder(b"a", "encoder", is_stateful=True), b"b", hello(is_stateful=True), 10.0),
        (holder(b"a", "encoder", is_stateful=True), b"b", hello(), 0.0),  # it writes nothing
        (holder(b"a", "gone", is_stateful=True), b"b", hello(is_stateful=True), 0.0),
        (holder(b"a", "ranker", is_stateful=True), b"b", hello(is_stateful=True), 0.0),
    ],
)
def test_a_later_gateway_knows_who_may_still_write_files(
    held: Holder, identity: bytes, greet: Greet, waits_s: float
) -> None:
    agents = roster()
    agents.recall([held], 10.0, 100.0)
    answer = agents.greet(identity, greet, 100.0)
    if not waits_s:
        assert isinstance(answer, Admitted)
        return
    assert answer == Wait(why="agent 7 on m, which served it, may still be alive", seconds=waits_s)
    agents.forget(109.9)
    assert isinstance(agents.greet(identity, greet, 109.9), Wait)
    assert isinstance(agents.greet(identity, greet, 110.0), Admitted)


def test_who_comes_back_to_a_later_gateway_has_its_shard_again() -> None:
    agents = roster()
    agents.recall([A], 10.0, 0.0)
    assert isinstance(agents.greet(b"b", hello("indexer", shard=1), 0.0), Wait)
    assert isinstance(agents.greet(b"a", hello("indexer", shard=1), 1.0), Admitted)
    assert isinstance(agents.greet(b"b", hello("indexer", shard=1), 20.0), TurnedAway)


@pytest.mark.parametrize(("seconds", "waits_s"), [(120.0, 120.0), (3.0, 3.0), (0.0, 0.0)])
def test_the_time_that_is_left_is_that_of_the_earlier_lease(seconds: float, waits_s: float) -> None:
    agents = roster()
    agents.recall([A], seconds, 100.0)
    answer = agents.greet(b"b", hello("indexer", shard=1), 100.0)
    assert isinstance(answer, Wait) == bool(waits_s)
    if isinstance(answer, Wait):
        assert answer.seconds == waits_s
        agents.forget(100.0)
        assert isinstance(agents.greet(b"b", hello("indexer", shard=1), 100.0), Wait)


def test_it_tells_who_has_files_until_they_are_gone_for_certain() -> None:
    agents = roster()
    assert agents.holders == []
    agents.greet(b"e", hello(), 0.0)  # keeps no files
    agents.greet(b"a", hello("indexer", shard=1), 0.0)
    agents.greet(b"b", hello("encoder", is_stateful=True), 0.0)
    assert agents.holders == [A, holder(b"b", "encoder", is_stateful=True)]
    agents.lose(b"a")
    agents.leave(b"b")
    agents.forget(9.9)
    assert agents.holders == [A]
    agents.forget(10.0)
    assert agents.holders == []


def test_one_that_is_waited_for_and_says_that_it_ends_is_waited_for_no_more() -> None:
    agents = roster()
    agents.recall([A], 10.0, 0.0)
    agents.leave(b"a")
    assert isinstance(agents.greet(b"b", hello("indexer", shard=1), 0.0), Admitted)


def test_agents_that_had_files_beside_each_other_need_not_wait_for_each_other() -> None:
    agents = roster()
    each = [holder(identity, "encoder", is_stateful=True) for identity in (b"a", b"b")]
    agents.recall(each, 10.0, 0.0)
    assert isinstance(agents.greet(b"c", hello(is_stateful=True), 0.0), Wait)
    for identity in (b"a", b"b"):
        assert isinstance(agents.greet(identity, hello(is_stateful=True), 0.0), Admitted)


def test_nobody_waits_for_one_whose_place_another_has_taken() -> None:
    agents = roster()
    agents.greet(b"a", hello("indexer", shard=1), 0.0)
    agents.lose(b"a")
    assert isinstance(agents.greet(b"b", hello("indexer", shard=1), 10.0), Admitted)
    assert [each.identity for each in agents.holders] == [b"b"]
    later = roster()
    later.recall(agents.holders, 10.0, 11.0)
    assert isinstance(later.greet(b"b", hello("indexer", shard=1), 11.0), Admitted)


def test_a_greeting_is_answered_with_its_time() -> None:
    answer = roster().greet(b"a", hello(at=7.5), 100.0)
    assert isinstance(answer, Admitted)
    assert answer.at == 7.5
