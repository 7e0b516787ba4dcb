"""The executors of a Flow that only look on: `method: inspect`, and `gather_inspect`, their join.

The executors after one take its input, so each need is written out before anything else
is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jina.config.nodes import NodeConfig
from jina.names import GATEWAY

INSPECT = "inspect"
GATHER = "gather_inspect"


def with_needs(entries: Sequence[Any]) -> list[Any]:
    """The entries of a Flow, with the needs that follow from those that look on."""
    found: list[Any] = []
    watching: list[str] = []
    last = GATEWAY
    for n, entry in enumerate(entries):
        given: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        method, name = given.get("method"), given.get("name")
        is_near = bool(watching) or method == INSPECT
        if is_near and not given.get("needs") and (given or entry is None):
            entry = {**given, "needs": [*watching, last] if method == GATHER else [last]}
        name = name if isinstance(name, str) else f"executor{n}"
        if method == INSPECT:
            watching.append(name)
        else:
            last = name
        found.append(entry)
    return found


def without(nodes: Sequence[NodeConfig]) -> list[NodeConfig]:
    """The nodes without inspecting ones; nodes that need one get its input instead."""
    gone = {node.name: node.needs or [] for node in nodes if node.method == INSPECT}
    return [_freed(node, gone) for node in nodes if node.name not in gone]


def _freed(node: NodeConfig, gone: Mapping[str, Sequence[str]]) -> NodeConfig:
    needs = [need for need in node.needs or () if need not in gone]
    if node.method != GATHER or not needs:
        needs = _through(node.needs or (), gone)
    return replace(node, needs=list(dict.fromkeys(needs)) or None)


def _through(needs: Sequence[str], gone: Mapping[str, Sequence[str]]) -> list[str]:
    """Needs with whatever is gone replaced by what that needs."""
    found: list[str] = []
    for need in needs:
        found += _through(gone[need], gone) if need in gone else [need]
    return found
