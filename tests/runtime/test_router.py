"""The router's decisions: what happened on the left, what is to be done on the right."""

from __future__ import annotations

import gc
import weakref

import msgspec
import pytest

from jina.runtime.router import Router
from jina.runtime.steps import (
    Answer,
    Dispatch,
    Event,
    Piece,
    Submitted,
)
from jina.wire.maps import DOCS, LINES, Part
from tests.runtime.tables import (
    body,
    failed,
    gave_up,
    graph,
    left,
    lost,
    play,
    post,
    ready,
    reply,
    words,
)

DIED = "jina.excepts.WorkerDied at"
GONE = "jina.excepts.ExecutorUnavailable at"

ONE = graph(a="")
CHAIN = graph(a="", b="a", c="b")
DIAMOND = graph(a="", b="a", c="a", j="c b")


def is_idle(router: Router) -> bool:
    return router.bytes_held == 0 and router.requests_held == 0


# --- the way through the graph -----------------------------------------------------------------


def test_one_node_takes_the_request_and_its_result_is_the_answer() -> None:
    router = Router(ONE)
    play(
        router,
        [
            (ready("a/0"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_what_the_client_said_reaches_the_worker_as_it_was() -> None:
    router = Router(ONE)
    router.step(ready("a/0"))
    asked = Submitted(b"c", 4, "/x", None, 100, 901, b"call map", body("one", "two"))
    assert router.step(asked) == [
        Dispatch(b"a/0", 1, "/x", 100, 901, b"call map", body("one", "two"), 1, True)
    ]


def test_a_chain_passes_each_result_on() -> None:
    play(
        Router(CHAIN),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (ready("c/0"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (reply("b/0", 2, "B1", "B2"), ["c/0 <- 3: B1+B2 (last)"]),
            (reply("c/0", 3, "C"), ["c <- 1: C, served 3"]),
        ],
    )


def test_nodes_may_be_written_in_any_order() -> None:
    play(
        Router(graph(b="a", a="")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A (last)"]),
            (reply("b/0", 2, "B"), ["c <- 1: B, served 2"]),
        ],
    )


@pytest.mark.parametrize("first", ["b", "c"])
def test_a_join_waits_for_all_branches_and_takes_them_in_the_order_of_its_needs(first: str) -> None:
    second = "c" if first == "b" else "b"
    tasks = {"b": 2, "c": 3}
    play(
        Router(DIAMOND),
        [
            *[(ready(f"{node}/0"), []) for node in "abcj"],
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (reply(f"{first}/0", tasks[first], first.upper()), []),
            (reply(f"{second}/0", tasks[second], second.upper()), ["j/0 <- 4: C | B (last)"]),
            (reply("j/0", 4, "J"), ["c <- 1: J, served 4"]),
        ],
    )


def test_a_join_may_take_the_request_itself_beside_a_branch() -> None:
    play(
        Router(graph(a="", j="gateway a")),
        [
            (ready("a/0"), []),
            (ready("j/0"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["j/0 <- 2: in | A (last)"]),
        ],
    )


def test_two_ends_make_the_answer_in_the_order_of_the_flow_and_none_of_them_is_last() -> None:
    play(
        Router(graph(a="", b="")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (reply("b/0", 2, "B"), []),
            (reply("a/0", 1, "A"), ["c <- 1: A+B, served 2"]),
        ],
    )


# --- nodes that take no part -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "steps"),
    [
        (
            "ab",
            [
                (post(1), ["a/0 <- 1: in"]),
                (reply("a/0", 1, "A"), ["b/0 <- 2: A (last)"]),
                (reply("b/0", 2, "B"), ["c <- 1: B, served 2"]),
            ],
        ),
        (
            "bc",
            [
                (post(1), ["b/0 <- 1: in"]),
                (reply("b/0", 1, "B"), ["c/0 <- 2: B (last)"]),
                (reply("c/0", 2, "C"), ["c <- 1: C, served 2"]),
            ],
        ),
        (
            "b",
            [
                (post(1), ["b/0 <- 1: in (last)"]),
                (reply("b/0", 1, "B"), ["c <- 1: B, served 1"]),
            ],
        ),
        ("", [(post(1), ["c <- 1: in, served 0"])]),
    ],
)
def test_a_node_that_does_not_bind_the_endpoint_is_passed_by(
    bound: str, steps: list[tuple[Event, list[str]]]
) -> None:
    router = Router(CHAIN)
    endpoints = {node: "/x" if node in bound else "/other" for node in "abc"}
    play(router, [(ready(f"{node}/0", endpoints[node]), []) for node in "abc"])
    play(router, steps)
    assert is_idle(router)


def test_a_default_handler_takes_every_endpoint() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0", "/default"), []),
            (post(1, endpoint="/whatever"), ["a/0 <- 1: in (last)"]),
        ],
    )


def test_a_join_that_takes_no_part_hands_on_all_branches_as_one() -> None:
    play(
        Router(graph(a="", b="", j="b a", z="j")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (ready("j/0", "/other"), []),
            (ready("z/0"), []),
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (reply("a/0", 1, "A"), []),
            (reply("b/0", 2, "B"), ["z/0 <- 3: B+A (last)"]),
            (reply("z/0", 3, "Z"), ["c <- 1: Z, served 3"]),
        ],
    )


def test_a_join_at_the_end_that_takes_no_part_answers_with_all_branches() -> None:
    play(
        Router(graph(a="", b="", j="b a")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (ready("j/0", "/other"), []),
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (reply("a/0", 1, "A"), []),
            (reply("b/0", 2, "B"), ["c <- 1: B+A, served 2"]),
        ],
    )


def test_a_branch_that_takes_no_part_brings_what_came_before_it() -> None:
    play(
        Router(DIAMOND),
        [
            (ready("a/0"), []),
            (ready("b/0", "/other"), []),
            (ready("c/0"), []),
            (ready("j/0"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["c/0 <- 2: A"]),
            (reply("c/0", 2, "C"), ["j/0 <- 3: C | A (last)"]),
        ],
    )


def test_one_result_that_also_ends_elsewhere_is_not_last() -> None:
    play(
        Router(graph(a="", b="a", c="a")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
            (ready("c/0", "/other"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (reply("b/0", 2, "B"), ["c <- 1: B+A, served 2"]),
        ],
    )


@pytest.mark.parametrize("nodes", [ONE, CHAIN, DIAMOND, graph(a="", b="")])
def test_when_nobody_is_bound_the_request_comes_back_unchanged(nodes: list) -> None:  # type: ignore[type-arg]
    router = Router(nodes)
    for node in nodes:
        router.step(ready(f"{node.name}/0", "/other"))
    asked = post(1)
    assert router.step(asked) == [Answer(b"c", 1, asked.pieces, 0)]
    assert is_idle(router)


@pytest.mark.parametrize(
    ("targets", "first", "served"),
    [
        (None, "a/0 <- 1: in", None),
        (["b"], "b/0 <- 1: in (last)", None),
        (["c"], "c/0 <- 1: in (last)", None),
        (["b", "a"], "a/0 <- 1: in", None),
        (["nobody"], "c <- 1: in, served 0", 0),
        ([], "c <- 1: in, served 0", 0),
    ],
)
def test_targets_name_the_nodes_that_take_part(
    targets: list[str] | None, first: str, served: int | None
) -> None:
    router = Router(CHAIN)
    for node in "abc":
        router.step(ready(f"{node}/0"))
    assert [words(action) for action in router.step(post(1, targets=targets))] == [first]


# --- replicas and credits ----------------------------------------------------------------------


def test_a_worker_never_holds_more_than_its_credits() -> None:
    router = Router(ONE)
    play(
        router,
        [
            (ready("a/0", credits=2), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), []),
            (reply("a/0", 2, "A2"), ["c <- 2: A2, served 1", "a/0 <- 3: in (last)"]),
        ],
    )
    assert router.outstanding(b"a/0") == 2


def test_the_least_busy_replica_is_next_and_of_equals_the_one_that_rested_longest() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0"), []),
            (ready("a/1"), []),
            (ready("a/2"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/1 <- 2: in (last)"]),
            (post(3), ["a/2 <- 3: in (last)"]),
            (reply("a/1", 2, "A"), ["c <- 2: A, served 1"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (post(4), ["a/0 <- 4: in (last)"]),  # both idle; a/0 was used before a/1
            (post(5), ["a/1 <- 5: in (last)"]),
            (post(6), ["a/2 <- 6: in (last)"]),  # each has one; a/2 was used longest ago
        ],
    )


def test_requests_wait_for_a_node_whose_workers_are_all_gone_for_now() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0"), []),
            (lost("a/0"), []),
            (post(1), []),
            (post(2), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "a/0-2 <- 2: in (last)"]),
        ],
    )


def test_endpoints_are_known_once_every_node_had_a_worker() -> None:
    router = Router(CHAIN)
    seen = [router.is_complete]
    for event in (
        ready("c/0"),
        ready("a/0"),
        ready("a/1"),
        msgspec.structs.replace(ready("b/0"), endpoints=[]),
    ):
        router.step(event)
        seen.append(router.is_complete)
    assert seen == [False, False, False, False, True]
    assert router.endpoints == {"a": ["/x"], "b": [], "c": ["/x"]}


def test_a_node_that_never_came_up_fails_what_would_have_passed_it() -> None:
    router = Router(graph(a="", b="a"))
    play(
        router,
        [
            (ready("a/0"), []),
            (gave_up("b"), []),
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), [f"c <- 1! {GONE} b: no worker of it is left"]),
        ],
    )
    assert router.is_complete
    assert is_idle(router)


def test_a_later_gateways_router_knows_the_endpoints_and_numbers_its_tasks_higher() -> None:
    router = Router(ONE, endpoints={"a": ["/x"]}, first_task=1000)
    assert router.is_complete
    play(
        router,
        [
            (post(1), []),
            (ready("a/0"), ["a/0 <- 1001: in (last)"]),
            (reply("a/0", 1, "to an earlier gateway"), []),
            (reply("a/0", 1001, "A"), ["c <- 1: A, served 1"]),
        ],
    )


# --- deaths ------------------------------------------------------------------------------------


def test_a_dead_workers_staged_tasks_go_again_in_front_and_in_order() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0", credits=3), []),
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
        Router(ONE),
        [
            (ready("a/0"), []),
            (ready("a/1"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/1 <- 2: in (last)"]),
            (lost("a/0", begun=1), ["a/1 <- 1: in (last)"]),
            (reply("a/1", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )


def test_staged_tasks_are_not_charged_however_often_their_workers_die() -> None:
    router = Router(ONE)
    router.step(ready("a/0"))
    router.step(post(1))
    for life in range(1, 20):
        assert router.step(lost(f"a/0{life - 1 or ''}")) == []
        done = router.step(ready(f"a/0{life}"))
        assert [words(action) for action in done] == [f"a/0{life} <- 1: in (last)"]
    done = router.step(reply("a/019", 1, "A"))
    assert [words(action) for action in done] == ["c <- 1: A, served 1"]


def test_a_task_that_was_begun_in_two_deaths_fails_and_its_neighbours_do_not() -> None:
    router = Router(ONE)
    play(
        router,
        [
            (ready("a/0"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (lost("a/0", begun=1), []),
            (ready("a/0-2"), ["a/0-2 <- 1: in (last)", "a/0-2 <- 2: in (last)"]),
            (
                lost("a/0-2", begun=1),
                [
                    f"c <- 1! {DIED} a: a worker died 2 times with this request begun; "
                    "was killed by SIGKILL"
                ],
            ),
            (ready("a/0-3"), ["a/0-3 <- 2: in (last)"]),
            (reply("a/0-3", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_the_one_document_that_kills_is_found_and_what_the_others_gave_is_kept() -> None:
    router = Router(ONE)
    router.step(ready("a/0"))
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
    router = Router(ONE, max_attempts=1)
    router.step(ready("a/0"))
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
    router = Router(ONE, max_attempts=1)
    router.step(ready("a/0"))
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
    router = Router(ONE, max_attempts=1)
    router.step(ready("a/0"))
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
                    f"c <- 1! {DIED} a: a worker died 3 times with this request begun, "
                    "the last time with this Document alone; was killed by SIGKILL"
                ],
            ),
        ],
    )
    assert is_idle(router)


def test_what_is_left_of_a_narrowed_request_goes_on_to_the_next_node() -> None:
    router = Router(graph(a="", b="a"), max_attempts=1)
    router.step(ready("a/0"))
    router.step(ready("b/0"))
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
    router = Router(DIAMOND, max_attempts=1)
    for node in "abcj":
        router.step(ready(f"{node}/0"))
    router.step(post(1, rows=4))
    for number, node in enumerate("abc", 1):
        router.step(reply(f"{node}/0", number, node.upper()))
    (answer,) = router.step(lost("j/0", begun=4))
    assert words(answer).startswith(f"c <- 1! {DIED} j: a worker died 1 times")


@pytest.mark.parametrize("most", [1, 2, 5])
def test_max_attempts_is_how_many_deaths_a_begun_task_may_cause(most: int) -> None:
    router = Router(ONE, max_attempts=most)
    router.step(ready("a/0"))
    router.step(post(1))
    for life in range(most - 1):
        assert router.step(lost(f"a/0{life or ''}", begun=1)) == []
        router.step(ready(f"a/0{life + 1}"))
    (answer,) = router.step(lost(f"a/0{most - 1 or ''}", begun=1))
    assert f"a worker died {most} times" in words(answer)


def test_a_death_is_charged_at_one_node_only() -> None:
    """A request that killed a worker of one node may still kill one of the next."""
    play(
        Router(graph(a="", b="a")),
        [
            (ready("a/0"), []),
            (ready("b/0"), []),
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
        Router(ONE),
        [
            (ready("a/0"), []),
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
        Router(ONE),
        [
            (ready("a/0"), []),
            (ready("a/1"), []),
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
                    f"c <- 1! {GONE} b: no worker of it is left",
                    f"c <- 2! {GONE} b: no worker of it is left",
                ],
            ),
            (reply("a/0", 3, "A"), [f"c <- 3! {GONE} b: no worker of it is left"]),
        ],
    )
    assert is_idle(router)


def test_a_node_that_gave_up_serves_again_once_a_worker_is_ready() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0"), []),
            (lost("a/0"), []),
            (gave_up("a"), []),
            (post(1), [f"c <- 1! {GONE} a: no worker of it is left"]),
            (ready("a/1"), []),
            (post(2), ["a/1 <- 2: in (last)"]),
        ],
    )


# --- failures ----------------------------------------------------------------------------------


def test_an_exception_fails_its_request_and_frees_the_credit() -> None:
    router = Router(ONE)
    play(
        router,
        [
            (ready("a/0", credits=1), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (failed("a/0", 1, "bad"), ["c <- 1! ValueError at a: bad", "a/0 <- 2: in (last)"]),
            (reply("a/0", 2, "A"), ["c <- 2: A, served 1"]),
        ],
    )
    assert is_idle(router)


@pytest.mark.parametrize("late", [reply("c/0", 3, "late"), failed("c/0", 3, "too")])
def test_a_request_that_failed_in_one_branch_is_answered_once(late: Event) -> None:
    router = Router(DIAMOND)
    play(
        router,
        [
            *[(ready(f"{node}/0"), []) for node in "abcj"],
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
        Router(DIAMOND),
        [
            *[(ready(f"{node}/0"), []) for node in "abcj"],
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (failed("b/0", 2, "bad"), ["c <- 1! ValueError at b: bad"]),
            (lost("c/0", begun=3), []),
            (ready("c/0-2"), []),
        ],
    )


def test_a_failed_requests_other_branch_does_not_start_when_it_still_waits() -> None:
    play(
        Router(graph(a="", b="")),
        [
            (ready("a/0", credits=1), []),
            (ready("b/0", credits=1), []),
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (post(2), []),
            (reply("b/0", 2, "B"), ["b/0 <- 4: in"]),
            (failed("b/0", 4, "bad"), ["c <- 2! ValueError at b: bad"]),
            (reply("a/0", 1, "A"), ["c <- 1: A+B, served 2"]),
        ],
    )


# --- clients -----------------------------------------------------------------------------------


def test_clients_may_use_the_same_numbers() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0"), []),
            (post(1, "C", client="c"), ["a/0 <- 1: C (last)"]),
            (post(1, "D", client="d"), ["a/0 <- 2: D (last)"]),
            (reply("a/0", 2, "from d"), ["d <- 1: from d, served 1"]),
            (reply("a/0", 1, "from c"), ["c <- 1: from c, served 1"]),
        ],
    )


def test_a_client_that_repeats_a_number_under_way_gets_one_answer() -> None:
    play(
        Router(ONE),
        [
            (ready("a/0"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(1, "other"), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (post(1, "later"), ["a/0 <- 2: later (last)"]),
        ],
    )


def test_a_client_over_its_window_is_refused_and_others_are_not() -> None:
    play(
        Router(ONE, window_requests=2),
        [
            (ready("a/0"), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), ["c <- 3 refused: more than 2 requests under way"]),
            (post(1, client="d"), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1", "a/0 <- 3: in (last)"]),
            (post(3), []),
        ],
    )


def test_a_client_that_left_gets_no_answer_and_its_waiting_tasks_are_dropped() -> None:
    router = Router(ONE)
    play(
        router,
        [
            (ready("a/0", credits=1), []),
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (post(1, "D", client="d"), []),
            (left("c"), []),
            (reply("a/0", 1, "A"), ["a/0 <- 3: D (last)"]),
            (reply("a/0", 3, "A"), ["d <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_a_client_that_never_was_may_leave() -> None:
    play(Router(ONE), [(left("nobody"), [])])


class Frame(bytearray):
    """A frame whose end can be watched."""

    __slots__ = ("__weakref__",)


def test_what_waits_behind_others_is_let_go_when_its_client_leaves() -> None:
    """Its bytes are not held any more, as `bytes_held` says."""
    router = Router(ONE)
    router.step(ready("a/0", credits=1))
    router.step(post(1))
    router.step(post(2))  # waits, in front of what follows
    frame = Frame(b"large")
    watched = weakref.ref(frame)
    pieces = [Piece(Part(LINES, DOCS, 1, 1), [frame])]
    router.step(Submitted(b"d", 1, "/x", None, 1, 1, b"", pieces))
    assert router.bytes_held == len("in") * 2 + len("large")
    del frame, pieces
    router.step(left("d"))
    assert router.bytes_held == len("in") * 2
    gc.collect()
    assert watched() is None


def test_bytes_are_held_from_the_request_to_its_answer() -> None:
    router = Router(ONE)
    router.step(ready("a/0"))
    router.step(post(1, "four"))
    router.step(post(2, "seven77"))
    assert (router.bytes_held, router.requests_held) == (11, 2)
    router.step(reply("a/0", 1, "a much longer answer"))
    assert (router.bytes_held, router.requests_held) == (7, 1)
    router.step(failed("a/0", 2))
    assert is_idle(router)
