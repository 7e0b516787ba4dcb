"""What of an Executor cannot run on another machine, or runs there otherwise than here.

It is looked at without the cluster: what must be sent along, and the files that an Executor keeps.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.excepts import FlowError
from jina.graph.plan import WorkerSpec
from jina.launch.bundle import Bundle, bundle_of

_WRITES = re.compile(rb"\bself\s*\.\s*(workspace|get_file_from_workspace)\b")
_SHARED = (
    "name a `workspace` on a file system that all nodes share, or keep the executor on one node: "
    '`ray: {resources: {"node:ADDRESS": 0.01}}`'
)


def placing_findings(nodes: Iterable[NodeConfig], project: Path | None = None) -> Iterator[Problem]:
    """What is wrong or suspicious about nodes that are placed on a cluster.

    Args:
        nodes: those that are.
        project: folder that everything which is sent along must be in; None for that of the Flow's
            YAML.
    """
    for node in nodes:
        yield from _of_node(node, project or Path(node.mark[0] or ".").resolve().parent)


def bundle_of_node(node: NodeConfig, project: Path) -> Bundle:
    """What is sent along with an Executor.

    Raises:
        FlowError: a module is outside the project, or there is too much.
    """
    args = {"workspace": node.workspace} if names_workspace(node) else {}
    spec = WorkerSpec(node=node.name, replica=0, executor=node.executor, runtime_args=args)
    return bundle_of(spec, project)


def names_workspace(node: NodeConfig) -> bool:
    """Whether somebody has chosen the folder for its files."""
    if "workspace" in node.marks or node.executor.metas.get("workspace"):
        return True
    overlays = [] if node.origin is None else node.origin.overlays
    return any(("with", "workspace") in tree.values for tree, _ in overlays)


def _of_node(node: NodeConfig, project: Path) -> Iterator[Problem]:
    if node.python:
        yield _problem(
            node,
            "python" if "python" in node.marks else "venv",
            "interpreter-here",
            f"{node.name!r} runs with an interpreter of this machine, {node.python}",
            "leave it out, and install what the executor needs on the nodes of the cluster",
        )
    if node.container is not None:
        yield _problem(
            node,
            "uses",
            "container-here",
            f"{node.name!r} runs in a container, which Ray does not start",
            "use its YAML or class instead of `docker://`, or serve it yourself: `external: true`",
        )
        return
    if node.executor.live:
        yield _problem(
            node,
            "uses",
            "live-class",
            f"{node.executor.jtype} is a class of the running program, and cannot be sent along",
            "write it into a module, and name that in `py_modules`",
        )
        return
    try:
        bundle = bundle_of_node(node, project)
    except FlowError as error:
        key = "py_modules" if "py_modules" in node.marks else "uses"
        yield _problem(node, key, "not-sent", error.what, error.hint)
        return
    for link in bundle.left_out:
        yield _warning(
            node,
            "uses",
            "left-out",
            f"{link} is not sent along: it leads to {os.path.realpath(link)}",
            "copy the file there, if the executor needs it",
        )
    yield from _of_files(node, bundle)


def _of_files(node: NodeConfig, bundle: Bundle) -> Iterator[Problem]:
    """What becomes of the files that an Executor keeps."""
    if node.ray is not None and node.ray.resources:
        return  # it runs where somebody wants it
    if names_workspace(node):
        folder = str(node.executor.metas.get("workspace") or node.workspace)
        count = sum(len(files) for _, _, files in os.walk(folder))
        has = f"{folder} has {count:,} file{'' if count == 1 else 's'} here; " if count else ""
        yield _warning(
            node,
            "workspace",
            "workspace-here" if count else "workspace-moves",
            f"{has}each node of the cluster has a {folder} of its own, and a replica that is "
            "placed again may be on another one",
            _SHARED,
        )
    elif any(
        file.name.endswith(".py") and _WRITES.search(file.source.read_bytes())
        for file in bundle.files
    ):
        yield _warning(
            node,
            "uses",
            "workspace-lost",
            f"{node.name!r} uses its workspace, which ends with its actor",
            _SHARED,
        )


def _warning(node: NodeConfig, key: str, code: str, message: str, hint: str) -> Problem:
    return replace(_problem(node, key, code, message, hint), severity="warning")


def _problem(node: NodeConfig, key: str, code: str, message: str, hint: str) -> Problem:
    """A problem at a key of a node's entry, or at the entry if it does not have that."""
    if node.origin is None or not node.origin.overlays:
        return Problem(code, message, path=f"{node.name}.{key}", hint=hint)
    tree, at = node.origin.overlays[0]
    return tree.problem((*at, key), code, message, hint=hint)
