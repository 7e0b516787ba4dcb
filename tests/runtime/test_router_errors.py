"""The router's decisions when an Executor raises: once more, or on without it."""

from __future__ import annotations

import pytest

from jina.graph.plan import Retries
from jina.runtime.retrying import delay_s
from jina.wire.maps import ErrorInfo
from tests.runtime.tables import (
    CHAIN,
    DIAMOND,
    GONE,
    ONE,
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
    started,
)

RESET = ("ConnectionResetError", "ConnectionError", "OSError", "Exception", "BaseException")


def error(*classes: str) -> ErrorInfo:
    return ErrorInfo("x", "", classes=list(classes))


@pytest.mark.parametrize(
    ("on", "classes", "is_meant"),
    [
        ([], RESET, True),
        (["ConnectionError"], RESET, True),
        (["OSError", "KeyError"], RESET, True),
        (["KeyError"], RESET, False),
        (["Error"], RESET, False),
        (["Busy"], ("my.module.Busy", "Exception"), True),
        (["module.Busy"], ("my.module.Busy", "Exception"), True),
        (["my.module.Busy"], ("my.module.Busy", "Exception"), True),
        (["other.Busy"], ("my.module.Busy", "Exception"), False),
        (["dule.Busy"], ("my.module.Busy", "Exception"), False),
        ([], (), False),  # the gateway's own
    ],
)
def test_which_errors_are_tried_again(
    on: list[str], classes: tuple[str, ...], is_meant: bool
) -> None:
    assert (delay_s(Retries(times=1, on=on), 0, error(*classes)) is not None) is is_meant


def test_the_delay_doubles_up_to_a_minute() -> None:
    retries = Retries(times=1000, backoff_s=0.1)
    assert [delay_s(retries, n, error("A")) for n in range(4)] == [0.1, 0.2, 0.4, 0.8]
    assert delay_s(retries, 999, error("A")) == 60
    assert delay_s(retries, 1000, error("A")) is None
    assert delay_s(None, 0, error("A")) is None


# --- retries -------------------------------------------------------------------------------------


def test_a_call_that_raised_is_tried_again_and_its_worker_is_free_meanwhile() -> None:
    router = started(ruled(ONE, "a", retries=Retries(times=2, backoff_s=1)), credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (failed("a/0", 1, "no", *RESET), ["timer 1: 1 s", "a/0 <- 2: in (last)"]),
            (reply("a/0", 2, "B"), ["c <- 2: B, served 1"]),
            (over(1), ["a/0 <- 1: in (last)"]),
            (failed("a/0", 1, "no", *RESET), ["timer 2: 2 s"]),
            (over(2), ["a/0 <- 1: in (last)"]),
            (failed("a/0", 1, "no more", *RESET), ["c <- 1! ConnectionResetError at a: no more"]),
        ],
    )
    assert is_idle(router)


def test_deaths_are_counted_beside_the_retries() -> None:
    router = started(ruled(ONE, "a", retries=Retries(times=1)))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)"]),
            (failed("a/0-2", 1, "no", *RESET), ["timer 1: 0 s"]),
            (over(1), ["a/0-2 <- 1: in (last)"]),
            (reply("a/0-2", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_whoever_left_or_lost_the_node_meanwhile_is_not_tried_again() -> None:
    router = started(ruled(ONE, "a", retries=Retries(times=3, backoff_s=1)))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2, client="d"), ["a/0 <- 2: in (last)"]),
            (failed("a/0", 1, "no", *RESET), ["timer 1: 1 s"]),
            (failed("a/0", 2, "no", *RESET), ["timer 2: 1 s"]),
            (left("d"), []),
            (lost("a/0"), []),
            (gave_up("a"), []),
            (over(1), [f"c <- 1! {GONE} a: it has no workers left"]),
            (over(2), []),
        ],
    )
    assert is_idle(router)


# --- on_error: continue --------------------------------------------------------------------------


def test_a_request_goes_on_with_what_the_node_was_given() -> None:
    router = started(ruled(CHAIN, "b", on_error="continue"))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (failed("b/0", 2), ["c/0 <- 3: A (last)"]),
            (reply("c/0", 3, "C"), ["c <- 1: C, served 3, after ValueError at b"]),
        ],
    )
    assert is_idle(router)


def test_the_retries_come_first() -> None:
    router = started(ruled(ONE, "a", on_error="continue", retries=Retries(times=1, on=["OSError"])))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (failed("a/0", 1, "no", *RESET), ["timer 1: 0 s"]),
            (over(1), ["a/0 <- 1: in (last)"]),
            (
                failed("a/0", 1, "no", *RESET),
                ["c <- 1: in, served 1, after ConnectionResetError at a"],
            ),
        ],
    )
    assert is_idle(router)


def test_at_a_join_the_branches_go_on_one_after_the_other() -> None:
    router = started(ruled(DIAMOND, "j", on_error="continue"))
    router.step(post(1))
    router.step(reply("a/0", 1, "A"))
    router.step(reply("b/0", 2, "B"))
    (dispatch,) = router.step(reply("c/0", 3, "C"))
    (answer,) = router.step(failed("j/0", 4))
    assert [piece.part.branch for piece in dispatch.pieces] == [0, 1]  # type: ignore[union-attr]
    assert [piece.part.branch for piece in answer.pieces] == [0, 0]  # type: ignore[union-attr]
    assert [piece.frames for piece in answer.pieces] == [[b"C"], [b"B"]]  # type: ignore[union-attr]
    assert is_idle(router)


def test_a_node_that_is_gone_is_passed_over_and_joins_once() -> None:
    nodes = graph(a="", b="", j="gateway a b")
    for name in "ab":
        nodes = ruled(nodes, name, on_error="continue")
    router = started(nodes)
    play(
        router,
        [
            (lost("a/0"), []),
            (gave_up("a"), []),
            (lost("b/0"), []),
            (gave_up("b"), []),
            (post(1), ["j/0 <- 3: in | in | in (last)"]),
            (
                reply("j/0", 3, "J"),
                [
                    "c <- 1: J, served 3, after jina.excepts.ExecutorUnavailable at a, after "
                    "jina.excepts.ExecutorUnavailable at b"
                ],
            ),
        ],
    )
    assert is_idle(router)


def test_the_document_that_kills_stays_as_it_came_and_the_others_are_done() -> None:
    router = started(ruled(ONE, "a", on_error="continue"), max_attempts=1)
    play(
        router,
        [
            (post(1, rows=2), ["a/0 <- 1: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1[0:1]: in (last)"]),
            (lost("a/0-2", begun=1), []),
            (ready("a/0-3"), ["a/0-3 <- 1[0:1]-: in (last)"]),
            (reply("a/0-3", 1, "0"), ["a/0-3 <- 1[1:2]: in (last)"]),
            (
                reply("a/0-3", 1, "B"),
                ["c <- 1: 0+B, served 1, after jina.excepts.WorkerDied at a"],
            ),
        ],
    )
    assert is_idle(router)


def test_the_client_is_told_whether_a_worker_wrote_the_answer() -> None:
    for name, is_raw in (("a", False), ("c", True)):
        router = started(ruled(CHAIN, name, on_error="continue"))
        router.step(post(1))
        for number, worker in enumerate("abc", 1):
            report = failed if worker == name else reply
            (action,) = router.step(report(f"{worker}/0", number, "X"))
        assert action.way.is_raw is is_raw  # type: ignore[union-attr]
