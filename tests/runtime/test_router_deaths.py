"""The router's decisions when workers die or Executors raise: what goes again, what is charged."""

from __future__ import annotations

import pytest

from jina.runtime.router import Router
from jina.runtime.steps import AnswerError, Event, Lost
from tests.runtime.tables import (
    DIAMOND,
    DIED,
    GONE,
    ONE,
    failed,
    gave_up,
    graph,
    is_idle,
    lost,
    play,
    post,
    ready,
    reply,
    started,
    words,
)

# --- deaths ------------------------------------------------------------------------------------


def test_a_dead_workers_staged_tasks_go_again_in_front_and_in_order() -> None:
    play(
        started(ONE, credits=3),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), ["a/0 <- 3: in (last)"]),
            (post(4), []),
            (lost("a/0"), []),
            (
                ready("a/0-2", credits=4),
                [f"a/0-2 <- {task}: in (last)" for task in (1, 2, 3, 4)],
            ),
        ],
    )


def test_a_dead_workers_tasks_go_at_once_to_a_replica_with_credits() -> None:
    play(
        started(ONE, replicas=2),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/1 <- 2: in (last)"]),
            (lost("a/0", begun=1), ["a/1 <- 1: in (last)"]),
            (reply("a/1", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )


def test_staged_tasks_are_not_charged_however_often_their_workers_die() -> None:
    router = started(ONE)
    router.step(post(1))
    for life in range(1, 20):
        assert router.step(lost(f"a/0{life - 1 or ''}")) == []
        done = router.step(ready(f"a/0{life}"))
        assert [words(action) for action in done] == [f"a/0{life} <- 1: in (last)"]
    done = router.step(reply("a/019", 1, "A"))
    assert [words(action) for action in done] == ["c <- 1: A, served 1"]


def test_a_task_that_was_begun_in_two_deaths_fails_and_its_neighbours_do_not() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "a/0-2 <- 2: in (last)"]),
            (
                lost("a/0-2", begun=1),
                [
                    f"c <- 1! {DIED} a: This request crashed the worker "
                    "(2 attempts; killed by SIGKILL)"
                ],
            ),
            (ready("a/0-3"), ["a/0-3 <- 2: in (last)"]),
            (reply("a/0-3", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_the_one_document_that_kills_is_found_and_what_the_others_gave_is_kept() -> None:
    router = started(ONE)
    router.step(post(1, rows=4))
    router.step(post(2, "other"))
    play(
        router,
        [
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "a/0-2 <- 2: other (last)"]),
            (lost("a/0-2", begun=1), []),
            (ready("a/0-3"), ["a/0-3 <- 1[0:2]: in (last)", "a/0-3 <- 2: other (last)"]),
            # The first half is well; the second one kills, and so does its first half.
            (reply("a/0-3", 1, "01"), ["a/0-3 <- 1[2:4]: in (last)"]),
            (lost("a/0-3", begun=1), []),
            (ready("a/0-4"), ["a/0-4 <- 2: other (last)", "a/0-4 <- 1[2:3]: in (last)"]),
            (lost("a/0-4", begun=1), []),
            (ready("a/0-5"), ["a/0-5 <- 2: other (last)", "a/0-5 <- 1[2:3]!: in (last)"]),
            (reply("a/0-5", 2, "O"), ["c <- 2: O, served 1"]),
            (reply("a/0-5", 1, "error"), ["a/0-5 <- 1[3:4]: in (last)"]),
            (reply("a/0-5", 1, "3"), ["c <- 1: 01+error+3, served 1"]),
        ],
    )
    assert is_idle(router)


def test_half_a_request_that_was_only_staged_at_a_death_is_not_narrowed_further() -> None:
    router = started(ONE, max_attempts=1)
    router.step(post(1, rows=4))
    play(
        router,
        [
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1[0:2]: in (last)"]),
            (lost("a/0-2"), []),
            (ready("a/0-3"), ["a/0-3 <- 1[0:2]: in (last)"]),
        ],
    )


def test_an_exception_in_half_a_request_fails_the_whole_one() -> None:
    router = started(ONE, max_attempts=1)
    router.step(post(1, rows=4))
    play(
        router,
        [
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1[0:2]: in (last)"]),
            (failed("a/0-2", 1), ["c <- 1! ValueError at a: no"]),
        ],
    )
    assert is_idle(router)


def test_a_worker_that_dies_even_of_the_report_fails_the_request() -> None:
    router = started(ONE, max_attempts=1)
    router.step(post(1, rows=2))
    play(
        router,
        [
            (lost("a/0", begun=1), []),
            (ready("a/1"), ["a/1 <- 1[0:1]: in (last)"]),
            (lost("a/1", begun=1), []),
            (ready("a/2"), ["a/2 <- 1[0:1]!: in (last)"]),
            (
                lost("a/2", begun=1),
                [
                    f"c <- 1! {DIED} a: This Document crashed the worker "
                    "(3 attempts; killed by SIGKILL)"
                ],
            ),
        ],
    )
    assert is_idle(router)


def test_what_is_left_of_a_narrowed_request_goes_on_to_the_next_node() -> None:
    router = started(graph(a="", b="a"), max_attempts=1)
    router.step(post(1, rows=2))
    play(
        router,
        [
            (lost("a/0", begun=1), []),
            (ready("a/1"), ["a/1 <- 1[0:1]: in"]),
            (reply("a/1", 1, "0"), ["a/1 <- 1[1:2]: in"]),
            (reply("a/1", 1, "1"), ["b/0 <- 2: 0+1 (last)"]),
        ],
    )


def test_a_join_is_not_narrowed_down() -> None:
    router = started(DIAMOND, max_attempts=1)
    router.step(post(1, rows=4))
    for number, node in enumerate("abc", 1):
        router.step(reply(f"{node}/0", number, node.upper()))
    (answer,) = router.step(lost("j/0", begun=4))
    assert words(answer).startswith(
        f"c <- 1! {DIED} j: This request crashed the worker (1 attempt; "
    )


@pytest.mark.parametrize("most", [1, 2, 5])
def test_max_attempts_is_how_many_deaths_a_begun_task_may_cause(most: int) -> None:
    router = started(ONE, max_attempts=most)
    router.step(post(1))
    for life in range(most - 1):
        assert router.step(lost(f"a/0{life or ''}", begun=1)) == []
        router.step(ready(f"a/0{life + 1}"))
    (answer,) = router.step(lost(f"a/0{most - 1 or ''}", begun=1))
    assert f"This request crashed the worker ({most} attempt" in words(answer)


def test_a_death_is_charged_at_one_node_only() -> None:
    """A request that killed a worker of one node may still kill one of the next."""
    play(
        started(graph(a="", b="a")),
        [
            (post(1), ["a/0 <- 1: in"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in"]),
            (reply("a/0-2", 1, "A"), ["b/0 <- 2: A (last)"]),
            (lost("b/0", begun=2), []),
            (ready("b/0-2"), ["b/0-2 <- 2: A (last)"]),
            (reply("b/0-2", 2, "B"), ["c <- 1: B, served 2"]),
        ],
    )


@pytest.mark.parametrize("late", [reply("a/0", 1, "late"), failed("a/0", 1)])
def test_a_dead_workers_late_word_is_dropped(late: Event) -> None:
    play(
        started(ONE),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (lost("a/0"), []),
            (late, []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)"]),
            (late, []),
            (reply("a/0-2", 1, "A"), ["c <- 1: A, served 1"]),
            (late, []),
        ],
    )


@pytest.mark.parametrize(
    "word", [reply("a/1", 1, "forged"), failed("a/1", 1), reply("a/0", 2, "x"), lost("b/7", 1)]
)
def test_a_word_about_a_task_that_the_worker_does_not_have_is_dropped(word: Event) -> None:
    play(
        started(ONE, replicas=2),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (word, []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (reply("a/0", 1, "A again"), []),
        ],
    )


def test_a_node_that_gave_up_answers_everything_that_waits_for_it_and_all_that_comes() -> None:
    router = Router(graph(a="", b="a"))
    play(
        router,
        [
            (ready("a/0", credits=9), []),
            (ready("b/0"), []),
            (post(1), ["a/0 <- 1: in"]),
            (post(2), ["a/0 <- 2: in"]),
            (post(3), ["a/0 <- 3: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 4: A (last)"]),
            (reply("a/0", 2, "A"), ["b/0 <- 5: A (last)"]),
            (lost("b/0", begun=4), []),
            (
                gave_up("b"),
                [
                    f"c <- 1! {GONE} b: it has no workers left",
                    f"c <- 2! {GONE} b: it has no workers left",
                ],
            ),
            (reply("a/0", 3, "A"), [f"c <- 3! {GONE} b: it has no workers left"]),
        ],
    )
    assert is_idle(router)


def test_a_node_that_gave_up_serves_again_once_a_worker_is_ready() -> None:
    play(
        started(ONE),
        [
            (lost("a/0"), []),
            (gave_up("a"), []),
            (post(1), [f"c <- 1! {GONE} a: it has no workers left"]),
            (ready("a/1"), []),
            (post(2), ["a/1 <- 2: in (last)"]),
        ],
    )


# --- failures ----------------------------------------------------------------------------------


def test_an_exception_fails_its_request_and_frees_the_credit() -> None:
    router = started(ONE, credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (failed("a/0", 1, "bad"), ["c <- 1! ValueError at a: bad", "a/0 <- 2: in (last)"]),
            (reply("a/0", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )
    assert is_idle(router)


@pytest.mark.parametrize("late", [reply("c/0", 3, "late"), failed("c/0", 3, "too")])
def test_a_request_that_failed_in_one_branch_is_answered_once(late: Event) -> None:
    router = started(DIAMOND)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (failed("b/0", 2, "bad"), ["c <- 1! ValueError at b: bad"]),
            (late, []),
        ],
    )
    assert is_idle(router)
    assert router.outstanding(b"c/0") == 0


def test_a_failed_requests_other_branch_is_not_sent_again_when_its_worker_dies() -> None:
    play(
        started(DIAMOND),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (failed("b/0", 2, "bad"), ["c <- 1! ValueError at b: bad"]),
            (lost("c/0", begun=3), []),
            (ready("c/0-2"), []),
        ],
    )


def test_a_failed_requests_other_branch_does_not_start_when_it_still_waits() -> None:
    play(
        started(graph(a="", b=""), credits=1),
        [
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (post(2), []),
            (reply("b/0", 2, "B"), ["b/0 <- 4: in"]),
            (failed("b/0", 4, "bad"), ["c <- 2! ValueError at b: bad"]),
            (reply("a/0", 1, "A"), ["c <- 1: A+B, served 2"]),
        ],
    )


# --- machines that are lost --------------------------------------------------------------------


def test_a_lost_machine_charges_no_request() -> None:
    router = started(ONE)
    router.step(post(1))
    for life in range(1, 6):
        gone = Lost(f"a/0{life - 1 or ''}".encode(), 0, "cut off", is_unsure=True)
        assert router.step(gone) == []
        done = router.step(ready(f"a/0{life}"))
        assert [words(action) for action in done] == [f"a/0{life} <- 1: in (last)"]


def test_what_must_not_be_seen_twice_is_not_repeated_when_a_machine_is_lost() -> None:
    router = Router(ONE)
    router.step(ready("a/0", once=["/x"]))
    router.step(post(1))
    (action,) = router.step(Lost(b"a/0", 0, "was cut off", is_unsure=True))
    assert isinstance(action, AnswerError)
    assert "not repeated, because the method is declared with once=True" in action.error.message
    assert is_idle(router)
