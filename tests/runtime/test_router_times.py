"""The router's decisions when time has passed: calls, requests, and what each took."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from jina.graph.plan import Retries
from jina.runtime.router import Router
from jina.runtime.steps import Answer, AnswerError, Dispatch, Raised, Replied, Submitted
from jina.wire.maps import ErrorInfo, Leg, Times
from tests.runtime.tables import (
    CHAIN,
    DIAMOND,
    ONE,
    failed,
    is_idle,
    left,
    lost,
    over,
    play,
    post,
    ready,
    reply,
    ruled,
    soon,
    started,
)

SLOW = "jina.excepts.ExecutorTimeout at"
LATE = "jina.excepts.RequestTimeout at : The request took longer than 2 s"


def limited(**timeouts: float) -> Router:
    """One node with these timeouts, in which `x` stands for "/x" and `all` for all others."""
    names = {"x": "/x", "y": "/y", "all": "*"}
    limits = {names[name]: seconds for name, seconds in timeouts.items()}
    return started(ruled(ONE, "a", timeouts=limits))


# --- a node's timeout ----------------------------------------------------------------------------


def test_time_runs_for_the_oldest_task_at_a_worker_alone() -> None:
    router = limited(all=2)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)", "timer 1: 2 s"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), []),
            (
                reply("a/0", 1, "A"),
                ["timer 2: 2 s", "c <- 1: A, served 1", "a/0 <- 3: in (last)"],
            ),
            (over(1), []),
            (over(2), ["a/0 late with 2", "timer 3: 2 s"]),
            (reply("a/0", 2, "B"), ["timer 4: 2 s", "c <- 2: B, served 1"]),
            (reply("a/0", 3, "C"), ["c <- 3: C, served 1"]),
            (over(3), []),
            (over(4), []),
        ],
    )
    assert is_idle(router)


def test_a_worker_that_goes_on_is_late_again_and_again() -> None:
    play(
        limited(all=2),
        [
            (post(1), ["a/0 <- 1: in (last)", "timer 1: 2 s"]),
            (over(1), ["a/0 late with 1", "timer 2: 2 s"]),
            (over(2), ["a/0 late with 1", "timer 3: 2 s"]),
            (lost("a/0"), []),
            (over(3), []),
        ],
    )


def test_endpoints_have_timeouts_of_their_own_or_none() -> None:
    for router, timers in (
        (limited(x=1, all=5), ["timer 1: 1 s"]),
        (limited(y=1, all=5), ["timer 1: 5 s"]),
        (limited(y=1), []),
        (limited(x=-1, all=5), []),
    ):
        play(router, [(post(1), ["a/0 <- 1: in (last)", *timers])])


def test_a_call_that_hangs_twice_is_a_timeout() -> None:
    router = limited(all=2)
    error = (
        "This request exceeded the timeout of 2 s (2 attempts); the Flow's log shows where it was "
        "stopped"
    )
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)", "timer 1: 2 s"]),
            (over(1), ["a/0 late with 1", "timer 2: 2 s"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "timer 3: 2 s"]),
            (over(3), ["a/0-2 late with 1", "timer 4: 2 s"]),
            (lost("a/0-2", begun=1), [f"c <- 1! {SLOW} a: {error}"]),
        ],
    )
    assert is_idle(router)


def test_the_document_that_hangs_is_found_and_a_stopped_worker_charges_nobody() -> None:
    router = started(ruled(ONE, "a", timeouts={"*": 2}), max_attempts=1)
    play(
        router,
        [
            (post(1, rows=2), ["a/0 <- 1: in (last)", "timer 1: 2 s"]),
            (over(1), ["a/0 late with 1", "timer 2: 2 s"]),
            (lost("a/0"), []),  # it had begun nothing
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "timer 3: 2 s"]),
            (over(3), ["a/0-2 late with 1", "timer 4: 2 s"]),
            (lost("a/0-2", begun=1), []),
            (ready("a/0-3"), ["a/0-3 <- 1[0:1]: in (last)", "timer 5: 2 s"]),
            (
                reply("a/0-3", 1, "0"),
                ["a/0-3 <- 1[1:2]: in (last)", "timer 6: 2 s"],
            ),
            (over(6), ["a/0-3 late with 1", "timer 7: 2 s"]),
            (lost("a/0-3", begun=1), []),
            (ready("a/0-4"), ["a/0-4 <- 1[1:2]!: in (last)", "timer 8: 2 s"]),
            (reply("a/0-4", 1, "error"), ["c <- 1: 0+error, served 1"]),
        ],
    )
    assert is_idle(router)


def test_a_death_within_the_time_is_a_death() -> None:
    router = started(ruled(ONE, "a", timeouts={"*": 2}), max_attempts=1)
    router.step(post(1))
    (answer,) = router.step(lost("a/0", begun=1))
    assert isinstance(answer, AnswerError)
    assert answer.error.type == "jina.excepts.WorkerDied"


# --- a request's timeout -------------------------------------------------------------------------


def test_a_request_fails_when_its_time_is_over_and_its_late_reply_is_dropped() -> None:
    router = started(CHAIN)
    play(
        router,
        [
            (soon(post(1), 2), ["timer 1: 2 s", "a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (over(1), [f"c <- 1! {LATE}"]),
            (reply("b/0", 2, "B"), []),
        ],
    )
    assert is_idle(router)


def test_what_waits_when_the_time_is_over_is_not_begun() -> None:
    router = started(ONE, credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (soon(post(2), 2), ["timer 1: 2 s"]),
            (over(1), [f"c <- 2! {LATE}"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_the_worker_is_told_until_when_it_may_begin() -> None:
    router = started(ONE)
    (_, dispatch) = router.step(soon(post(1), 2))
    assert isinstance(dispatch, Dispatch)
    assert dispatch.deadline == 1000.0


def test_a_timer_of_a_request_that_is_answered_or_given_up_matters_no_more() -> None:
    router = started(ONE)
    play(
        router,
        [
            (soon(post(1), 2), ["timer 1: 2 s", "a/0 <- 1: in (last)"]),
            (soon(post(2, client="d"), 2), ["timer 2: 2 s", "a/0 <- 2: in (last)"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (left("d"), ["a/0 need not do 2"]),
        ],
    )
    assert not router.awaits(1)
    assert not router.awaits(2)
    play(router, [(over(1), []), (over(2), [])])


# --- what it took --------------------------------------------------------------------------------


_R = TypeVar("_R", Replied, Raised)


def timed(number: int, rows: int = 1) -> Submitted:
    return msgspec.structs.replace(post(number, rows=rows), is_timed=True, arrived=100.0)


def took(report: _R, began: float, ended: float) -> _R:
    return msgspec.structs.replace(report, times=Times(began, ended))


def test_a_timed_request_tells_when_each_call_could_begin_began_and_ended() -> None:
    router = started(DIAMOND)
    (dispatch,) = router.step(timed(1, rows=5))
    assert isinstance(dispatch, Dispatch)
    assert dispatch.is_timed
    router.step(took(reply("a/0", 1, "A"), 101, 102))
    router.step(took(reply("c/0", 3, "C"), 103, 109))
    router.step(took(reply("b/0", 2, "B"), 104, 105))
    (answer,) = router.step(took(reply("j/0", 4, "J"), 110, 111))
    assert isinstance(answer, Answer)
    assert answer.way is not None
    assert answer.way.arrived == 100.0
    assert answer.way.legs == [
        Leg("a", 0, 5, 100, 101, 102),
        Leg("c", 0, 1, 102, 103, 109),
        Leg("b", 0, 1, 102, 104, 105),
        Leg("j", 0, 2, 109, 110, 111),
    ]


def test_an_error_ends_the_way_and_names_itself() -> None:
    router = started(ONE)
    router.step(timed(1))
    (answer,) = router.step(took(failed("a/0", 1), 101, 102))
    assert isinstance(answer, AnswerError)
    assert answer.way is not None
    assert answer.way.legs == [Leg("a", 0, 1, 100, 101, 102, ErrorInfo("ValueError", "no", "a"))]


def test_the_way_is_bounded_however_often_a_call_is_tried() -> None:
    router = started(ruled(ONE, "a", retries=Retries(times=1000)))
    router.step(timed(1))
    for number in range(1, 900):
        raised = failed("a/0", 1, "ä" * 5000, "ValueError")
        router.step(took(raised, 101, 102))
        router.step(over(number))
    (answer,) = router.step(took(reply("a/0", 1, "A"), 101, 102))
    assert isinstance(answer, Answer)
    assert answer.way is not None
    assert len(msgspec.msgpack.encode(answer.way)) < 48 * 1024


def test_who_does_not_ask_is_told_nothing() -> None:
    router = started(ONE)
    router.step(post(1))
    (answer,) = router.step(reply("a/0", 1, "A"))
    assert isinstance(answer, Answer)
    assert answer.way is None
