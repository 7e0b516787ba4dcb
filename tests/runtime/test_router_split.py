"""The router's decisions with `split`: the Documents that fail alone are found, no others fail."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.graph.plan import Retries
from jina.runtime.router import Router
from jina.runtime.steps import Answer, AnswerError, Dispatch, Piece, Raised, Replied
from jina.runtime.verdicts import ONCE
from jina.wire.batching import Batching
from jina.wire.maps import DOCS, LINES, ErrorInfo, Part
from tests.runtime.tables import (
    CHAIN,
    DIAMOND,
    DIED,
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
    sharded,
    soon,
    started,
    words,
)

BAD = ("KeyError", "LookupError", "Exception", "BaseException")
CALL = b"\x91\x80"  # without parameters
SPLIT = ruled(ONE, "a", on_error="split")


def raised(worker: str, task: int) -> Raised:
    return failed(worker, task, "no", *BAD)


def bring_to_rest(router: Router, actions: list[object], bad: set[int]) -> tuple[list[str], int]:
    """Do the work of `a/0`, which raises for these rows; returns its answer and how many calls."""
    calls = 0
    while True:
        (action,) = actions
        if not isinstance(action, Dispatch):
            assert isinstance(action, Answer | AnswerError)
            pieces = action.pieces if isinstance(action, Answer) else []
            return [word for piece in pieces for word in bytes(piece.frames[0]).split()], calls
        before = action.pieces[len(action.pieces) - action.carried :]
        rows = range(action.first, action.stop or sum(p.part.rows for p in action.pieces))
        calls += action.blame is None
        if action.blame is None and bad & {*rows}:
            actions = router.step(raised("a/0", action.task))
            continue
        words = [b"!%d" % row if action.blame else b"%d" % row for row in rows]
        text = b" ".join([*(piece.frames[0] for piece in before), *words])
        given_rows = len(rows) + sum(piece.part.rows for piece in before)
        pieces = [Piece(Part(LINES, DOCS, 1, given_rows), [text])]
        actions = router.step(Replied(b"a/0", action.task, pieces))


@pytest.mark.parametrize(("yaml", "wish"), [("split", ""), ("split", "stop"), ("", "split")])
def test_the_nodes_word_counts_and_where_it_has_none_that_of_the_request(
    yaml: str, wish: str
) -> None:
    router = started(ruled(ONE, "a", on_error=yaml))
    play(
        router,
        [
            (post(1, rows=4, on_error=wish), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (reply("a/0", 1, "01"), ["a/0 <- 1[2:4]: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[2:3]: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[2:3]!: in (last)"]),
            (reply("a/0", 1, "error"), ["a/0 <- 1[3:4]: in (last)"]),
            (reply("a/0", 1, "3"), ["c <- 1: 01+error+3, served 1"]),
        ],
    )
    assert is_idle(router)


@pytest.mark.parametrize(("yaml", "wish"), [("stop", "split"), ("", "stop"), ("", "")])
def test_otherwise_all_of_it_fails(yaml: str, wish: str) -> None:
    play(
        started(ruled(ONE, "a", on_error=yaml)),
        [
            (post(1, rows=4, on_error=wish), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["c <- 1! KeyError at a: no"]),
        ],
    )


def test_a_request_may_also_wish_to_go_on() -> None:
    router = started(CHAIN)
    router.step(post(1, on_error="continue"))
    router.step(reply("a/0", 1, "A"))
    (dispatch,) = router.step(raised("b/0", 2))
    assert words(dispatch) == "c/0 <- 3: A (last)"


def test_one_document_alone_fails_with_its_error() -> None:
    play(
        started(SPLIT),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["c <- 1! KeyError at a: no"]),
        ],
    )


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 100, 400])
def test_an_executor_that_fails_on_everything_costs_less_than_twice_the_calls(rows: int) -> None:
    router = started(SPLIT)
    answer, calls = bring_to_rest(router, router.step(post(1, rows=rows)), {*range(rows)})
    assert calls == 2 * rows - 1
    assert answer == ([b"!%d" % row for row in range(rows)] if rows > 1 else [])
    assert is_idle(router)


@given(rows=st.integers(2, 60), bad=st.sets(st.integers(0, 59)), most=st.sampled_from([0, 3, 32]))
def test_only_the_culprits_fail_in_their_places(rows: int, bad: set[int], most: int) -> None:
    bad = {row for row in bad if row < rows}
    router = started(SPLIT, most_done=most)
    answer, calls = bring_to_rest(router, router.step(post(1, rows=rows)), bad)
    assert answer == [b"!%d" % row if row in bad else b"%d" % row for row in range(rows)]
    assert calls <= 2 * rows - 1
    assert calls <= 1 + 2 * len(bad) * rows.bit_length()
    assert is_idle(router)


def test_what_comes_of_many_parts_is_put_together_on_the_way() -> None:
    play(
        started(SPLIT, most_done=1),
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:1]: in (last)"]),
            (reply("a/0", 1, "0"), ["a/0 <- 1[1:2]: in (last)"]),
            (reply("a/0", 1, "1"), ["a/0 <- 1[2:4]: in behind 0+1 (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/1"), ["a/1 <- 1[2:4]: in behind 0+1 (last)"]),
            (raised("a/1", 1), ["a/1 <- 1[2:3]: in behind 0+1 (last)"]),
            (reply("a/1", 1, "012"), ["a/1 <- 1[3:4]: in (last)"]),
            (reply("a/1", 1, "3"), ["c <- 1: 012+3, served 1"]),
        ],
    )


def test_the_client_is_told_the_first_error_with_its_traceback() -> None:
    router = started(SPLIT)
    router.step(post(1, rows=2))
    router.step(raised("a/0", 1))
    error = ErrorInfo("KeyError", "'price'", "a", 3, "Traceback", classes=[*BAD])
    (blame,) = router.step(Raised(b"a/0", 1, error))
    assert blame.blame == ErrorInfo("KeyError", "'price'", "a", 3)  # type: ignore[union-attr]
    router.step(reply("a/0", 1, "error"))
    (answer,) = router.step(reply("a/0", 1, "1"))
    told = answer.way.blamed  # type: ignore[union-attr]
    assert (told.type, told.message, told.traceback) == ("KeyError", "'price'", "Traceback")
    assert not answer.way.errors  # type: ignore[union-attr]  # it did not go on with others


# --- among other things that happen -----------------------------------------------------------


def test_the_retries_come_first_and_are_not_begun_anew_with_each_half() -> None:
    router = started(ruled(SPLIT, "a", retries=Retries(times=1, on=["KeyError"])))
    play(
        router,
        [
            (post(1, rows=2), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["timer 1: 0 s"]),
            (over(1), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:1]: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:1]!: in (last)"]),
            (reply("a/0", 1, "error"), ["a/0 <- 1[1:2]: in (last)"]),
            (reply("a/0", 1, "1"), ["c <- 1: error+1, served 1"]),
        ],
    )
    assert is_idle(router)


def test_another_client_has_its_turn_between_two_halves() -> None:
    play(
        started(SPLIT, credits=1),
        [
            (post(1, rows=2), ["a/0 <- 1: in (last)"]),
            (post(2, "mine"), []),
            (post(1, "other", client="d"), []),
            (raised("a/0", 1), ["a/0 <- 1[0:1]: in (last)"]),
            (reply("a/0", 1, "0"), ["a/0 <- 3: other (last)"]),
            (reply("a/0", 3, "O"), ["d <- 1: O, served 1", "a/0 <- 1[1:2]: in (last)"]),
            (reply("a/0", 1, "1"), ["c <- 1: 0+1, served 1", "a/0 <- 2: mine (last)"]),
        ],
    )


def test_a_death_in_a_half_is_as_any_death() -> None:
    play(
        started(SPLIT),
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/1"), ["a/1 <- 1[0:2]: in (last)"]),
            (lost("a/1", begun=1), []),
            (ready("a/2"), ["a/2 <- 1[0:1]: in (last)"]),
            (raised("a/2", 1), ["a/2 <- 1[0:1]!: in (last)"]),
            (reply("a/2", 1, "error"), ["a/2 <- 1[1:2]: in (last)"]),
            (reply("a/2", 1, "1"), ["a/2 <- 1[2:4]: in (last)"]),
            (reply("a/2", 1, "23"), ["c <- 1: error+1+23, served 1"]),
        ],
    )


def test_nobody_splits_what_is_no_error_of_the_executor() -> None:
    for error in [
        ErrorInfo("jina.excepts.WireError", "damaged", "a", classes=["jina.excepts.WireError"]),
        ErrorInfo("jina.excepts.WireError", "too large", "a"),  # the gateway's own
        ErrorInfo("jina.excepts.BatchingError", "1 for 4", "a", classes=["BatchingError"]),
    ]:
        router = started(SPLIT)
        router.step(post(1, rows=4))
        (answer,) = router.step(Raised(b"a/0", 1, error))
        assert isinstance(answer, AnswerError)


def test_when_the_time_of_a_request_is_over_nothing_of_it_goes_on() -> None:
    router = started(SPLIT, credits=1)
    play(
        router,
        [
            (soon(post(1, rows=4), 5), ["timer 1: 5 s", "a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (
                over(1),
                ["c <- 1! jina.excepts.RequestTimeout at : The request took longer than 5 s"],
            ),
            (raised("a/0", 1), []),
        ],
    )
    assert is_idle(router)


def test_whoever_left_or_lost_the_node_is_not_gone_on_with() -> None:
    router = started(SPLIT)
    play(
        router,
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (post(2, rows=4, client="d"), ["a/0 <- 2: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (left("d"), ["a/0 need not do 2"]),
            (raised("a/0", 2), []),
            (lost("a/0"), []),
            (gave_up("a"), [f"c <- 1! {GONE} a: it has no workers left"]),
        ],
    )
    assert is_idle(router)


def test_what_is_left_goes_on_to_the_next_node_and_a_join_fails_as_a_whole() -> None:
    router = started(ruled(ruled(DIAMOND, "b", on_error="split"), "j", on_error="split"))
    play(
        router,
        [
            (post(1, rows=2), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "0", "1"), ["b/0 <- 2: 0+1", "c/0 <- 3: 0+1"]),
            (reply("c/0", 3, "C"), []),
            (raised("b/0", 2), ["b/0 <- 2[0:1]: 0+1"]),
            (raised("b/0", 2), ["b/0 <- 2[0:1]!: 0+1"]),
            (reply("b/0", 2, "error"), ["b/0 <- 2[1:2]: 0+1"]),
            (reply("b/0", 2, "B"), ["j/0 <- 4: C | error+B (last)"]),
            (raised("j/0", 4), ["c <- 1! KeyError at j: no"]),
        ],
    )
    assert is_idle(router)


def test_each_shard_finds_its_own_culprits() -> None:
    router = started(ruled(sharded("ALL"), "s", on_error="split"))
    play(
        router,
        [
            (post(1, rows=2), ["s#0/0 <- 1: in", "s#1/0 <- 2: in"]),
            (reply("s#1/0", 2, "B"), []),
            (raised("s#0/0", 1), ["s#0/0 <- 1[0:1]: in"]),
            (raised("s#0/0", 1), ["s#0/0 <- 1[0:1]!: in"]),
            (reply("s#0/0", 1, "error"), ["s#0/0 <- 1[1:2]: in"]),
            (reply("s#0/0", 1, "A"), ["s/tail/0 <- 3: error+A | B"]),
        ],
    )


def test_a_part_of_a_lot_is_done_in_halves_alone() -> None:
    batching = {"/x": Batching(8, 1000)}
    router = Router(SPLIT)
    router.step(ready("a/0", batching=batching, credits=1))
    play(
        router,
        [
            (post(1, rows=4, call=CALL), ["timer 1: 1 s"]),
            (
                post(2, "more", rows=4, call=CALL),
                ["a/0 <- 1 of 2: in (last)", "a/0 <- 2 of 2: more (last)"],
            ),
            (reply("a/0", 2, "M"), ["c <- 2: M, served 1"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
            (reply("a/0", 1, "01"), ["a/0 <- 1[2:4]: in (last)"]),
            (reply("a/0", 1, "23"), ["c <- 1: 01+23, served 1"]),
        ],
    )
    assert is_idle(router)


def test_errors_of_what_nobody_waits_for_are_said_once() -> None:
    nodes = ruled(ruled(graph(f="", a=""), "f", is_floating=True), "f", on_error="split")
    router = started(nodes, apart="a")
    router.step(post(1, rows=2))
    play(
        router,
        [
            (raised("f/0", 1), ["f/0 <- 1[0:1]: in"]),
            (raised("f/0", 1), ["nobody hears KeyError at f", "f/0 <- 1[0:1]!: in"]),
            (reply("f/0", 1, "error"), ["f/0 <- 1[1:2]: in"]),
            (raised("f/0", 1), ["f/0 <- 1[1:2]!: in"]),
            (reply("f/0", 1, "error"), []),
        ],
    )
    assert is_idle(router)


# --- once=True --------------------------------------------------------------------------------


def only_once(on_error: str = "split", *endpoints: str, retries: Retries | None = None) -> Router:
    router = Router(ruled(ONE, "a", on_error=on_error, retries=retries))
    router.step(ready("a/0", *(endpoints or ("/x",)), once=endpoints[-1:] or ("/x",)))
    return router


WHOLE = f" (the whole request fails: {ONCE})"


@pytest.mark.parametrize("endpoints", [("/x",), ("/default",), ("/other", "/default")])
def test_a_method_that_must_not_see_a_document_twice_is_called_once(
    endpoints: tuple[str, ...],
) -> None:
    play(
        only_once("split", *endpoints),
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), [f"c <- 1! KeyError at a: no{WHOLE}"]),
        ],
    )


def test_its_other_methods_may() -> None:
    play(
        only_once("split", "/x", "/default"),
        [
            (post(1, rows=4), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), ["a/0 <- 1[0:2]: in (last)"]),
        ],
    )


@pytest.mark.parametrize(
    ("on_error", "rows", "why"), [("split", 1, ""), ("stop", 4, ""), ("", 4, "")]
)
def test_the_error_says_so_only_where_more_would_have_been_done(
    on_error: str, rows: int, why: str
) -> None:
    play(
        only_once(on_error),
        [
            (post(1, rows=rows), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), [f"c <- 1! KeyError at a: no{why}"]),
        ],
    )


def test_neither_retries_nor_a_death_call_it_again() -> None:
    router = only_once("stop", retries=Retries(times=3))
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (raised("a/0", 1), [f"c <- 1! KeyError at a: no ({ONCE})"]),
            (post(2, rows=4), ["a/0 <- 2: in (last)"]),
            (post(3), ["a/0 <- 3: in (last)"]),
            (
                lost("a/0", begun=2),
                [
                    f"c <- 2! {DIED} a: This request crashed the worker "
                    f"(1 attempt; killed by SIGKILL; {ONCE})"
                ],
            ),
            # What it had not begun is as good as new.
            (ready("a/1", once=["/x"]), ["a/1 <- 3: in (last)"]),
            (reply("a/1", 3, "A"), ["c <- 3: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_with_continue_the_request_goes_on_after_the_one_call() -> None:
    router = only_once("continue")
    router.step(post(1, rows=4))
    (answer,) = router.step(lost("a/0", begun=1))
    assert words(answer) == "c <- 1: in, served 1, after jina.excepts.WorkerDied at a"


def test_workers_that_come_later_say_it_anew() -> None:
    router = only_once()
    router.step(lost("a/0"))
    router.step(ready("a/1"))
    router.step(post(1, rows=2))
    assert Counter(map(words, router.step(raised("a/1", 1)))) == {"a/1 <- 1[0:1]: in (last)": 1}
