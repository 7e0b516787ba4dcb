"""The router's decisions where requests of several clients become one call."""

from __future__ import annotations

from typing import Any

import pytest

from jina.graph.plan import PlannedNode
from jina.names import DEFAULT_ENDPOINT
from jina.runtime.router import Router
from jina.runtime.steps import Draining, Event, Expired, Submitted
from jina.wire.batching import Batching
from jina.wire.maps import Call, pack_map
from tests.runtime.tables import (
    CHAIN,
    DIAMOND,
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
)

THREE = Batching(3, 500)


def asked(client: str, number: int = 1, *, rows: int = 1, on: str = "/x", **said: Any) -> Submitted:
    call = pack_map(Call(said, source=f"{client}.jsonl"))
    return post(number, client, client=client, endpoint=on, rows=rows, call=call)


def batched(
    nodes: list[PlannedNode] = ONE,
    batching: Batching = THREE,
    *,
    credits: int = 2,
    on: str = "/x",
    replicas: int = 1,
    endpoints: tuple[str, ...] = ("/x",),
) -> Router:
    """A router of which the first node is batched."""
    router = Router(nodes)
    for node in nodes:
        settings = {on: batching} if node is nodes[0] else {}
        for replica in range(replicas):
            name = f"{node.name}/{replica}"
            assert not router.step(ready(name, *endpoints, credits=credits, batching=settings))
    return router


def done(router: Router, *events: Event) -> None:
    for event in events:
        router.step(event)


# --- what becomes one call ----------------------------------------------------------------------


def test_requests_of_several_clients_wait_until_there_are_enough_documents() -> None:
    router = batched()
    play(
        router,
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (asked("d"), []),
            (
                asked("e"),
                ["a/0 <- 1 of 3: c (last)", "a/0 <- 2 of 3: d (last)", "a/0 <- 3 of 3: e (last)"],
            ),
            (reply("a/0", 2, "D"), ["d <- 1: D, served 1"]),
            (reply("a/0", 1, "C"), ["c <- 1: C, served 1"]),
            (reply("a/0", 3, "E"), ["e <- 1: E, served 1"]),
            (Expired(1), []),
        ],
    )
    assert is_idle(router)


def test_the_oldest_does_not_wait_longer_than_the_timeout() -> None:
    play(
        batched(),
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (asked("d"), []),
            (Expired(1), ["a/0 <- 1 of 2: c (last)", "a/0 <- 2 of 2: d (last)"]),
            (asked("e"), ["timer 2: 0.5 s"]),
            (Expired(2), ["a/0 <- 3: e (last)"]),
        ],
    )


def test_documents_count_not_requests() -> None:
    play(
        batched(),
        [
            (asked("c", rows=3), ["a/0 <- 1: c (last)"]),
            (asked("d", rows=2), ["timer 1: 0.5 s"]),
            (asked("e", rows=9), ["a/0 <- 2 of 3: d (last)", "a/0 <- 3 of 3: e (last)"]),
        ],
    )


def test_nothing_is_batched_with_other_parameters_or_endpoints() -> None:
    router = Router(ONE)
    router.step(ready("a/0", "/x", "/y", batching={"/x": THREE, "/y": THREE}))
    play(
        router,
        [
            (asked("c", top=1), ["timer 1: 0.5 s"]),
            (asked("d", top=2), ["timer 2: 0.5 s"]),
            (asked("e", top=1.0), ["timer 3: 0.5 s"]),
            (asked("f", top=1, on="/y"), ["timer 4: 0.5 s"]),
            (asked("g", top=1), []),
            (Expired(1), ["a/0 <- 1 of 5: c (last)", "a/0 <- 5 of 5: g (last)"]),
            (Expired(2), ["a/0 <- 2: d (last)"]),
        ],
    )


@pytest.mark.parametrize(
    "alone",
    [
        asked("d", use_dynamic_batching=False),
        asked("d", rows=0),
        asked("d", on="/other"),
        post(1, "d", client="d"),  # its call map is no map
    ],
)
def test_what_cannot_be_batched_goes_alone_and_at_once(alone: Submitted) -> None:
    router = Router(ONE)
    router.step(ready("a/0", "/x", "/other", batching={"/x": THREE}))
    play(
        router,
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (alone, ["a/0 <- 2: d (last)"]),
            (Expired(1), ["a/0 <- 1: c (last)"]),
        ],
    )


def test_only_a_plain_no_goes_around_it() -> None:
    play(
        batched(),
        [
            (asked("c", use_dynamic_batching=True), ["timer 1: 0.5 s"]),
            (asked("d", use_dynamic_batching=0), ["timer 2: 0.5 s"]),
        ],
    )


def test_the_settings_of_the_default_handler_hold_for_what_it_serves() -> None:
    endpoints = ("/x", DEFAULT_ENDPOINT)
    router = batched(on=DEFAULT_ENDPOINT, endpoints=endpoints)
    play(
        router,
        [
            (asked("c", on="/x"), ["a/0 <- 1: c (last)"]),
            (asked("d", on="/what"), ["timer 1: 0.5 s"]),
            (asked("e", on="/ever"), ["timer 2: 0.5 s"]),
        ],
    )


def test_a_join_is_not_batched() -> None:
    router = Router(DIAMOND)
    for node in DIAMOND:
        settings = {"/x": THREE} if node.name == "j" else {}
        router.step(ready(f"{node.name}/0", batching=settings))
    play(
        router,
        [
            (asked("c"), ["a/0 <- 1: c"]),
            (reply("a/0", 1, "A"), ["b/0 <- 2: A", "c/0 <- 3: A"]),
            (reply("b/0", 2, "B"), []),
            (reply("c/0", 3, "C"), ["j/0 <- 4: C | B (last)"]),
        ],
    )


def test_each_goes_on_through_the_graph_by_itself() -> None:
    play(
        batched(CHAIN, Batching(2, 500)),
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (asked("d"), ["a/0 <- 1 of 2: c", "a/0 <- 2 of 2: d"]),
            (reply("a/0", 1, "C"), ["b/0 <- 3: C"]),
            (failed("a/0", 2), ["d <- 1! ValueError at a: no"]),
            (reply("b/0", 3, "C"), ["c/0 <- 4: C (last)"]),
        ],
    )


# --- credits, turns, sizes ----------------------------------------------------------------------


def test_a_lot_is_one_credit_until_all_of_it_is_back() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    play(
        router,
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (asked("d"), ["a/0 <- 1 of 2: c (last)", "a/0 <- 2 of 2: d (last)"]),
            (asked("e"), ["timer 2: 0.5 s"]),
            (asked("f"), []),
            (reply("a/0", 1, "C"), ["c <- 1: C, served 1"]),
            (
                reply("a/0", 2, "D"),
                ["d <- 1: D, served 1", "a/0 <- 3 of 4: e (last)", "a/0 <- 4 of 4: f (last)"],
            ),
        ],
    )
    assert router.outstanding(b"a/0") == 2


def test_a_group_grows_as_long_as_no_worker_is_free_and_what_is_left_waits_again() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    play(
        router,
        [
            (asked("c", rows=2), ["a/0 <- 1: c (last)"]),
            (asked("d"), ["timer 1: 0.5 s"]),
            (Expired(1), []),
            (asked("e"), []),
            (asked("f"), []),
            (
                reply("a/0", 1, "C"),
                ["c <- 1: C, served 1", "a/0 <- 2 of 3: d (last)", "a/0 <- 3 of 3: e (last)"],
            ),
            (reply("a/0", 2), ["d <- 1: , served 1"]),
            (reply("a/0", 3), ["e <- 1: , served 1", "a/0 <- 4: f (last)"]),
        ],
    )


def test_what_a_full_lot_leaves_behind_waits_no_longer_than_its_time() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    play(
        router,
        [
            (asked("c", rows=2), ["a/0 <- 1: c (last)"]),
            (asked("d", rows=2), ["timer 1: 0.5 s"]),
            (asked("e"), []),
            (reply("a/0", 1), ["c <- 1: , served 1", "a/0 <- 2: d (last)"]),
            (reply("a/0", 2), ["d <- 1: , served 1"]),
            (Expired(1), ["a/0 <- 3: e (last)"]),
        ],
    )


def test_the_time_that_it_waited_behind_a_full_lot_counts() -> None:
    play(
        batched(ONE, Batching(2, 500), credits=1),
        [
            (asked("c", rows=2), ["a/0 <- 1: c (last)"]),
            (asked("d", rows=2), ["timer 1: 0.5 s"]),
            (asked("e"), []),
            (Expired(1), []),
            (reply("a/0", 1), ["c <- 1: , served 1", "a/0 <- 2: d (last)"]),
            (reply("a/0", 2), ["d <- 1: , served 1", "a/0 <- 3: e (last)"]),
        ],
    )


def test_flush_all_takes_all_that_wait() -> None:
    router = batched(ONE, Batching(2, 500, True), credits=1)
    play(
        router,
        [
            (asked("c", rows=2), ["a/0 <- 1: c (last)"]),
            (asked("d", rows=5), ["timer 1: 0.5 s"]),
            (asked("e"), []),
            (
                reply("a/0", 1),
                ["c <- 1: , served 1", "a/0 <- 2 of 3: d (last)", "a/0 <- 3 of 3: e (last)"],
            ),
        ],
    )


def test_clients_groups_and_those_that_go_alone_take_turns() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    done(router, asked("c", 1, rows=2))
    for number in (2, 3, 4):
        done(router, asked("c", number))
    done(router, asked("d"), asked("e", top=1), asked("f", top=1))
    done(router, asked("g", use_dynamic_batching=False))
    play(
        router,
        [
            (reply("a/0", 1), ["c <- 1: , served 1", "a/0 <- 8: g (last)"]),
            (
                reply("a/0", 8),
                ["g <- 1: , served 1", "a/0 <- 2 of 5: c (last)", "a/0 <- 5 of 5: d (last)"],
            ),
            (reply("a/0", 2), ["c <- 2: , served 1"]),
            (
                reply("a/0", 5),
                ["d <- 1: , served 1", "a/0 <- 6 of 7: e (last)", "a/0 <- 7 of 7: f (last)"],
            ),
        ],
    )


def test_lots_go_to_the_least_busy_replica() -> None:
    play(
        batched(ONE, Batching(2, 500), replicas=2),
        [
            (asked("c", rows=2), ["a/0 <- 1: c (last)"]),
            (asked("d"), ["timer 1: 0.5 s"]),
            (asked("e"), ["a/1 <- 2 of 3: d (last)", "a/1 <- 3 of 3: e (last)"]),
            (asked("f", rows=2), ["a/0 <- 4: f (last)"]),
        ],
    )


# --- whatever goes wrong ------------------------------------------------------------------------


def test_a_death_charges_all_of_a_lot_and_from_then_on_each_goes_alone() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    done(router, asked("c"), asked("d", rows=2))
    play(
        router,
        [
            (lost("a/0", begun=2), []),
            (
                ready("a/0", credits=2, batching={"/x": Batching(2, 500)}),
                ["a/0 <- 1: c (last)", "a/0 <- 2: d (last)"],
            ),
            (reply("a/0", 1, "C"), ["c <- 1: C, served 1"]),
            (lost("a/0", begun=2), []),
            (ready("a/0"), ["a/0 <- 2[0:1]: d (last)"]),
        ],
    )


def test_a_single_document_that_kills_fails_alone() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    done(router, asked("c"), asked("d"), lost("a/0", begun=2))
    again = ready("a/0", credits=1, batching={"/x": Batching(2, 500)})
    message = "This request crashed the worker (2 attempts; killed by SIGKILL)"
    play(
        router,
        [
            (again, ["a/0 <- 1: c (last)"]),
            (lost("a/0", begun=1), [f"c <- 1! {DIED} a: {message}"]),
            (again, ["a/0 <- 2: d (last)"]),
            (reply("a/0", 2, "D"), ["d <- 1: D, served 1"]),
        ],
    )
    assert is_idle(router)


def test_one_that_was_begun_alone_after_the_call_raised_is_charged_alone() -> None:
    router = batched(ONE, credits=1)
    done(router, asked("c"), asked("d"), asked("e"), reply("a/0", 1), lost("a/0", begun=2))
    play(
        router,
        [
            # The third may go with others again, the second goes alone.
            (
                ready("a/0", credits=2, batching={"/x": THREE}),
                ["a/0 <- 2: d (last)", "a/0 <- 3: e (last)"],
            ),
        ],
    )


def test_a_lot_that_was_not_begun_goes_again_as_one() -> None:
    router = batched(ONE, Batching(2, 500))
    done(router, asked("c"), asked("d"), asked("e"), asked("f"), lost("a/0", begun=2))
    play(
        router,
        [
            (
                ready("a/0", batching={"/x": Batching(2, 500)}),
                [
                    "a/0 <- 1: c (last)",
                    "a/0 <- 3 of 4: e (last)",
                    "a/0 <- 4 of 4: f (last)",
                ],
            )
        ],
    )


def test_an_idle_worker_that_dies_charges_nobody() -> None:
    router = batched(ONE, Batching(2, 500))
    done(router, asked("c", use_dynamic_batching=False), lost("a/0", begun=0))
    play(router, [(ready("a/0"), ["a/0 <- 1: c (last)"])])
    done(router, lost("a/0", begun=1))
    play(router, [(ready("a/0"), ["a/0 <- 1: c (last)"])])


def test_who_waits_for_others_is_told_when_the_node_is_given_up() -> None:
    router = batched()
    done(router, asked("c"))
    reason = "it has no workers left"
    play(
        router,
        [
            (lost("a/0"), []),
            (gave_up("a"), [f"c <- 1! {GONE} a: {reason}"]),
            (Expired(1), []),
        ],
    )
    assert is_idle(router)


def test_a_client_that_leaves_is_not_waited_with() -> None:
    router = batched()
    play(
        router,
        [
            (asked("c", rows=2), ["timer 1: 0.5 s"]),
            (asked("d", top=1), ["timer 2: 0.5 s"]),
            (left("c"), []),
            (left("d"), []),
            (Expired(2), []),
            (asked("e"), ["timer 3: 0.5 s"]),
            (asked("f"), []),
            (Expired(1), []),
            (Expired(3), ["a/0 <- 3 of 4: e (last)", "a/0 <- 4 of 4: f (last)"]),
        ],
    )


def test_who_stays_when_one_of_a_full_group_leaves_is_not_kept_waiting() -> None:
    router = batched(ONE, Batching(2, 500), credits=1)
    done(router, asked("c", rows=2), asked("d"), asked("e"), left("e"))
    play(router, [(reply("a/0", 1), ["c <- 1: , served 1", "a/0 <- 2: d (last)"])])


def test_nobody_waits_for_others_while_the_flow_stops() -> None:
    router = batched(CHAIN)
    play(
        router,
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (asked("d", top=1), ["timer 2: 0.5 s"]),
            (Draining(), ["a/0 <- 1: c", "a/0 <- 2: d"]),
            (asked("e", top=1), []),
            (reply("a/0", 1, "C"), ["b/0 <- 4: C", "a/0 <- 3: e"]),
        ],
    )


def test_a_node_whose_first_worker_comes_while_the_flow_stops_keeps_nobody_waiting() -> None:
    play(
        Router(ONE),
        [
            (gave_up("a"), []),
            (Draining(), []),
            (ready("a/0", batching={"/x": THREE}), []),
            (asked("c"), ["a/0 <- 1: c (last)"]),
        ],
    )


def test_a_worker_with_other_settings_changes_them_for_what_comes() -> None:
    play(
        batched(),
        [
            (asked("c"), ["timer 1: 0.5 s"]),
            (ready("a/1"), []),
            (asked("d"), ["a/0 <- 2: d (last)"]),
            (Expired(1), ["a/1 <- 1: c (last)"]),
        ],
    )
