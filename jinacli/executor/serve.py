"""`jina executor serve`: one Executor of a Flow that runs on another machine."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from msgspec import structs

from jina.config.flows import load_flow
from jina.graph.plan import PlannedNode, WorkerSpec
from jina.graph.planning import plan_from
from jina.launch.agent import Serve
from jina.launch.serving_agents import serve_all
from jina.transport.curve import Credentials
from jinacli import exits
from jinacli.executor.given import plain_path
from jinacli.screens.serving import ServeScreen


@dataclass(frozen=True)
class ServeOptions:
    """The options of `jina executor serve`, checked one by one.

    Attributes:
        file: the Executor's YAML, or catalogue://NAME.
        name: of the node.
        gateways: their addresses for workers.
        keys: folder of the keys; "" for none.
        shard: the only one that is served; None for all.
        replicas: workers, of each shard.
        workspace: folder for its files; "" for what its YAML says.
        quiet: show only errors and what Executors print.
    """

    file: str
    name: str
    gateways: list[str]
    keys: str
    shard: int | None
    replicas: int
    workspace: str
    quiet: bool

    def specs(self, node: PlannedNode, shard: int | None, numbers: list[int]) -> list[WorkerSpec]:
        """What the workers run, for a node as the gateway knows it."""
        found = self._planned(shards=node.shards, polling=node.polling)
        if shard is not None:
            found = [spec for spec in found if spec.shard == shard]
        return [
            structs.replace(
                spec,
                replica=numbers[spec.replica],
                runtime_args=_with_replica(spec, numbers[spec.replica]),
            )
            for spec in found
        ]

    def check(self) -> list[WorkerSpec]:
        """What the workers run, as far as it is known before the gateway has said anything.

        Raises:
            ConfigError: with everything that is wrong with the YAML.
        """
        return self._planned(shards=1, polling={})

    def _planned(self, *, shards: int, polling: dict[str, str]) -> list[WorkerSpec]:
        path = str(plain_path(self.file))
        uses = path if "://" in path or not os.path.exists(path) else os.path.abspath(path)
        entry = {
            "name": self.name,
            "uses": uses,
            "replicas": self.replicas,
            "shards": shards,
            **({"polling": polling} if polling else {}),
            **({"workspace": os.path.abspath(self.workspace)} if self.workspace else {}),
        }
        plan = plan_from(load_flow({"jtype": "Flow", "executors": [entry]}))
        return [spec for spec in plan.workers if spec.node == self.name]


def serve_executor(options: ServeOptions) -> int:
    """Serve the Executor until it is stopped, and return the exit code.

    Raises:
        ConfigError: of its YAML; or the Flow has no such node, or others serve it.
        BadKeys: the keys cannot be used.
        ConnectError: the gateway does not let us in.
        RuntimeFailToStart: a worker did not start.
    """
    keeps = [spec.executor.metas.get("workspace") for spec in options.check()]
    keys = os.path.abspath(options.keys) if options.keys else ""
    if keys:
        Credentials(keys)  # before anything starts
    screen = ServeScreen(quiet=options.quiet)
    serves = [
        Serve(
            node=options.name,
            gateway=gateway,
            keys=keys,
            shard=options.shard,
            replicas=options.replicas,
            is_stateful=bool(options.workspace) or any(keeps),
            specs=options.specs,
        )
        for gateway in options.gateways
    ]
    try:
        ended_by = serve_all(serves, screen)
    finally:
        screen.close()
    if ended_by is not None:
        raise KeyboardInterrupt if ended_by == signal.SIGINT else exits.Terminated
    return exits.OK


def _with_replica(spec: WorkerSpec, number: int) -> dict[str, object]:
    """Each replica has a workspace of its own, as in a Flow; the first one as if it were alone."""
    if "replica_id" not in spec.runtime_args and number == 0:
        return spec.runtime_args
    return {**spec.runtime_args, "replica_id": number}
