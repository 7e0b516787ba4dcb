"""The course of a request: who takes part, whose result goes where, what makes up the answer."""

from __future__ import annotations

import pytest

from jina.graph.course import ends, in_order, plot_course
from jina.graph.plan import PlannedNode
from jina.names import GATEWAY


def graph(**needs: str) -> list[PlannedNode]:
    return [
        PlannedNode(name=name, needs=wanted.split() or [GATEWAY]) for name, wanted in needs.items()
    ]


def plotted(
    nodes: list[PlannedNode], bound: str, targets: list[str] | None = None
) -> tuple[dict[str, list[list[str]]], list[str], str]:
    endpoints = {node.name: ["/x"] if node.name in bound else ["/y"] for node in nodes}
    course = plot_course(nodes, endpoints, "/x", targets)
    for source, takers in course.after.items():
        for taker in takers:
            assert any(source in branch for branch in course.inputs[taker])
    return course.inputs, course.end, course.last


G = GATEWAY
CHAIN = graph(a="", b="a", c="b")
DIAMOND = graph(a="", b="a", c="a", j="c b")


@pytest.mark.parametrize(
    ("nodes", "bound", "inputs", "end", "last"),
    [
        (CHAIN, "abc", {"a": [[G]], "b": [["a"]], "c": [["b"]]}, ["c"], "c"),
        (CHAIN, "ac", {"a": [[G]], "c": [["a"]]}, ["c"], "c"),
        (CHAIN, "a", {"a": [[G]]}, ["a"], "a"),
        (CHAIN, "", {}, [G], ""),
        (
            DIAMOND,
            "abcj",
            {"a": [[G]], "b": [["a"]], "c": [["a"]], "j": [["c"], ["b"]]},
            ["j"],
            "j",
        ),
        # The join takes no part: both branches are the answer, in the order of its needs.
        (DIAMOND, "abc", {"a": [[G]], "b": [["a"]], "c": [["a"]]}, ["c", "b"], ""),
        # Both branches take no part: the join still has two, and they are the same.
        (DIAMOND, "aj", {"a": [[G]], "j": [["a"], ["a"]]}, ["j"], "j"),
        (DIAMOND, "j", {"j": [[G], [G]]}, ["j"], "j"),
        (DIAMOND, "a", {"a": [[G]]}, ["a", "a"], ""),
        # Nobody takes part: the request itself, once.
        (DIAMOND, "", {}, [G], ""),
        (graph(a="", b=""), "", {}, [G], ""),
        (graph(a="", b=""), "ab", {"a": [[G]], "b": [[G]]}, ["a", "b"], ""),
        (graph(a="", b=""), "a", {"a": [[G]]}, ["a", G], ""),
        # A branch that was joined already is one branch further on.
        (
            graph(a="", b="", j="a b", c="", k="j c"),
            "abck",
            {"a": [[G]], "b": [[G]], "c": [[G]], "k": [["a", "b"], ["c"]]},
            ["k"],
            "k",
        ),
        ([], "", {}, [G], ""),
    ],
)
def test_the_course_of_a_request(
    nodes: list[PlannedNode],
    bound: str,
    inputs: dict[str, list[list[str]]],
    end: list[str],
    last: str,
) -> None:
    assert plotted(nodes, bound) == (inputs, end, last)


@pytest.mark.parametrize(
    ("targets", "taking"),
    [
        (None, ["a", "b", "c"]),
        (["b"], ["b"]),
        (["c", "a"], ["a", "c"]),
        (["B", "nobody"], []),
        ([], []),
    ],
)
def test_targets_choose_among_those_who_are_bound(
    targets: list[str] | None, taking: list[str]
) -> None:
    inputs, _, _ = plotted(CHAIN, "abc", targets)
    assert list(inputs) == taking


def test_joins_are_the_nodes_that_wait_for_more_than_one_source() -> None:
    everybody = {node.name: ["/x"] for node in DIAMOND}
    assert plot_course(DIAMOND, everybody, "/x").joins == {"j"}
    assert plot_course(DIAMOND, {"b": ["/x"]}, "/x").joins == frozenset()


def test_a_default_handler_binds_every_endpoint() -> None:
    course = plot_course(CHAIN, {"b": ["/default"]}, "/anything")
    assert course.inputs == {"b": [[G]]}
    assert course.last == "b"


def test_a_node_of_which_nothing_is_known_takes_no_part() -> None:
    assert plot_course(CHAIN, {}, "/x").inputs == {}


def test_a_result_goes_to_each_taker_once_in_the_flows_order() -> None:
    nodes = graph(a="", z="a", b="a", j="b z a")
    course = plot_course(nodes, {n.name: ["/x"] for n in nodes}, "/x")
    assert course.after == {G: ["a"], "a": ["z", "b", "j"], "b": ["j"], "z": ["j"]}


@pytest.mark.parametrize(
    ("nodes", "order"),
    [
        (CHAIN, "abc"),
        (graph(c="b", b="a", a=""), "abc"),
        (graph(j="a b", b="", a=""), "baj"),
        (graph(z="", y="", x=""), "zyx"),
        ([], ""),
    ],
)
def test_each_node_comes_after_those_it_needs_else_as_written(
    nodes: list[PlannedNode], order: str
) -> None:
    assert "".join(node.name for node in in_order(nodes)) == order


def test_followers_are_those_that_take_the_results() -> None:
    nodes = graph(start="", left="start", right="start", join="left right")
    course = plot_course(nodes, {node.name: ["/x"] for node in nodes}, "/x")
    assert course.after == {
        G: ["start"],
        "start": ["left", "right"],
        "left": ["join"],
        "right": ["join"],
    }


def test_the_ends_answer_the_client() -> None:
    assert ends(DIAMOND) == ["j"]
    assert ends([*DIAMOND, *graph(side="a")]) == ["j", "side"]
    assert ends([]) == []
