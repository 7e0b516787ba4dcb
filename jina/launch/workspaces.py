"""Where a worker's Executor keeps its files, as far as it can be told from outside."""

from __future__ import annotations

import os

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
