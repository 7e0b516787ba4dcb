"""Shards, heads, tails and floating nodes: in the plan, in a request's course, in the drawing."""

from __future__ import annotations

from typing import Any

import pytest

from jina import Flow
from jina.graph.course import Course, ends, plot_course
from jina.graph.drawing import draw_text
from jina.graph.plan import Plan
from jina.graph.planning import plan_of
from jina.names import GATEWAY as G


def planned(*nodes: dict[str, Any]) -> Plan:
    return plan_of({"jtype": "Flow", "executors": list(nodes)})


def plotted(plan: Plan, bound: str, targets: list[str] | None = None) -> Course:
    """The course to /x; `bound` are the names of those whose Executor binds it."""
    known = {node.name: ["/x"] if node.name in bound.split() else [] for node in plan.nodes}
    return plot_course(plan.nodes, known, "/x", targets)


SHARDED = planned({"name": "a"}, {"name": "s", "shards": 2, "polling": "ALL"}, {"name": "z"})
AROUND = planned(
    {
        "name": "s",
        "shards": 2,
        "polling": {"/x": "ALL"},
        "uses_before": "Executor",
        "uses_after": "Executor",
    }
)


@pytest.mark.parametrize(
    ("node", "names"),
    [
        ({}, ["s"]),
        ({"shards": 2}, ["s"]),
        ({"shards": 2, "polling": "any"}, ["s"]),
        ({"shards": 2, "polling": {"/x": "ALL"}}, ["s", "s/tail"]),
        ({"shards": 2, "polling": "ALL", "disable_reduce": True}, ["s"]),
        ({"shards": 2, "polling": "ALL", "no_reduce": True}, ["s"]),
        ({"polling": "ALL"}, ["s"]),
        ({"uses_before": "Executor"}, ["s/head", "s"]),
        ({"uses_after": "Executor"}, ["s", "s/tail"]),
        ({"shards": 2, "polling": "ALL", "floating": True}, ["s"]),
    ],
)
def test_the_plan_adds_heads_and_tails(node: dict[str, Any], names: list[str]) -> None:
    plan = planned(
        {"name": "s", **node}, {"name": "z", "needs": "s"} if "floating" not in node else {}
    )
    assert [each.name for each in plan.nodes][:-1] == names
    assert plan.nodes[0].needs == [G]
    if "floating" not in node:
        assert plan.nodes[-1].needs == [names[-1]]
    assert plan.executors[0].name == "s"


def test_who_reduces() -> None:
    assert [node.reduces for node in SHARDED.nodes] == [False, False, True, False]
    assert [node.reduces for node in AROUND.nodes] == [False, False, True]
    node = {"shards": 2, "polling": "ALL", "uses_after": "Executor", "disable_reduce": True}
    assert [node.reduces for node in planned(node).nodes] == [False, False]


def test_a_flow_has_executors_whose_heads_and_tails_are_none_of_their_own() -> None:
    flow = Flow().add(name="s", shards=2, polling="ALL", uses_before="Executor").add(name="z")
    assert [name for name, _ in flow] == ["s", "z"]
    assert flow[1].name == "z"
    assert (flow.num_executors, flow.num_peas) == (2, 5)
    assert flow != Flow().add(name="s", shards=2, polling="ALL").add(name="z")
    assert flow.add(name="y", needs="gateway").needs_all()["joiner"].needs == ["z", "y"]
    tailed = Flow().add(name="s", shards=2, polling="ALL").needs_all()
    assert tailed["joiner"].needs == ["s/tail"]


def test_every_shard_gets_the_request_and_the_tail_takes_part() -> None:
    course = plotted(SHARDED, "a s z")
    assert course.inputs == {"a": [[G]], "s": [["a"]], "s/tail": [["s"]], "z": [["s/tail"]]}
    assert (course.fans, course.gathers, course.last) == ({"s": 2}, {"s/tail": 2}, "z")
    assert plotted(SHARDED, "s").last == "s/tail"


def test_where_the_node_takes_no_part_its_tail_takes_none() -> None:
    course = plotted(SHARDED, "a z")
    assert course.inputs == {"a": [[G]], "z": [["a"]]}
    assert not course.fans
    assert not course.gathers


def test_an_endpoint_with_any_needs_no_tail() -> None:
    plan = planned({"name": "s", "shards": 2, "polling": {"/y": "ALL", "*": "ANY"}})
    course = plotted(plan, "s")
    assert (course.inputs, course.last, course.fans) == ({"s": [[G]]}, "s", {})


def test_shards_without_a_tail_write_no_lines() -> None:
    node = {"name": "s", "shards": 2, "polling": "ALL", "disable_reduce": True}
    course = plotted(planned(node), "s")
    assert (course.end, course.last, course.fans) == (["s"], "", {"s": 2})


@pytest.mark.parametrize(
    ("bound", "taking", "gathers"),
    [
        ("s/head s s/tail", ["s/head", "s", "s/tail"], 2),
        # It reduces where its Executor does not bind the endpoint.
        ("s", ["s", "s/tail"], 2),
        ("s/head s/tail", ["s/head", "s/tail"], 0),
        ("s/tail", ["s/tail"], 0),
        ("", [], 0),
    ],
)
def test_executors_around_shards_take_part_where_they_bind_the_endpoint(
    bound: str, taking: list[str], gathers: int
) -> None:
    course = plotted(AROUND, bound)
    assert list(course.inputs) == taking
    assert course.gathers.get("s/tail", 0) == gathers


def test_targets_name_the_node_and_mean_its_head_and_tail_too() -> None:
    assert list(plotted(AROUND, "s/head s", ["s"]).inputs) == ["s/head", "s", "s/tail"]
    assert list(plotted(AROUND, "s/head s", ["s/tail", "s/head"]).inputs) == []
    assert list(plotted(SHARDED, "a s z", ["a", "z"]).inputs) == ["a", "z"]


def test_a_floating_node_is_no_end_and_begins_before_the_others() -> None:
    plan = planned({"name": "a"}, {"name": "b"}, {"name": "f", "needs": "a", "floating": True})
    assert ends(plan.nodes) == ["b"]
    course = plotted(plan, "a b f")
    assert course.after == {G: ["a"], "a": ["f", "b"]}
    assert (course.awaited, course.floats, course.last) == (2, {"f": 1}, "b")
    assert plotted(plan, "f").end == [G]


def test_the_drawing_shows_them() -> None:
    plan = planned(
        {"name": "a", "floating": True},
        {"name": "s", "shards": 4, "polling": "ALL", "uses_before": "Executor"},
        {"name": "r", "shards": 2, "replicas": 3, "polling": "ANY"},
    )
    rows = [" ".join(row.split()) for row in draw_text(plan).splitlines()[::2]]
    assert rows == [
        "● gateway",
        "● │ a passes through, floating",
        "● s/head passes through needs gateway",
        "● s 4 shards passes through",
        "● s/tail reduces",
        "● r 2 shards x3 passes through",
        "● gateway",
    ]
