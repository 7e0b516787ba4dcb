"""Which node a place had better be on, without a cluster."""

from __future__ import annotations

from typing import Any

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import RayAsk, WorkerSpec
from jina.launch.placing import Place
from jina.ray.spread import best_node


def place(node: str, replica: int = 0, **ask: Any) -> Place:
    spec = WorkerSpec(node=node, replica=replica, executor=ExecutorSpec(), entry="flow.yml:3:5")
    return Place(spec.name, None, [spec], RayAsk(**ask))


def node(name: str, **resources: float) -> dict[str, Any]:
    return {"NodeID": name, "Alive": True, "Resources": resources}


NODES = [node("one", CPU=4), node("two", CPU=4, GPU=1)]


def spread(places: list[Place], nodes: list[dict[str, Any]]) -> list[str]:
    found: list[tuple[Place, str]] = []
    for each in places:
        found.append((each, best_node(each, found, nodes)))
    return [where for _, where in found]


def test_the_replicas_of_each_executor_are_spread() -> None:
    places = [place("a", 0), place("b", 0), place("a", 1), place("b", 1), place("b", 2)]
    assert spread(places, NODES) == ["one", "two", "two", "one", "one"]


def test_none_is_meant_for_a_node_that_has_no_room_for_it() -> None:
    assert best_node(place("a", num_gpus=1), [], NODES) == "two"
    taken = [(place("a", 0, num_cpus=3), "one"), (place("b", 0, num_cpus=4), "two")]
    assert best_node(place("a", 1, num_cpus=1), taken, NODES) == "one"
    assert best_node(place("a", 1, num_cpus=2), taken, NODES) == ""
    assert best_node(place("a", num_gpus=2), [], NODES) == ""


def test_a_cluster_of_one_node_leaves_no_choice() -> None:
    assert best_node(place("a"), [], NODES[:1]) == ""
    assert best_node(place("a"), [], []) == ""


def test_what_is_on_a_node_that_is_gone_takes_no_room() -> None:
    assert best_node(place("a", 1), [(place("a", 0, num_cpus=4), "gone")], NODES) == "one"
