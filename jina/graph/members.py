"""Members of a Flow: how its nodes are found, and what is said of arguments that do nothing."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence

from jina.config.problems import Problem
from jina.graph.plan import PlannedNode
from jina.suggest import nearest


def tell_ignored(problems: Sequence[Problem]) -> None:
    """Warn of arguments, and keys of YAML, that have no meaning here: each once.

    Args:
        problems: the warnings of a load.
    """
    said = [
        f"{problem.place}: {problem.message}" if problem.place else problem.message
        for problem in problems
        if problem.code == "ignored-key"
    ]
    if said:
        warn_caller("; ".join(dict.fromkeys(said)))


def warn_caller(text: str) -> None:
    """Warn at the line of the program that called us."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "jina":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def node_of(nodes: Sequence[PlannedNode], item: object) -> PlannedNode:
    """A node by its name or number.

    Raises:
        IndexError: there are fewer nodes.
        KeyError: none has this name.
        TypeError: the item is neither.
    """
    if isinstance(item, int):
        return nodes[item]
    if not isinstance(item, str):
        raise TypeError(f"look up an executor by name or number, not by {type(item).__name__}")
    for node in nodes:
        if node.name == item:
            return node
    near = nearest(item, [node.name for node in nodes])
    hint = f"; did you mean {near!r}?" if near else ""
    raise KeyError(f"{item!r} is not an executor in this Flow{hint}")


def free_name(name: str, nodes: Sequence[PlannedNode]) -> str:
    """The name, or it with the first number that makes it one that no node has."""
    taken = {node.name for node in nodes}
    free = (f"{name}{number or ''}" for number in range(len(taken) + 1))
    return next(each for each in free if each not in taken)
