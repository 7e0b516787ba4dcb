"""Which workers of a Flow run on a cluster of Ray, and what each of them asks for."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from jina.check.placing import names_workspace
from jina.config.flows import FlowConfig
from jina.config.nodes import NodeConfig
from jina.graph.plan import Placing, Plan, PlannedNode, RayAsk, WorkerSpec
from jina.names import DEVICES

#: Where the gateway listens to the workers on the cluster, unless the command line says it.
WORKER_LISTEN = "tcp://0.0.0.0:*"


def placed(config: FlowConfig, plan: Plan, address: str, project: Path) -> Plan:
    """The plan of a Flow whose Executors run on a cluster.

    What runs no code of the user stays with the gateway, and so do heads and tails of shards. What
    is external is served by others, as ever.

    Args:
        config: of the Flow.
        plan: of it, as if it ran here.
        address: of the cluster, as HOST:PORT.
        project: folder that the modules are in.
    """
    by_name = {node.name: node for node in config.executors if is_placed(node)}
    asks = {name: ask_of(node) for name, node in by_name.items()}
    placing = Placing(
        address=address,
        workers=[
            _elsewhere(spec, by_name[spec.node], asks[spec.node])
            for spec in plan.workers
            if spec.node in by_name
        ],
        asks=asks,
        stateful=[node.name for node in by_name.values() if keeps_files(node)],
        project=str(project),
    )
    return structs.replace(
        plan,
        nodes=[_external(node) if node.name in by_name else node for node in plan.nodes],
        workers=[spec for spec in plan.workers if spec.node not in by_name],
        worker_listen=_reachable(plan.worker_listen),
        placing=placing,
    )


def is_placed(node: NodeConfig) -> bool:
    """Whether Ray runs it: it has code of the user, and nobody else serves it."""
    is_class = node.executor.jtype not in ("", "BaseExecutor")
    return (is_class or node.shards > 1 or node.container is not None) and not node.is_external


def ask_of(node: NodeConfig) -> RayAsk:
    """What each of its replicas asks for."""
    said = node.ray
    gpus = None if said is None else said.num_gpus
    cpus = None if said is None else said.num_cpus
    if gpus is None:
        gpus = float(_takes_turns(node))
    return RayAsk(
        num_cpus=float(node.threads or 1) if cpus is None else cpus,
        num_gpus=gpus,
        resources={} if said is None else said.resources,
    )


def keeps_files(node: NodeConfig) -> bool:
    """Whether it has files of its own, as far as its YAML says."""
    return names_workspace(node) or node.shards > 1


def _takes_turns(node: NodeConfig) -> bool:
    """Whether its workers share the GPUs of a machine, `CUDA_VISIBLE_DEVICES: RR`."""
    return node.env.get(DEVICES, "").startswith("RR")


def _reachable(listen: str) -> str:
    """Where the gateway listens to workers: to those of other nodes, too. All of them have keys."""
    return listen.replace("//127.0.0.1:", "//0.0.0.0:") or WORKER_LISTEN


def _external(node: PlannedNode) -> PlannedNode:
    return structs.replace(node, is_external=True)


def _elsewhere(spec: WorkerSpec, node: NodeConfig, ask: RayAsk) -> WorkerSpec:
    """A worker as it runs there: with the GPUs that Ray gives it, and its share of the cores."""
    env = spec.env
    if _takes_turns(node):
        env = {key: value for key, value in env.items() if key != DEVICES}
    args = spec.runtime_args
    if not names_workspace(node):
        args = {key: value for key, value in args.items() if key != "workspace"}
    threads = spec.threads or max(1, int(ask.num_cpus))
    return structs.replace(spec, env=env, devices=None, runtime_args=args, threads=threads)
