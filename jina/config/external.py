"""`external: true`: an executor of a Flow that is served from other machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree

_ADDRESS = ("host", "hosts", "port", "port_in", "ports")  # of Jina 2 and 3
_OURS = ("uses", "uses_with", "uses_metas", "uses_requests", "py_modules", "python", "venv")
_SERVE = "jina executor serve my.yml --name {} --gateway tcp://HOST:PORT"


def external_notes(tree: Tree, at: DataPath, entry: dict[str, Any]) -> Iterator[Problem]:
    """What is said about an entry that is external; what has no meaning there is taken out.

    Args:
        tree: where it is written.
        at: its path.
        entry: its keys.
    """
    if entry.get("external") is not True:
        return
    serve = _SERVE.format(entry.get("name") or "NAME")
    for key in _ADDRESS:
        if key in entry:
            del entry[key]
            yield tree.problem(
                (*at, key),
                "external-address",
                f"`{key}` has no effect: the Executor connects to the Flow, not the Flow to it",
                severity="warning",
                at="key",
                hint=f"on the other machine: {serve}; repeat --gateway for each Flow that uses it",
            )
    for key in _OURS:
        if key in entry:
            del entry[key]
            yield tree.problem(
                (*at, key),
                "external-uses",
                f"`{key}` has no effect on an external executor",
                severity="warning",
                at="key",
                hint=f"write it in the YAML that is served: {serve}",
            )
