"""Nobody wants a request any more: what the router does with it, wherever it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from jina.graph.plan import PlannedNode, Retries
from jina.runtime.router import Router
from jina.runtime.steps import Event
from jina.wire.batching import Batching
from tests.runtime.tables import (
    CHAIN,
    DIAMOND,
    ONE,
    cancelled,
    failed,
    gave_up,
    graph,
    is_idle,
    left,
    lost,
    over,
    play,
    post,
    ready,
    reply,
    ruled,
    sharded,
    soon,
    started,
    words,
)


def floating(**needs: str) -> list[PlannedNode]:
    """`graph`, where the nodes whose names begin with f float."""
    return [
        PlannedNode(name=node.name, needs=node.needs, is_floating=node.name.startswith("f"))
        for node in graph(**needs)
    ]


def test_what_waits_is_dropped_and_what_is_staged_is_taken_back() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), []),
            (post(4, "D"), []),
            (cancelled(3), []),
            (cancelled(2), ["a/0 need not do 2"]),
            (reply("a/0", 2), ["a/0 <- 4: D (last)"]),  # the worker gives it back at once
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (reply("a/0", 4, "A"), ["c <- 4: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_what_runs_finishes_and_its_result_goes_nowhere() -> None:
    """The worker is told too: only it knows whether it has begun."""
    router = started(CHAIN)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (cancelled(1), ["a/0 need not do 1"]),
            (reply("a/0", 1, "A"), []),
        ],
    )
    assert is_idle(router)


@pytest.mark.parametrize("number", [1, 7])
def test_what_has_its_answer_or_never_came_is_not_there_to_cancel(number: int) -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (cancelled(number), []),
            (cancelled(2, client="d"), []),
            (reply("a/0", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )


def test_a_request_is_cancelled_once_and_its_number_may_be_used_again() -> None:
    router = started(ONE, credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (cancelled(1), ["a/0 need not do 1"]),
            (cancelled(1), []),
            (post(1, "anew"), []),
            (reply("a/0", 1, "A"), ["a/0 <- 2: anew (last)"]),
            (reply("a/0", 2, "B"), ["c <- 1: B, served 1"]),
        ],
    )
    assert is_idle(router)


def test_its_bytes_and_its_place_in_the_window_are_free_at_once() -> None:
    router = started(ONE, window_requests=2, credits=1)
    play(
        router,
        [
            (post(1, "four"), ["a/0 <- 1: four (last)"]),
            (post(2, "seven77"), []),
            (post(3), ["c <- 3 refused: more than 2 requests in progress"]),
            (cancelled(2), []),
        ],
    )
    assert (router.bytes_held, router.requests_held, router.held(b"c")) == (4, 1, [1])
    play(router, [(post(3), []), (cancelled(1), ["a/0 need not do 1"])])
    assert (router.bytes_held, router.held(b"c")) == (2, [3])


def test_other_branches_go_too() -> None:
    router = started(DIAMOND)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (reply("b/0", 2, "B"), []),
            (cancelled(1), ["c/0 need not do 3"]),
            (reply("c/0", 3, "C"), []),  # nothing is joined
        ],
    )
    assert is_idle(router)


def test_the_tasks_of_all_shards_go() -> None:
    router = started(sharded("ALL"), credits=1)
    play(
        router,
        [
            (post(1), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (post(2), []),
            (reply("s#0/0", 1, "A"), ["s#0/0 <- 3: in"]),
            (cancelled(2), ["s#0/0 need not do 3"]),
            (cancelled(1), ["s#1/0 need not do 2"]),
            (reply("s#1/0", 2, "B"), []),
            (reply("s#0/0", 3), []),
        ],
    )
    assert is_idle(router)


def test_what_floats_beside_it_goes_as_long_as_it_has_no_answer() -> None:
    router = started(floating(a="", b="a", f="a"), credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["f/0 <- 2: A", "b/0 <- 3: A (last)"]),
            (post(2), ["a/0 <- 4: in"]),
            (reply("a/0", 4, "X"), []),
            (cancelled(2), []),
            (cancelled(1), ["b/0 need not do 3", "f/0 need not do 2"]),
            (reply("f/0", 2), []),
            (reply("b/0", 3), []),
        ],
    )
    assert is_idle(router)


def test_what_floats_goes_on_after_the_answer() -> None:
    router = started(floating(a="", f="a"))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["f/0 <- 2: A", "c <- 1: A, served 2"]),
            (cancelled(1), []),
            (left("c"), []),
        ],
    )
    assert router.requests_held == 1
    play(router, [(failed("f/0", 2), ["nobody hears ValueError at f"])])
    assert is_idle(router)


def test_a_death_with_it_begun_charges_nobody_and_nothing_of_it_is_done_again() -> None:
    router = started(ONE, max_attempts=1)
    play(
        router,
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (post(2, "next"), ["a/0 <- 2: next (last)"]),
            (cancelled(1), ["a/0 need not do 1"]),
            (lost("a/0", begun=1), []),
            (ready("a/0+"), ["a/0+ <- 2: next (last)"]),
            (reply("a/0+", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_a_death_while_it_is_staged_does_not_bring_it_back() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (cancelled(2), ["a/0 need not do 2"]),
            (lost("a/0", begun=1), []),
            (ready("a/0+"), ["a/0+ <- 1: in (last)"]),
            (reply("a/0", 2), []),
            (reply("a/0+", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_halves_are_not_gone_on_with() -> None:
    router = started(ONE, max_attempts=1)
    play(
        router,
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/0+"), ["a/0+ <- 1[0:2]: in (last)"]),
            (cancelled(1), ["a/0+ need not do 1"]),
            (reply("a/0+", 1, "A"), []),
        ],
    )
    assert is_idle(router)


def test_an_error_is_not_tried_again_and_nobody_gets_it() -> None:
    nodes = ruled(ONE, "a", retries=Retries(times=3, backoff_s=1))
    router = started(nodes)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (failed("a/0", 1, "no", "Busy"), ["timer 1: 1 s"]),
            (cancelled(1), []),
            (cancelled(2), ["a/0 need not do 2"]),
            (failed("a/0", 2, "no", "Busy"), []),
        ],
    )
    assert not router.awaits(1)
    play(router, [(over(1), [])])
    assert is_idle(router)


@pytest.mark.parametrize("mode", ["continue", "split", "stop"])
def test_after_an_error_nothing_of_it_goes_on(mode: str) -> None:
    router = started(ruled(CHAIN, "a", on_error=mode))
    play(
        router,
        [
            (post(1, rows=4), ["a/0 <- 1: in"]),
            (cancelled(1), ["a/0 need not do 1"]),
            (failed("a/0", 1, "no", "ValueError"), []),
        ],
    )
    assert is_idle(router)


def test_its_time_is_not_waited_for() -> None:
    router = started(ONE)
    play(
        router,
        [
            (soon(post(1), 2), ["timer 1: 2 s", "a/0 <- 1: in (last)"]),
            (cancelled(1), ["a/0 need not do 1"]),
        ],
    )
    assert not router.awaits(1)


def test_a_node_that_is_gone_tells_nobody() -> None:
    router = started(ONE, credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (cancelled(2), []),
            (cancelled(1), ["a/0 need not do 1"]),
            (lost("a/0", begun=1), []),
            (gave_up("a"), []),
        ],
    )
    assert is_idle(router)


# --- batches -------------------------------------------------------------------------------------


@dataclass
class Batched:
    """A router with one node that batches /x."""

    batching: Batching = field(default_factory=lambda: Batching(3, 500))

    def router(self) -> Router:
        router = Router(ONE)
        assert not router.step(ready("a/0", credits=1, batching={"/x": self.batching}))
        return router


def asked(number: int, text: str = "in") -> Event:
    return post(number, text, call=b"\x91\x80")


def test_a_group_is_not_due_by_what_was_cancelled() -> None:
    router = Batched().router()
    play(
        router,
        [
            (asked(1), ["timer 1: 0.5 s"]),
            (asked(2), []),
            (cancelled(1), []),
            (asked(3, "C"), []),
            (over(1), ["a/0 <- 2 of 3: in (last)", "a/0 <- 3 of 3: C (last)"]),
        ],
    )


def test_a_group_that_is_left_empty_lets_its_timer_go() -> None:
    router = Batched().router()
    play(router, [(asked(1), ["timer 1: 0.5 s"]), (cancelled(1), []), (over(1), [])])
    assert not router.awaits(1)
    assert is_idle(router)


def test_one_of_a_lot_is_given_back_and_the_lot_is_one_credit_until_its_last() -> None:
    router = Batched().router()
    for number in (1, 2, 3):
        done = router.step(asked(number))
    assert [words(each).partition(":")[0] for each in done] == [
        "a/0 <- 1 of 3",
        "a/0 <- 2 of 3",
        "a/0 <- 3 of 3",
    ]
    play(
        router,
        [
            (asked(4), ["timer 2: 0.5 s"]),
            (over(2), []),
            (cancelled(3), ["a/0 need not do 3"]),
            (reply("a/0", 3), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (reply("a/0", 2, "B"), ["c <- 2: B, served 1", "a/0 <- 4: in (last)"]),
        ],
    )


def test_a_death_with_a_lot_begun_charges_those_that_are_still_wanted() -> None:
    router = Batched().router()
    for number in (1, 2, 3):
        router.step(asked(number))
    play(
        router,
        [
            (cancelled(3), ["a/0 need not do 3"]),
            (lost("a/0", begun=3), []),
            (ready("a/0+", credits=3), ["a/0+ <- 1: in (last)", "a/0+ <- 2: in (last)"]),
        ],
    )


# --- clients -------------------------------------------------------------------------------------


def test_a_client_that_leaves_cancels_all_of_its_requests_and_no_others() -> None:
    router = started(floating(a="", b="a", f="a"), credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["f/0 <- 2: A", "b/0 <- 3: A (last)"]),
            (post(2), ["a/0 <- 4: in"]),
            (post(3), []),
            (post(1, "D", client="d"), []),
            (left("c"), ["a/0 need not do 4", "b/0 need not do 3", "f/0 need not do 2"]),
            (reply("a/0", 4), ["a/0 <- 6: D"]),
        ],
    )
    assert router.requests_held == 1
