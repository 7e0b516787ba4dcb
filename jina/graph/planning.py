"""From a Flow that was checked to the plan of what is started.

Names and needs are sound by now; here the needs become explicit, and each replica a worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jina.graph.plan import Plan, PlannedNode, WorkerSpec
from jina.names import GATEWAY

if TYPE_CHECKING:
    from jina.config import FlowConfig


def plan_from(config: FlowConfig, *, listen: str = "") -> Plan:
    """Turn a checked config into nodes and workers.

    Args:
        config: of the Flow.
        listen: tcp address on which the gateway listens too; "" for none.
    """
    nodes: list[PlannedNode] = []
    workers: list[WorkerSpec] = []
    before = GATEWAY
    for node in config.executors:
        needs = [before] if node.needs is None else list(node.needs)
        nodes.append(PlannedNode(name=node.name, needs=needs, replicas=node.replicas))
        before = node.name
        file, line, column = node.marks.get("uses", node.mark)
        for replica in range(node.replicas):
            runtime_args: dict[str, Any] = {
                "name": node.name,
                "workspace": node.workspace,
                "replicas": node.replicas,
                "pea_id": 0,
                "shard_id": 0,
            }
            if node.replicas > 1:
                runtime_args["replica_id"] = replica
            workers.append(
                WorkerSpec(
                    node=node.name,
                    replica=replica,
                    executor=node.executor,
                    runtime_args=runtime_args,
                    env=node.env,
                    timeout_ready_s=node.timeout_ready_s,
                    entry=f"{file}:{line}:{column}" if file and line else "",
                )
            )
    path = str(config.file.resolve()) if config.file else ""
    return Plan(name=config.name, file=path, nodes=nodes, workers=workers, listen=listen)


def inherited(config: FlowConfig) -> dict[str, Any]:
    """What the options of a loaded Flow mean for Executors that are added to it."""
    options = config.options.model_dump(
        include={"workspace", "env", "timeout_ready"}, exclude_none=True
    )
    if "workspace" in options and config.file is not None:
        options["workspace"] = str(config.file.parent / options["workspace"])
    return options
