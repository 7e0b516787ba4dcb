"""An agent on a node of a cluster: `jina executor serve`, told what to serve by its actor.

python -m jina.ray.place_agent

Its assignment is on standard input. What happens goes to standard output, an event a line, and ends
with `StartFailed` if it cannot serve. It ends with the Flow, and with its actor.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import msgspec
from msgspec import structs

from jina.excepts import FlowError, JinaError, RuntimeFailToStart
from jina.graph.plan import PlannedNode, WorkerSpec
from jina.launch import events
from jina.launch.agent import Serve
from jina.launch.bundle import unpacked_spec
from jina.launch.serving_agents import serve_all
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack, encode_json

#: What whoever placed it is told.
_TOLD = (
    events.Output,
    events.WorkerDied,
    events.Doubtful,
    events.Overdue,
    events.NotClosed,
    events.StartFailed,
)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent serves.

    Attributes:
        gateway: its address for workers.
        shard: that it serves; None where the node has none.
        workers: what it starts; their paths are those in the bundle.
        is_stateful: the Executor keeps files.
    """

    gateway: str
    shard: int | None
    workers: list[WorkerSpec]
    is_stateful: bool


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor writes to the standard input of its agent.

    Attributes:
        task: see there.
        bundle: folder in which the modules were unpacked.
        keys: folder of the keys that the gateway is shown.
        workspace: folder for files, where nothing else is said.
        parent: process id of the actor.
    """

    task: Task
    bundle: str
    keys: str
    workspace: str
    parent: int


class Teller:
    """Writes events to standard output."""

    is_behind = False

    def __call__(self, event: events.Event) -> None:
        """Tell one."""
        if isinstance(event, _TOLD):
            tell(event)


def tell(event: events.Event) -> None:
    """Write an event, as a line."""
    data = memoryview(encode_json(event) + b"\n")
    while data:
        data = data[os.write(1, data) :]


def serve(assignment: Assignment) -> int:
    """Serve until the Flow ends; the exit code."""
    task = assignment.task
    serve = Serve(
        node=task.workers[0].node,
        gateway=task.gateway,
        keys=assignment.keys,
        shard=task.shard,
        replicas=len(task.workers),
        is_stateful=task.is_stateful,
        specs=Specs(assignment),
        ends_with_flow=True,
    )
    try:
        serve_all([serve], Teller())
    except RuntimeFailToStart as error:
        tell(_failed(error, serve.node))
        return 1
    except JinaError as error:
        told = error if isinstance(error, FlowError) else FlowError(error.what, hint=error.hint)
        tell(structs.replace(events.StartFailed.of(told), worker=serve.node))
        return 1
    return 0


def _failed(error: RuntimeFailToStart, node: str) -> events.StartFailed:
    """The event from which an error was made, as far as it says what was in it."""
    reason = error.what.removeprefix(f'"{error.worker}" did not start: ')
    if not error.hint:  # then it goes on a sentence that begins with "it"
        is_sentence = reason.startswith("it ")
        reason = reason.removeprefix("it ") if is_sentence else f"failed with {reason}"
    return events.StartFailed(
        worker=error.worker or node,
        where=error.where,
        reason=reason,
        output=error.details.splitlines(),
        hint=error.hint,
    )


class Specs:
    """Makes what the workers run, see `agent.Specs`."""

    def __init__(self, assignment: Assignment) -> None:
        folder = Path(assignment.bundle)
        self._workers = [unpacked_spec(spec, folder) for spec in assignment.task.workers]
        self._workspace = assignment.workspace

    def __call__(
        self, node: PlannedNode, shard: int | None, numbers: list[int]
    ) -> list[WorkerSpec]:
        """One for each number of a replica."""
        return [
            structs.replace(
                spec,
                replica=number,
                runtime_args={
                    "workspace": self._workspace,
                    **spec.runtime_args,
                    **({"replica_id": number} if node.replicas > 1 else {}),
                },
            )
            for spec, number in zip(self._workers, numbers, strict=True)
        ]


def main() -> int:
    """Serve what standard input describes."""
    assignment = decode_msgpack(sys.stdin.buffer.read(), Assignment)
    die_with_parent(assignment.parent, signal.SIGKILL)
    return serve(assignment)


if __name__ == "__main__":
    sys.exit(main())
