"""Workers that are to end: what happened on the left, what is to be done on the right."""

from __future__ import annotations

from jina.runtime.steps import Retire
from tests.runtime.tables import (
    CHAIN,
    DIED,
    GONE,
    ONE,
    failed,
    gave_up,
    is_idle,
    left,
    lost,
    play,
    post,
    ready,
    reply,
    started,
)


def retire(worker: str) -> Retire:
    return Retire(worker.encode())


def test_an_idle_worker_may_close_at_once_and_gets_nothing_more() -> None:
    play(
        started(ONE, replicas=2),
        [
            (retire("a/0"), ["a/0 may close"]),
            (post(1), ["a/1 <- 1: in (last)"]),
            (post(2), ["a/1 <- 2: in (last)"]),
            (post(3), []),
            (reply("a/1", 1, "A"), ["c <- 1: A, served 1", "a/1 <- 3: in (last)"]),
        ],
    )


def test_a_busy_worker_finishes_what_it_has() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (retire("a/0"), []),
            (retire("a/0"), []),
            (post(3), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (failed("a/0", 2), ["c <- 2! ValueError at a: no", "a/0 may close"]),
            # Its successor takes what waited.
            (ready("a/0b"), ["a/0b <- 3: in (last)"]),
            (reply("a/0b", 3, "B"), ["c <- 3: B, served 1"]),
        ],
    )
    assert is_idle(router)


def test_a_worker_that_dies_instead_is_as_dead_as_any() -> None:
    play(
        started(ONE, max_attempts=1),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (retire("a/0"), []),
            (
                lost("a/0", 1),
                [
                    f"c <- 1! {DIED} a: This request crashed the worker "
                    "(1 attempt; killed by SIGKILL)"
                ],
            ),
            (ready("a/0b"), ["a/0b <- 2: in (last)"]),
        ],
    )


def test_what_it_gives_back_fails_where_nobody_else_is_left() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (retire("a/0"), []),
            (gave_up("a"), []),
            (lost("a/0"), [f"c <- 1! {GONE} a: it has no workers left"]),
        ],
    )
    assert is_idle(router)


def test_the_other_half_fails_too_where_nobody_else_is_left() -> None:
    router = started(ONE, max_attempts=1)
    play(
        router,
        [
            (post(1, rows=2), ["a/0 <- 1: in (last)"]),
            (lost("a/0", 1), []),
            (ready("a/0b"), ["a/0b <- 1[0:1]: in (last)"]),
            (retire("a/0b"), []),
            (gave_up("a"), []),
            (
                reply("a/0b", 1, "A"),
                [f"c <- 1! {GONE} a: it has no workers left", "a/0b may close"],
            ),
        ],
    )
    assert is_idle(router)


def test_its_end_after_it_closed_means_nothing() -> None:
    play(
        started(ONE),
        [
            (retire("a/0"), ["a/0 may close"]),
            (lost("a/0"), []),
            (retire("a/0"), []),
            (retire("a/7"), []),
        ],
    )


def test_what_its_client_no_longer_waits_for_is_finished_too() -> None:
    play(
        started(ONE),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (retire("a/0"), []),
            (left("c"), ["a/0 need not do 1"]),
            (reply("a/0", 1, "A"), ["a/0 may close"]),
        ],
    )


def test_its_results_go_on_through_the_graph() -> None:
    play(
        started(CHAIN),
        [
            (post(1), ["a/0 <- 1: in"]),
            (retire("a/0"), []),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "a/0 may close"]),
        ],
    )
