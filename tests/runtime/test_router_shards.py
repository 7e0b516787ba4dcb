"""The router's decisions about shards, their tails, and nodes for which nobody waits."""

from __future__ import annotations

import pytest

from jina.graph.plan import PlannedNode
from jina.names import GATEWAY
from tests.runtime.tables import (
    DIED,
    GONE,
    failed,
    gave_up,
    graph,
    is_idle,
    left,
    lost,
    play,
    post,
    ready,
    reply,
    ruled,
    sharded,
    started,
)


def test_any_shard_takes_a_request_the_least_busy_first() -> None:
    router = started(sharded("ANY"), apart="z")
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in (last)"]),
            (post(2), ["s#1/0 <- 2: in (last)"]),
            (post(3), ["s#0/0 <- 3: in (last)"]),
            (reply("s#1/0", 2, "B"), ["c <- 2: B, served 1"]),
            (post(4), ["s#1/0 <- 4: in (last)"]),
        ],
    )


def test_every_shard_gets_a_request_and_the_tail_gets_a_branch_of_each() -> None:
    router = started(sharded("ALL"))
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#1/0", 2, "B1", "B2"), []),
            (reply("s#0/0", 1, "A"), ["s/tail/0 <- 3: A | B1+B2"]),
            (reply("s/tail/0", 3, "T"), ["z/0 <- 4: T (last)"]),
            (reply("z/0", 4, "Z"), ["c <- 1: Z, served 3"]),
        ],
    )
    assert is_idle(router)


def test_a_shard_that_gives_nothing_is_an_empty_branch() -> None:
    play(
        started(sharded("ALL"), apart="z"),
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#0/0", 1), []),
            (reply("s#1/0", 2, "B"), ["s/tail/0 <- 3:  | B (last)"]),
        ],
    )


def test_without_a_tail_the_results_are_strung_together_and_nobody_writes_the_lines() -> None:
    play(
        started(sharded("ALL", tail=False), apart="z"),
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#1/0", 2, "B"), []),
            (reply("s#0/0", 1, "A"), ["c <- 1: A+B, served 1"]),
        ],
    )
    play(
        started(sharded("ALL", tail=False)),
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#1/0", 2, "B"), []),
            (reply("s#0/0", 1, "A"), ["z/0 <- 3: A+B (last)"]),
        ],
    )


def test_replicas_of_a_shard_take_turns() -> None:
    router = started(sharded("ALL"), replicas=2)
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (post(2), ["s#0/1 <- 3: in", "s#1/1 <- 4: in"]),
            (post(3), ["s#0/0 <- 5: in", "s#1/0 <- 6: in"]),
        ],
    )


def test_a_shard_that_is_away_holds_up_only_what_needs_it() -> None:
    nodes = [PlannedNode(name="s", needs=[GATEWAY], shards=2, polling={"/all": "ALL"})]
    router = started(nodes, credits=1)
    play(
        router,
        [
            (ready("s#0/0b", "/x", "/all", credits=1), []),
            (lost("s#0/0"), []),
            (lost("s#0/0b"), []),
            (post(1, "all", endpoint="/all"), ["s#1/0 <- 2: all"]),
            (post(2), []),
            (reply("s#1/0", 2, "B"), ["s#1/0 <- 3: in (last)"]),
            (reply("s#1/0", 3, "X"), ["c <- 2: X, served 1"]),
            (ready("s#0/1", "/x", "/all"), ["s#0/1 <- 1: all"]),
            (reply("s#0/1", 1, "A"), ["c <- 1: A+B, served 1"]),
        ],
    )


def test_requests_to_one_shard_and_to_any_take_turns() -> None:
    nodes = [PlannedNode(name="s", needs=[GATEWAY], shards=2, polling={"/all": "ALL"})]
    router = started(nodes, credits=1)
    play(
        router,
        [
            (ready("s#1/1", "/x", "/all", credits=1), []),
            (post(1, "all", endpoint="/all"), ["s#0/0 <- 1: all", "s#1/0 <- 2: all"]),
            (post(2, "any"), ["s#1/1 <- 3: any (last)"]),
            (post(3, "any"), []),
            (post(4, "all", endpoint="/all"), []),
            (post(5, "any"), []),
            (post(6, "all", endpoint="/all"), []),
            (reply("s#0/0", 1), ["s#0/0 <- 5: all"]),
            (reply("s#0/0", 5), ["s#0/0 <- 4: any (last)"]),
            (reply("s#0/0", 4), ["c <- 3: , served 1", "s#0/0 <- 8: all"]),
        ],
    )


# --- deaths --------------------------------------------------------------------------------------


def test_a_death_concerns_the_task_of_its_shard_alone() -> None:
    router = started(sharded("ALL"), apart="z")
    play(
        router,
        [
            (post(1, rows=2), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#0/0", 1, "A"), []),
            (lost("s#1/0", 2), []),
            (ready("s#1/0b"), ["s#1/0b <- 2: in"]),
            (lost("s#1/0b", 2), []),
            (ready("s#1/0c"), ["s#1/0c <- 2[0:1]: in"]),
            (reply("s#1/0c", 2, "B0"), ["s#1/0c <- 2[1:2]: in"]),
            (lost("s#1/0c", 2), []),
            (ready("s#1/0d"), ["s#1/0d <- 2[1:2]!: in"]),
            (reply("s#1/0d", 2, "B1"), ["s/tail/0 <- 3: A | B0+B1 (last)"]),
        ],
    )


def test_what_cannot_be_narrowed_down_names_the_shard() -> None:
    router = started(sharded("ALL"), max_attempts=1)
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (
                lost("s#1/0", 2),
                [
                    f"c <- 1! {DIED} s: This request crashed the worker of shard 1 "
                    "(1 attempt; killed by SIGKILL)"
                ],
            ),
            (reply("s#0/0", 1, "A"), []),
        ],
    )
    assert is_idle(router)


def test_a_tail_that_dies_cannot_be_narrowed_down() -> None:
    router = started(sharded("ALL"), max_attempts=1)
    play(
        router,
        [
            (post(1, rows=9), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#0/0", 1, "A"), []),
            (reply("s#1/0", 2, "B"), ["s/tail/0 <- 3: A | B"]),
            (
                lost("s/tail/0", 3),
                [
                    f"c <- 1! {DIED} s/tail: This request crashed the worker "
                    "(1 attempt; killed by SIGKILL)"
                ],
            ),
        ],
    )


def test_an_error_of_one_shard_fails_the_request_once() -> None:
    router = started(sharded("ALL"), credits=1)
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (post(2), []),
            (failed("s#1/0", 2), ["c <- 1! ValueError at s: no", "s#1/0 <- 4: in"]),
            (failed("s#0/0", 1), ["s#0/0 <- 3: in"]),
        ],
    )


def test_a_node_serves_all_no_more_without_one_shard_and_any_without_all() -> None:
    nodes = [PlannedNode(name="s", needs=[GATEWAY], shards=2, polling={"/all": "ALL"})]
    router = started(nodes)
    play(router, [(ready("s#1/1", "/x", "/all"), []), (lost("s#0/0"), [])])
    gone = f"{GONE} s: shard 0: it has no workers left"
    play(
        router,
        [
            (post(1, endpoint="/all"), ["s#1/0 <- 2: in"]),
            (gave_up("s", 0), [f"c <- 1! {gone}"]),
            (post(2, endpoint="/all"), [f"c <- 2! {gone}"]),
            (post(3), ["s#1/1 <- 5: in (last)"]),
            (reply("s#1/1", 5, "X"), ["c <- 3: X, served 1"]),
        ],
    )
    assert router.failed_nodes == {"s/shard-0": "it has no workers left"}
    play(router, [(lost("s#1/0"), []), (lost("s#1/1"), []), (post(4), [])])
    play(
        router,
        [
            (gave_up("s", 1), [f"c <- 4! {GONE} s: it has no workers left"]),
            (post(5), [f"c <- 5! {GONE} s: it has no workers left"]),
            # A later gateway's workers come back one by one.
            (ready("s#0/7"), []),
            (post(6), ["s#0/7 <- 8: in (last)"]),
        ],
    )
    assert router.failed_nodes == {"s/shard-1": "it has no workers left"}


def test_a_client_that_leaves_takes_the_tasks_of_all_shards_with_it() -> None:
    router = started(sharded("ALL"), credits=1)
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (post(2), []),
            (reply("s#0/0", 1, "A"), ["s#0/0 <- 3: in"]),
            (left("c"), ["s#0/0 need not do 3", "s#1/0 need not do 2"]),
            (reply("s#1/0", 2, "B"), []),
            (reply("s#0/0", 3, "A"), []),
        ],
    )
    assert is_idle(router)


# --- nobody waits --------------------------------------------------------------------------------


def floating(**needs: str) -> list[PlannedNode]:
    """`graph`, where the nodes whose names begin with f float."""
    return [
        PlannedNode(name=node.name, needs=node.needs, is_floating=node.name.startswith("f"))
        for node in graph(**needs)
    ]


def test_the_answer_does_not_wait_for_a_floating_node() -> None:
    router = started(floating(a="", f="a"))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),  # not the last: the other one needs all of its result
            (reply("a/0", 1, "A"), ["f/0 <- 2: A", "c <- 1: A, served 2"]),
        ],
    )
    assert router.requests_held == 1
    assert not router.held(b"c")
    assert router.bytes_held == 1
    play(router, [(left("c"), []), (reply("f/0", 2, "F"), [])])
    assert is_idle(router)


@pytest.mark.parametrize("is_first", [True, False])
def test_an_error_of_a_floating_node_is_said_and_fails_nothing(is_first: bool) -> None:
    router = started(floating(f="", a=""))
    play(router, [(post(1), ["f/0 <- 1: in", "a/0 <- 2: in (last)"])])
    two = [
        (failed("f/0", 1), ["nobody hears ValueError at f"]),
        (reply("a/0", 2, "A"), ["c <- 1: A, served 2"]),
    ]
    play(router, two if is_first else two[::-1])
    assert is_idle(router)


def test_an_error_after_which_a_floating_node_goes_on_is_said_once() -> None:
    router = started(
        ruled(floating(f="", a=""), "f", on_error="continue"), apart="a", max_attempts=1
    )
    play(
        router,
        [
            (post(1), ["f/0 <- 1: in", "c <- 1: in, served 1, some as it came"]),
            (failed("f/0", 1), ["nobody hears ValueError at f"]),
            (post(2, rows=2), ["f/0 <- 2: in", "c <- 2: in, served 1, some as it came"]),
            (lost("f/0", 2), []),
            (ready("f/0b"), ["f/0b <- 2[0:1]: in"]),
            (lost("f/0b", 2), ["nobody hears jina.excepts.WorkerDied at f"]),
            (ready("f/0c"), ["f/0c <- 2[0:1]-: in"]),
            (reply("f/0c", 2, "A"), ["f/0c <- 2[1:2]: in"]),
            (failed("f/0c", 2), []),
        ],
    )
    assert is_idle(router)


def test_a_request_that_only_floating_nodes_take_is_its_own_answer() -> None:
    router = started(floating(a="", f="a"), apart="a")
    play(
        router,
        [
            (post(1), ["f/0 <- 1: in", "c <- 1: in, served 1, some as it came"]),
            (reply("f/0", 1, "F"), []),
        ],
    )
    assert is_idle(router)


def test_a_floating_node_may_have_shards_and_a_tail() -> None:
    nodes = sharded("ALL")[:2]
    afloat = [
        PlannedNode(
            name=node.name,
            needs=node.needs,
            shards=node.shards,
            polling=node.polling,
            of=node.of,
            reduces=node.reduces,
            is_floating=True,
        )
        for node in nodes
    ]
    router = started(afloat)
    play(
        router,
        [
            (
                post(1),
                ["s#0/0 <- 1: in", "s#1/0 <- 2: in", "c <- 1: in, served 2, some as it came"],
            ),
            (lost("s#0/0", 1), []),
            (ready("s#0/0b"), ["s#0/0b <- 1: in"]),
            (reply("s#0/0b", 1, "A"), []),
            (reply("s#1/0", 2, "B"), ["s/tail/0 <- 3: A | B"]),
            (reply("s/tail/0", 3, "T"), []),
        ],
    )
    assert is_idle(router)


def test_what_a_shard_gave_is_counted_until_the_others_have_answered() -> None:
    router = started(sharded("ALL"))
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#0/0", 1, "four"), []),
        ],
    )
    assert router.bytes_held == len("in") + len("four")
