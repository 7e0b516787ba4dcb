"""Make the plan of what is started from a Flow that was checked.

Names and needs are sound by now; here the needs become explicit, and each replica a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jina.config import devices
from jina.config.flows import FlowConfig, load_flow
from jina.config.nodes import NodeConfig
from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.names import GATEWAY


def plan_from(
    config: FlowConfig, *, listen: str = "", gpus: Callable[[], int] = devices.gpus
) -> Plan:
    """Turn a checked config into nodes and workers.

    Args:
        config: of the Flow.
        listen: tcp address on which the gateway listens too; "" for none.
        gpus: tells how many GPUs there are, for `CUDA_VISIBLE_DEVICES: RR`.
    """
    nodes: list[PlannedNode] = []
    before = GATEWAY
    for node in config.executors:
        needs = [before] if node.needs is None else list(node.needs)
        nodes.append(PlannedNode(name=node.name, needs=needs, replicas=node.replicas))
        before = node.name
    workers = [
        _worker(node, replica, gpus)
        for node in config.executors
        for replica in range(node.replicas)
    ]
    path = str(config.file.resolve()) if config.file else ""
    return Plan(name=config.name, file=path, nodes=nodes, workers=workers, listen=listen)


def _worker(node: NodeConfig, replica: int, gpus: Callable[[], int]) -> WorkerSpec:
    file, line, column = node.marks.get("uses", node.mark)
    runtime_args: dict[str, Any] = {
        "name": node.name,
        "workspace": node.workspace,
        "replicas": node.replicas,
        "pea_id": 0,
        "shard_id": 0,
    }
    if node.replicas > 1:
        runtime_args["replica_id"] = replica
    runtime_args |= node.runtime_args
    return WorkerSpec(
        node=node.name,
        replica=replica,
        executor=node.executor,
        runtime_args=runtime_args,
        env=devices.environment(node.env, replica, gpus),
        timeout_ready_s=node.timeout_ready_s,
        entry=f"{file}:{line}:{column}" if file and line else "",
    )


def plan_of(source: Any, *, listen: str = "") -> Plan:
    """Load a Flow and plan it.

    Args:
        source: path of a YAML file, YAML text, or a dict.
        listen: tcp address on which the gateway listens too.

    Raises:
        ConfigError: with everything that is wrong, each thing at its place.
    """
    return plan_from(load_flow(source), listen=listen)
