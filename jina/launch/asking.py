"""Ask a running Flow's supervisor for a change, and wait until it is made."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jina.defaults import MAX_REPLICAS, SUPERVISOR_SILENT_S
from jina.excepts import FlowBuildLevelError, FlowError, FlowNotFound, FlowTopologyError
from jina.graph.plan import Plan, WorkerSpec
from jina.launch import events
from jina.launch.local import LocalFlow, start_failure
from jina.launch.rundir import FlowRecord, control_of, directory_name, running
from jina.runtime import control


def ask(
    directory: Path,
    change: control.Change,
    tell: Callable[[str], None],
    loading: Callable[[list[str], float], None] | None = None,
) -> control.Done:
    """Have a Flow changed; requests are served meanwhile.

    A caller that stops waiting does not stop the change.

    Args:
        directory: the Flow's run directory.
        change: what is wanted.
        tell: called with a line of text for each thing that happens.
        loading: called about once a second with the workers that are waited for, and for how long.

    Returns:
        what is now.

    Raises:
        FlowNotFound: nobody listens there.
        FlowTopologyError: the Flow has no such Executor, or it has others than the plan.
        FlowBuildLevelError: the change cannot be made now.
        RuntimeFailToStart: a new worker did not start, for the error that is the cause; what ran
            before runs on.
        FlowError: the Flow ended before the change was complete.
    """
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        end.connect(str(control_of(directory)))
    except OSError as error:
        end.close()
        raise FlowNotFound(f"no Flow listens at {directory}: {error.strerror}") from error
    channel = control.Channel(
        end, control.Told | control.Done | control.Refused | events.StartFailed
    )
    try:
        channel.send(change)
        if not (channel.has_waiting or select.select([channel], [], [], SUPERVISOR_SILENT_S)[0]):
            tell(_is_silent(directory))
        while channel.is_open:
            for message in channel.receive():
                if isinstance(message, control.Told):
                    if message.text:
                        tell(message.text)
                    elif loading is not None:
                        loading(message.loading, message.seconds)
                elif isinstance(message, control.Done):
                    return message
                else:
                    raise _failure(message)
    finally:
        channel.close()
    raise FlowError("the Flow ended before the change was complete")


def _is_silent(directory: Path) -> str:
    pid = next((record.pid for path, record in running() if path == directory), 0)
    return f"the Flow's supervisor (process {pid}) does not answer; waiting for it"


def change_local(flow: LocalFlow, change: control.Change) -> None:
    """Have a Flow changed that this process started; see `ask` for what is raised."""
    done = ask(Path(flow.up.directory), change, lambda text: None)
    flow.plan = change.plan or flow.plan
    flow.num_workers = done.workers


def to_scale(node: str, replicas: int) -> control.Change:
    """The change that gives a node another number of replicas.

    Raises:
        ValueError: that is not a number of replicas.
    """
    is_number = isinstance(replicas, int) and not isinstance(replicas, bool)
    if not is_number or not 1 <= replicas <= MAX_REPLICAS:
        raise ValueError(f"an Executor must have 1 to {MAX_REPLICAS} replicas, not {replicas!r}")
    return control.Change(nodes=[node], replicas=replicas)


def with_arguments(
    plan: Plan,
    node: str,
    uses_with: dict[str, Any] | None = None,
    dump_path: str | os.PathLike[str] | None = None,
) -> Plan:
    """The plan with other arguments for one node's Executor.

    Args:
        plan: of what runs.
        node: its name; one that the plan lacks changes nothing.
        uses_with: overrides the arguments of its constructor.
        dump_path: what `runtime_args.dump_path` becomes; None leaves it as it is.

    Raises:
        TypeError: `uses_with` is not a dict with names as keys, or a value cannot be sent.
    """
    if uses_with is not None:
        _check_arguments(uses_with)

    def changed(spec: WorkerSpec) -> WorkerSpec:
        with_ = {**spec.executor.with_, **(uses_with or {})}
        args = dict(spec.runtime_args)
        if dump_path is not None:
            args["dump_path"] = os.fspath(dump_path)
        return msgspec.structs.replace(
            spec, executor=msgspec.structs.replace(spec.executor, with_=with_), runtime_args=args
        )

    workers = [changed(spec) if spec.node == node else spec for spec in plan.workers]
    return msgspec.structs.replace(plan, workers=workers)


def _check_arguments(uses_with: object) -> None:
    """See that arguments can be sent to another process.

    Raises:
        TypeError: they cannot.
    """
    if not isinstance(uses_with, dict):
        raise TypeError(
            f"uses_with must be a dict of constructor arguments, not {type(uses_with).__name__}"
        )
    for name, value in uses_with.items():
        if not isinstance(name, str):
            raise TypeError(f"the keys of uses_with must be argument names, not {name!r}")
        try:
            msgspec.json.encode(value)
        except UnicodeEncodeError:
            pass  # text that is not UTF-8 is sent in another way
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(
                f"uses_with[{name!r}] cannot be sent to the new workers ({error}); "
                "use text, numbers, booleans, None, lists or dicts"
            ) from None


def _failure(message: object) -> FlowError:
    if isinstance(message, events.StartFailed):
        return start_failure(message)
    if isinstance(message, control.Refused):
        kind = FlowTopologyError if message.is_usage else FlowBuildLevelError
        return kind(message.what, hint=message.hint)
    return FlowError(f"the supervisor said {message!r}")


def directory_of(record: FlowRecord) -> Path:
    """The run directory of a running Flow.

    Raises:
        FlowNotFound: it has ended.
    """
    for path, other in running():
        if other.pid == record.pid:
            return path
    raise FlowNotFound(f'the Flow "{record.name}" has ended')


def runs_its_file(directory: Path, record: FlowRecord) -> bool:
    """Whether a Flow is what its YAML says: a Python program may have added to what it loaded."""
    return bool(record.file) and directory.name == directory_name(record.name, record.file)
