"""Where workers' Executors keep their files, and what becomes of these when a Flow is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from jina.graph.plan import WorkerSpec


def workspace_of(spec: WorkerSpec) -> str:
    """The folder that `Executor.workspace` gives a worker, if it has been made; else "".

    An Executor makes it when it first asks for it: where there is none, it keeps nothing there.
    """
    path = future_workspace_of(spec)
    return path if path and os.path.isdir(path) else ""


def future_workspace_of(spec: WorkerSpec) -> str:
    """The folder that `Executor.workspace` would give a worker; "" if it would give none."""
    metas, args = spec.executor.metas, spec.runtime_args
    base = metas.get("workspace") or args.get("workspace")
    if not base:
        return ""
    name = metas.get("name") or spec.executor.jtype.rpartition(":")[2]
    parts = [args.get(key) for key in ("replica_id", "pea_id")]
    return os.path.abspath(
        os.path.join(base, str(name), *(str(part) for part in parts if part not in (None, -1)))
    )


def notes_of(running: Sequence[WorkerSpec], wanted: Sequence[WorkerSpec]) -> Iterator[str]:
    """What people should know about the files of one node's Executors, and about its shards.

    Args:
        running: what its workers run.
        wanted: what they will run.
    """
    before = {spec.name: spec for spec in running}
    keeps = any(workspace_of(spec) for spec in running)
    shards = {spec.runtime_args.get("shard_id", 0) for spec in running}
    if len(shards) > 1 and len(wanted) != len(running):
        each = len(wanted) // len(shards)
        yield (
            f"{running[0].node} keeps its {len(shards)} shards; each will have {each}"
            f" replica{'s' if each > 1 else ''}"
        )
    for spec in wanted:
        old = before.pop(spec.name, None)
        path = future_workspace_of(spec)
        if old is None and keeps and path:
            yield f"{spec.name} has its own workspace: {path}"
        elif old is not None and workspace_of(old) not in ("", path):
            yield f"{spec.name} now uses the workspace {path}; the old one is kept"
    for spec in before.values():
        if path := workspace_of(spec):
            yield f"the workspace of {spec.name} is kept: {path}"
