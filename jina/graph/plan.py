"""The plan of a Flow: which nodes there are, how they are connected, which processes run them.

Plain data. It is made once, before anything starts, and sent to the supervisor, which passes parts
of it on to the gateway and the workers.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import structs

from jina.defaults import TIMEOUT_READY_S
from jina.executors.modules import import_paths
from jina.executors.spec import ExecutorSpec, importing_from


class PlannedNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the graph.

    Attributes:
        name: unique in the Flow.
        needs: names of the nodes whose results it takes, in the order of its `docs_matrix`.
        replicas: how many processes share its requests.
    """

    name: str
    needs: list[str]
    replicas: int = 1


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one worker process needs to know.

    Attributes:
        node: the node's name.
        replica: which of its processes, from 0.
        executor: what to load.
        runtime_args: handed to the Executor as `self.runtime_args`.
        env: environment variables that this node sets.
        timeout_ready_s: how long its start may take without any output.
        entry: where the Flow's YAML names the Executor, as file:line:column; "" from Python.
    """

    node: str
    replica: int
    executor: ExecutorSpec
    runtime_args: dict[str, Any] = {}
    env: dict[str, str] = {}
    timeout_ready_s: float = TIMEOUT_READY_S
    entry: str = ""

    @property
    def name(self) -> str:
        """How people see it: `encoder/0`."""
        return f"{self.node}/{self.replica}"

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
    """

    name: str
    file: str = ""
    nodes: list[PlannedNode]
    workers: list[WorkerSpec]
    listen: str = ""


def with_import_paths(plan: Plan) -> Plan:
    """The plan with workers that import from wherever this process does."""
    paths = import_paths()
    workers = [
        structs.replace(worker, executor=importing_from(worker.executor, paths))
        for worker in plan.workers
    ]
    return structs.replace(plan, workers=workers)
