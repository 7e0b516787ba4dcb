"""The router's decisions: what happened on the left, what is to be done on the right."""

from __future__ import annotations

import gc
import weakref

import msgspec
import pytest

from jina.names import GATEWAY
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
    CHAIN,
    DIAMOND,
    GONE,
    ONE,
    body,
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
    started,
    words,
)

# --- the way through the graph -----------------------------------------------------------------


def test_one_node_takes_the_request_and_its_result_is_the_answer() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
        ],
    )
    assert is_idle(router)


def test_what_the_client_said_reaches_the_worker_as_it_was() -> None:
    router = started(ONE)
    asked = Submitted(b"c", 4, "/x", None, 100, 901, b"call map", body("one", "two"))
    assert router.step(asked) == [
        Dispatch(
            *(b"a/0", 1, "/x", 100, 901, b"call map", body("one", "two"), 1, True),
            is_end=True,
            is_answer=True,
        )
    ]


@pytest.mark.parametrize(
    ("needs", "ends"),
    [
        ({"a": ""}, "a"),
        ({"a": "", "b": "a"}, "b"),
        ({"a": "", "b": ""}, "ab"),
        ({"a": "", "b": "", "c": "a b"}, "c"),
    ],
    ids=["alone", "chain", "two ends", "join"],
)
def test_a_worker_is_told_that_its_result_goes_to_the_client_alone(
    needs: dict[str, str], ends: str
) -> None:
    router, found = started(graph(**needs)), ""
    actions = router.step(post(1))
    while actions:
        action, *actions = actions
        if isinstance(action, Dispatch):
            node = action.worker.decode()[0]
            found += node * action.is_end
            actions += router.step(reply(f"{node}/0", action.task, "X"))
    assert found == ends


def test_a_chain_passes_each_result_on() -> None:
    play(
        started(CHAIN),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (reply("b/0", 2, "B1", "B2"), ["c/0 <- 3: B1+B2 (last)"]),
            (reply("c/0", 3, "C"), ["c <- 1: C, served 3"]),
        ],
    )


def test_nodes_may_be_written_in_any_order() -> None:
    play(
        started(graph(b="a", a="")),
        [
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
        started(DIAMOND),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (reply(f"{first}/0", tasks[first], first.upper()), []),
            (reply(f"{second}/0", tasks[second], second.upper()), ["j/0 <- 4: C | B (last)"]),
            (reply("j/0", 4, "J"), ["c <- 1: J, served 4"]),
        ],
    )


def test_a_join_may_take_the_request_itself_beside_a_branch() -> None:
    play(
        started(graph(a="", j="gateway a")),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["j/0 <- 2: in | A (last)"]),
        ],
    )


def test_the_request_itself_may_be_part_of_the_answer_and_the_client_is_told() -> None:
    play(
        started(graph(a="", b=GATEWAY), apart="b"),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["c <- 1: A+in, served 1, some as it came"]),
        ],
    )


def test_two_ends_make_the_answer_in_the_order_of_the_flow_and_none_of_them_is_last() -> None:
    play(
        started(graph(a="", b="")),
        [
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
    router = started(CHAIN, apart="".join(set("abc") - set(bound)))
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
        started(graph(a="", b="", j="b a", z="j"), apart="j"),
        [
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (reply("a/0", 1, "A"), []),
            (reply("b/0", 2, "B"), ["z/0 <- 3: B+A (last)"]),
            (reply("z/0", 3, "Z"), ["c <- 1: Z, served 3"]),
        ],
    )


def test_a_join_at_the_end_that_takes_no_part_answers_with_all_branches() -> None:
    play(
        started(graph(a="", b="", j="b a"), apart="j"),
        [
            (post(1), ["a/0 <- 1: in", "b/0 <- 2: in"]),
            (reply("a/0", 1, "A"), []),
            (reply("b/0", 2, "B"), ["c <- 1: B+A, served 2"]),
        ],
    )


def test_a_branch_that_takes_no_part_brings_what_came_before_it() -> None:
    play(
        started(DIAMOND, apart="b"),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["c/0 <- 2: A"]),
            (reply("c/0", 2, "C"), ["j/0 <- 3: C | A (last)"]),
        ],
    )


def test_one_result_that_also_ends_elsewhere_is_not_last() -> None:
    play(
        started(graph(a="", b="a", c="a"), apart="c"),
        [
            (post(1), ["a/0 <- 1: in"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A"]),
            (reply("b/0", 2, "B"), ["c <- 1: B+A, served 2"]),
        ],
    )


@pytest.mark.parametrize("nodes", [ONE, CHAIN, DIAMOND, graph(a="", b="")])
def test_when_nobody_is_bound_the_request_comes_back_unchanged(nodes: list) -> None:  # type: ignore[type-arg]
    router = started(nodes, apart="abcj")
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
    router = started(CHAIN)
    assert [words(action) for action in router.step(post(1, targets=targets))] == [first]


# --- replicas and credits ----------------------------------------------------------------------


def test_a_worker_never_holds_more_than_its_credits() -> None:
    router = started(ONE)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), []),
            (reply("a/0", 2, "A2"), ["c <- 2: A2, served 1", "a/0 <- 3: in (last)"]),
        ],
    )
    assert router.outstanding(b"a/0") == 2


def test_the_least_busy_replica_is_next_and_of_equals_the_one_that_rested_longest() -> None:
    play(
        started(ONE, replicas=3),
        [
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
        started(ONE),
        [
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
            (reply("a/0", 1, "A"), [f"c <- 1! {GONE} b: it has no workers left"]),
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


# --- clients -----------------------------------------------------------------------------------


def test_clients_may_use_the_same_numbers() -> None:
    play(
        started(ONE),
        [
            (post(1, "C", client="c"), ["a/0 <- 1: C (last)"]),
            (post(1, "D", client="d"), ["a/0 <- 2: D (last)"]),
            (reply("a/0", 2, "from d"), ["d <- 1: from d, served 1"]),
            (reply("a/0", 1, "from c"), ["c <- 1: from c, served 1"]),
        ],
    )


def test_a_client_that_repeats_a_number_under_way_gets_one_answer() -> None:
    play(
        started(ONE),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(1, "other"), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1"]),
            (post(1, "later"), ["a/0 <- 2: later (last)"]),
        ],
    )


def test_a_client_over_its_window_is_refused_and_others_are_not() -> None:
    play(
        started(ONE, window_requests=2),
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), ["a/0 <- 2: in (last)"]),
            (post(3), ["c <- 3 refused: more than 2 requests in progress"]),
            (post(1, client="d"), []),
            (reply("a/0", 1, "A"), ["c <- 1: A, served 1", "a/0 <- 3: in (last)"]),
            (post(3), []),
        ],
    )


def test_a_client_may_have_a_window_of_its_own() -> None:
    wide = [msgspec.structs.replace(post(number), window=3) for number in range(1, 5)]
    play(
        started(ONE, window_requests=1, credits=4),
        [
            (wide[0], ["a/0 <- 1: in (last)"]),
            (wide[1], ["a/0 <- 2: in (last)"]),
            (wide[2], ["a/0 <- 3: in (last)"]),
            (wide[3], ["c <- 4 refused: more than 3 requests in progress"]),
            (post(1, client="d"), ["a/0 <- 4: in (last)"]),
            (post(2, client="d"), ["d <- 2 refused: more than 1 requests in progress"]),
        ],
    )


def test_a_client_that_left_gets_no_answer_and_its_waiting_tasks_are_dropped() -> None:
    router = started(ONE, credits=1)
    play(
        router,
        [
            (post(1), ["a/0 <- 1: in (last)"]),
            (post(2), []),
            (post(1, "D", client="d"), []),
            (left("c"), ["a/0 need not do 1"]),
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
    router = started(ONE, credits=1)
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
    router = started(ONE)
    router.step(post(1, "four"))
    router.step(post(2, "seven77"))
    assert (router.bytes_held, router.requests_held) == (11, 2)
    router.step(reply("a/0", 1, "a much longer answer"))
    assert (router.bytes_held, router.requests_held) == (7, 1)
    router.step(failed("a/0", 2))
    assert is_idle(router)
