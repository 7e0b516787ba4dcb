"""The folders that Executors write to: their names, whether they can be written, who shares one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from os.path import exists, isdir
from pathlib import Path

from jina.check.python_source import shown_file
from jina.config.drafts import ExecutorDraft
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem, Severity
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors.spec import ExecutorSpec
from jina.names import NAME_HINT, SAFE_NAME


def named_folders(origin: ExecutorDraft, spec: ExecutorSpec) -> Iterator[Problem]:
    """The name and the workspace in metas: both become folders."""
    name, workspace = spec.metas.get("name"), spec.metas.get("workspace")
    if isinstance(name, Unresolved):  # reported already
        return
    if isinstance(name, str) and name and not SAFE_NAME.fullmatch(name):
        tree, at = origin.place("metas", "name")
        yield tree.problem(
            at,
            "bad-name",
            f"{name!r} is not a valid folder name; reading `self.workspace` would fail",
            hint=NAME_HINT,
            severity="warning",
        )
    if isinstance(workspace, str) and workspace:
        tree, at = origin.place("metas", "workspace")
        yield from _unwritable(tree, at, workspace)


def node_folders(node: NodeConfig) -> Iterator[Problem]:
    """The workspace that a Flow gives to a node."""
    if node.origin is None or not node.origin.overlays or node.executor.metas.get("workspace"):
        return
    tree, at = node.origin.overlays[0]
    at = (*at, "workspace") if (*at, "workspace") in tree.values else ("with", "workspace")
    # The current folder, where none is named: an Executor that writes nothing never meets it.
    severity: Severity = "error" if at in tree.values else "warning"
    yield from _unwritable(tree, at, node.workspace, severity)


def shared_folders(nodes: Iterable[NodeConfig]) -> Iterator[Problem]:
    """Nodes of one name in one workspace: they write over each other's files."""
    first: dict[str, NodeConfig] = {}
    for node in nodes:
        spec = node.executor
        if node.origin is None or not node.origin.overlays or spec.jtype in ("", "BaseExecutor"):
            continue
        if "metas" in node.origin.uncertain:  # its name may be another one
            continue
        name = str(spec.metas.get("name") or spec.jtype.rpartition(":")[2])
        base = str(spec.metas.get("workspace") or node.workspace)
        folder = os.path.join(base, name)
        other = first.setdefault(folder, node)
        if other is node or other.origin is None:
            continue
        tree, at = node.origin.overlays[0]
        known_tree, known_at = other.origin.overlays[0]
        yield tree.problem(
            (*at, "uses"),
            "shared-folder",
            f"{other.name!r} and {node.name!r} have the same metas.name, {name!r}: they share the "
            f"folder {shown_file(folder)} and the parameters for that name",
            hint=f"give each its own name: `uses_metas: {{name: {node.name}}}`",
            severity="warning",
            notes=[known_tree.note((*known_at, "uses"), f"{other.name!r} is here")],
        )


def _unwritable(
    tree: Tree, at: DataPath, workspace: str, severity: Severity = "error"
) -> Iterator[Problem]:
    place = Path(workspace)
    while not exists(place) and place != place.parent:
        place = place.parent
    if not isdir(place):
        yield tree.problem(
            at,
            "workspace-not-writable",
            f"cannot create the workspace {workspace}: {shown_file(str(place))} is a file",
            severity=severity,
        )
    elif not os.access(place, os.W_OK | os.X_OK):
        yield tree.problem(
            at,
            "workspace-not-writable",
            f"cannot write to the workspace {workspace}: permission denied for {place}",
            severity=severity,
        )
