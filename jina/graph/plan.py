"""The plan of a Flow: which nodes there are, how they are connected, which processes run them.

Plain data. It is made once, before anything starts, and sent to the supervisor, which passes parts
of it on to the gateway and the workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from jina.defaults import CLOSE_GRACE_S, LEASE_S, TIMEOUT_READY_S
from jina.executors.container import ContainerSpec
from jina.executors.modules import import_paths, program_folders
from jina.executors.spec import ExecutorSpec, importing_from
from jina.graph.http import HttpSettings
from jina.graph.origins import Origins
from jina.names import DEVICES, worker_name

ANY, ALL = "ANY", "ALL"  # which shards get a request
ANY_ENDPOINT = "*"  # in polling: whatever is not named


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """Which errors of a node's Executor are tried again.

    Attributes:
        times: attempts after the first one.
        on: names of classes, short or dotted; empty for all.
        backoff_s: before the first further attempt; it doubles with each.
    """

    times: int
    on: list[str] = []
    backoff_s: float = 0.0


class RayAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What one actor of a node asks for of a cluster of Ray.

    Attributes:
        num_cpus: cores.
        num_gpus: GPUs.
        resources: those that the nodes of the cluster declare -> how much.
    """

    num_cpus: float = 1.0
    num_gpus: float = 0.0
    resources: dict[str, float] = {}

    @property
    def amounts(self) -> dict[str, float]:
        """Everything that is asked for, by the names that Ray has for it."""
        every = {"CPU": self.num_cpus, "GPU": self.num_gpus, **self.resources}
        return {name: amount for name, amount in every.items() if amount}

    def plus(self, other: RayAsk) -> RayAsk:
        """What both ask for together."""
        names = [*self.resources, *other.resources]
        return RayAsk(
            num_cpus=self.num_cpus + other.num_cpus,
            num_gpus=self.num_gpus + other.num_gpus,
            resources={
                name: self.resources.get(name, 0.0) + other.resources.get(name, 0.0)
                for name in names
            },
        )

    def times(self, count: int) -> RayAsk:
        """What so many ask for together."""
        return RayAsk(
            num_cpus=self.num_cpus * count,
            num_gpus=self.num_gpus * count,
            resources={name: amount * count for name, amount in self.resources.items()},
        )


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """What of a Flow an engine starts elsewhere: the workers of its external nodes.

    Attributes:
        address: of the cluster of Ray, as HOST:PORT.
        workers: every process that runs there.
        asks: node -> what each actor asks for.
        stateful: the nodes whose Executors keep files.
        project: folder that the modules are in.
        keys: folder of the keys of this run; "" until the Flow has a run directory.
    """

    address: str
    workers: list[WorkerSpec]
    asks: dict[str, RayAsk]
    stateful: list[str] = []
    project: str = ""
    keys: str = ""


class PlannedNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the graph.

    Attributes:
        name: unique in the Flow.
        needs: names of the nodes whose results it takes, in the order of its `docs_matrix`.
        replicas: how many processes share its requests; of each shard, if there are several.
        shards: into how many parts it is divided.
        polling: endpoint -> "ANY", one shard gets a request, or "ALL", every shard does; "*" is
            every endpoint that is not named. Nothing means ANY.
        of: the node that this one is the head or the tail of; "" for an executor of the Flow.
        reduces: a tail that puts the results of the shards together, where its own Executor does
            not serve the endpoint.
        is_floating: nobody waits for its results.
        timeouts: endpoint, or "*" for all others -> seconds that a call may take; below 0 is no
            limit, and so is what is not named.
        on_error: what becomes of a request after an error: "stop", it fails; "split", it is
            repeated in halves until the Documents are found that fail on their own; "continue", it
            goes on with the input of the node. "" is whatever the request says, else stop.
        retries: which errors are tried again; None for none.
        is_external: agents on other machines start its workers, see `jina.runtime.agents`.
    """

    name: str
    needs: list[str]
    replicas: int = 1
    shards: int = 1
    polling: dict[str, str] = {}
    of: str = ""
    reduces: bool = False
    is_floating: bool = False
    timeouts: dict[str, float] = {}
    on_error: str = ""
    retries: Retries | None = None
    is_external: bool = False

    @property
    def continues(self) -> bool:
        """Whether a request goes on after an error, whatever it says itself."""
        return self.on_error == "continue"

    @property
    def is_tail(self) -> bool:
        """Whether it takes the results of the shards of the node that it belongs to."""
        return self.of != "" and self.needs == [self.of]

    def polls_all(self, endpoint: str) -> bool:
        """Whether a request to this endpoint goes to every one of several shards."""
        if self.shards == 1:
            return False
        return self.polling.get(endpoint, self.polling.get(ANY_ENDPOINT)) == ALL


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one worker process needs to know.

    Attributes:
        node: the node's name.
        replica: which of its processes, from 0.
        shard: which of its node's shards, from 0; None where it has none.
        tail_of: the node whose shards' results it takes; "" for none.
        reduces: see `PlannedNode`.
        executor: what to load.
        runtime_args: handed to the Executor as `self.runtime_args`.
        env: environment variables that this node sets.
        devices: GPUs that the node's workers get in turns, in `CUDA_VISIBLE_DEVICES`; None where
            they get none so.
        timeout_ready_s: how long its start may take without any output.
        entry: where the Flow's YAML names the Executor, as file:line:column; "" from Python.
        stop_grace_s: how long it may take to close before it is ended.
        threads: that each of its numerical libraries may use; None is its share of the cores.
        python: absolute path of the interpreter that runs it; "" is that of the supervisor.
        python_place: where the Flow's YAML chooses that, as file:line:column; "" from Python.
        container: in which it runs; None for none.
    """

    node: str
    replica: int
    shard: int | None = None
    tail_of: str = ""
    reduces: bool = False
    executor: ExecutorSpec
    runtime_args: dict[str, Any] = {}
    env: dict[str, str] = {}
    devices: list[str] | None = None
    timeout_ready_s: float = TIMEOUT_READY_S
    entry: str = ""
    stop_grace_s: float = CLOSE_GRACE_S
    threads: int | None = None
    python: str = ""
    python_place: str = ""
    container: ContainerSpec | None = None

    @property
    def name(self) -> str:
        """How people see it, see `worker_name`."""
        return worker_name(self.node, self.replica, self.shard)

    @property
    def where(self) -> str:
        """Where the user wrote it in the Flow, else the Executor itself; "" from Python."""
        return self.entry or self.executor.place


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A Flow, ready to be started.

    Attributes:
        name: of the Flow.
        file: absolute path of its YAML; "" when it was built in Python.
        nodes: in the order in which they were written; needs are explicit and checked.
        workers: every process to start.
        listen: tcp address that clients may use too; "" for none.
        keys: folder of the keys of those who may use it; "" for no encryption.
        worker_listen: tcp address for agents and workers of other machines; "" for none.
        lease_s: see `jina.runtime.roster`.
        placing: what an engine starts elsewhere; None where nothing is.
        origins: what it was made from; None where nobody asks.
        http: how it is reached over HTTP; None where it is not.
        http_said: what its YAML file says of HTTP, whether it is reached or not; by the names of
            `HttpSettings`. `jina http` serves it so.
    """

    name: str
    file: str = ""
    nodes: list[PlannedNode]
    workers: list[WorkerSpec]
    listen: str = ""
    keys: str = ""
    worker_listen: str = ""
    lease_s: float = LEASE_S
    placing: Placing | None = None
    origins: Origins | None = None
    http: HttpSettings | None = None
    http_said: dict[str, Any] = {}

    @property
    def executors(self) -> list[PlannedNode]:
        """The nodes without the heads and tails of others."""
        return [node for node in self.nodes if not node.of]

    @property
    def by_name(self) -> dict[str, PlannedNode]:
        """Every node by its name."""
        return {node.name: node for node in self.nodes}

    def owner(self, name: str) -> str:
        """The node that this one is the head or the tail of, else itself."""
        return self.by_name[name].of or name


def with_import_paths(plan: Plan) -> Plan:
    """The plan with workers that import from wherever this process does."""
    paths, own = import_paths(), import_paths(of_any_interpreter=True)
    program = program_folders()
    workers = [
        structs.replace(
            worker,
            executor=importing_from(worker.executor, own if worker.python else paths, program),
        )
        for worker in plan.workers
    ]
    return structs.replace(plan, workers=workers)


def with_device(
    env: Mapping[str, str], devices: Sequence[str] | None, number: int
) -> dict[str, str]:
    """The environment of one worker.

    Args:
        env: of its node.
        devices: see `WorkerSpec`. If there are none to choose, it sees none, and runs on the CPU.
        number: of the worker among all of the node's, shard by shard.
    """
    if devices is None:
        return dict(env)
    return {**env, DEVICES: devices[number % len(devices)] if devices else ""}
