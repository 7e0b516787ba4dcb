"""The graph of a Flow as data."""

from __future__ import annotations

import pytest

from jina.excepts import FlowTopologyError
from jina.graph.topology import Node, checked, followers, order, terminals

DIAMOND = [
    Node("join", ["left", "right"]),
    Node("left", ["start"]),
    Node("right", ["start"]),
    Node("start", ["gateway"]),
]


def test_a_sound_graph_goes_through() -> None:
    assert checked(DIAMOND) == DIAMOND


def test_order_puts_every_node_behind_its_needs() -> None:
    assert order(DIAMOND) == ["start", "left", "right", "join"]


def test_followers_are_those_that_take_the_results() -> None:
    assert followers(DIAMOND) == {
        "gateway": ["start"],
        "start": ["left", "right"],
        "left": ["join"],
        "right": ["join"],
        "join": [],
    }


def test_terminals_answer_the_client() -> None:
    assert terminals(DIAMOND) == ["join"]
    assert terminals([*DIAMOND, Node("side", ["start"])]) == ["join", "side"]


def test_a_node_without_needs_takes_the_requests() -> None:
    assert followers([Node("a")]) == {"gateway": ["a"], "a": []}


def test_a_wrong_graph_is_an_error_that_names_everything() -> None:
    with pytest.raises(FlowTopologyError) as caught:
        checked([Node("a", ["encodr"]), Node("encoder", ["a"]), Node("a")])
    assert str(caught.value) == (
        "two executors are called 'a'\n'a' needs 'encodr', which is no executor of this Flow"
    )


def test_a_single_fault_comes_with_its_help() -> None:
    with pytest.raises(FlowTopologyError) as caught:
        checked([Node("a", ["encodr"]), Node("encoder")])
    assert str(caught.value) == (
        "'a' needs 'encodr', which is no executor of this Flow\nhelp: did you mean 'encoder'?"
    )
