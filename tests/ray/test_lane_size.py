"""How many lanes a cluster has room for, from what Ray says of its nodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from jina.excepts import FlowError
from jina.graph.plan import RayAsk
from jina.ray.lanes import size_of
from tests.ray.test_place_room import node


def of(ask: RayAsk, *nodes: dict[str, Any], is_said: bool = True) -> tuple[int, RayAsk, float]:
    ray = SimpleNamespace(nodes=lambda: list(nodes))
    return size_of(ray, ask, is_said=is_said, names=["a", "b"])


NODES = (node("10.0.0.1", CPU=4.0), node("10.0.0.2", CPU=9.0), node("10.0.0.3", False, CPU=99.0))


def test_lanes_fill_the_nodes_that_are_there() -> None:
    assert of(RayAsk(num_cpus=2.0), *NODES) == (6, RayAsk(num_cpus=2.0), 4.0)


def test_a_lane_is_content_with_the_largest_node_if_nobody_says_what_it_needs() -> None:
    assert of(RayAsk(num_cpus=30.0), *NODES, is_said=False) == (1, RayAsk(num_cpus=9.0), 1.0)


def test_what_can_never_be_placed_is_told_with_what_there_is() -> None:
    with pytest.raises(FlowError) as caught:
        of(RayAsk(num_cpus=30.0), *NODES)
    assert str(caught.value) == (
        "a lane can never be placed: its Executors (a, b) ask for 30 CPU, and no node of the "
        "cluster has that; it has 10.0.0.1 (4 CPU), 10.0.0.2 (9 CPU)\n"
        "help: change `ray` or `replicas` of the executors, or add a node to the cluster"
    )
