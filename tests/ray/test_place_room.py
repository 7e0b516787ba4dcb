"""Whether a cluster has room, and what is said of it: without one."""

from __future__ import annotations

from typing import Any

import pytest

from jina.executors.spec import ExecutorSpec
from jina.graph.plan import RayAsk, WorkerSpec
from jina.launch.placing import Place
from jina.ray.place_room import misfits, missing_room


def place(replica: int = 0, **ask: Any) -> Place:
    spec = WorkerSpec(node="a", replica=replica, executor=ExecutorSpec(), entry="flow.yml:3:5")
    return Place(spec.name, None, [spec], RayAsk(**ask))


def node(address: str, is_alive: bool = True, **resources: float) -> dict[str, Any]:
    more = {f"node:{address}": 1.0, "memory": 1e9, "object_store_memory": 1e9}
    return {"NodeManagerAddress": address, "Alive": is_alive, "Resources": {**resources, **more}}


NODES = [node("10.0.0.1", CPU=2), node("10.0.0.2", CPU=4, GPU=1), node("10.0.0.3", False, CPU=64)]


@pytest.mark.parametrize(
    ("count", "ask", "said"),
    [
        (3, {"num_cpus": 2}, ""),
        (6, {"num_cpus": 1}, ""),
        (10, {"num_cpus": 0.6}, "it asks for 0.6 CPU, 10 times, and the cluster has room for 9"),
        (100, {"num_cpus": 0}, ""),
        (2, {"num_gpus": 0.5}, ""),
        (1, {"num_cpus": 5}, "it asks for 5 CPU, and no node of the cluster has that"),
        (1, {"num_cpus": 3, "num_gpus": 2}, "it asks for 3 CPU and 2 GPU, and no node"),
        (1, {"resources": {"big": 1}}, "it asks for 1 CPU and 1 big, and no node"),
        (1, {"resources": {"node:10.0.0.2": 0.1}}, ""),
    ],
)
def test_what_can_never_be_placed_is_found(count: int, ask: dict[str, Any], said: str) -> None:
    found = misfits([place(n, **ask) for n in range(count)], NODES)
    if not said:
        assert found is None
        return
    assert found is not None
    assert found.where == "flow.yml:3:5"
    assert found.what.startswith(f'"a" can never be placed: {said}')
    assert found.what.endswith("it has 10.0.0.1 (2 CPU), 10.0.0.2 (4 CPU and 1 GPU)")


def test_what_waits_for_room_says_what_is_free() -> None:
    said = missing_room(place(num_cpus=2), NODES, {"CPU": 1.0})
    assert said.startswith("waiting for Ray to place a/0: it asks for 2 CPU; free are 1 CPU of")
    assert "there is room" in missing_room(place(num_cpus=2), NODES, {"CPU": 2.0})
