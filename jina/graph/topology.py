"""The graph of a Flow as data: who takes whose results, in which order.

It starts nothing. What can be wrong with names and needs is found by `jina.config.needs`, which a
YAML file's checker shares; here a wrong graph is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jina.config.needs import Fault, Node, faults
from jina.excepts import FlowTopologyError
from jina.names import GATEWAY

__all__ = [
    "GATEWAY",
    "Fault",
    "Node",
    "checked",
    "faults",
    "followers",
    "order",
    "terminals",
    "topology_error",
]

#: Codes of problems that are faults of names and needs; a name that cannot be is none of the graph.
_OF_TOPOLOGY = ("duplicate-name", "unknown-need", "duplicate-need", "self-need", "cycle")


def checked(nodes: Sequence[Node]) -> list[Node]:
    """The nodes, sound: names unique, needs known, no cycle.

    Raises:
        FlowTopologyError: names everything that is wrong, one thing a line.
    """
    found = faults(nodes)
    if found:
        raise FlowTopologyError(
            "\n".join(fault.message for fault in found),
            hint=found[0].hint if len(found) == 1 else "",
        )
    return list(nodes)


def topology_error(problems: Sequence[Any]) -> FlowTopologyError | None:
    """The error that tells of problems of YAML (`jina.config.problems.Problem`), if of the graph.

    Returns:
        None when there is any other problem among them.
    """
    if any(problem.code not in _OF_TOPOLOGY for problem in problems):
        return None
    return FlowTopologyError(
        "\n".join(problem.message for problem in problems),
        hint=problems[0].hint if len(problems) == 1 else "",
    )


def order(nodes: Sequence[Node]) -> list[str]:
    """Names so that every node stands behind all that it needs; else as they were given.

    Args:
        nodes: sound, see `checked`.
    """
    placed: dict[str, None] = {}
    waiting = list(nodes)
    while waiting:
        ready = next(
            n for n in waiting if all(need == GATEWAY or need in placed for need in n.needs)
        )
        placed[ready.name] = None
        waiting.remove(ready)
    return list(placed)


def followers(nodes: Sequence[Node]) -> dict[str, list[str]]:
    """Name (or "gateway") -> names of those that take its results, in the order of the nodes."""
    found: dict[str, list[str]] = {GATEWAY: []}
    for node in nodes:
        found.setdefault(node.name, [])
        for need in node.needs or (GATEWAY,):
            found.setdefault(need, []).append(node.name)
    return found


def terminals(nodes: Sequence[Node]) -> list[str]:
    """Names of those whose results nobody takes: they go back to the client."""
    taken = {need for node in nodes for need in node.needs}
    return [node.name for node in nodes if node.name not in taken]
