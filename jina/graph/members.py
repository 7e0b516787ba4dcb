"""Members of a Flow: how its nodes are found, and those of Jina 2 that do nothing here."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from jina.config.problems import Problem
from jina.graph.plan import PlannedNode
from jina.suggest import nearest

BY_ADDRESS = "clients connect to `address`; `jina flow up --port` listens on TCP"
_UNHEARD = ("host", "port", "port_expose", "protocol")


class NotHere:
    """A member of Jina 2's Flow that this one lacks: using it and setting it are errors.

    Args:
        instead: what to do instead.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: object, owner: type) -> NoReturn:
        raise AttributeError(f"a Flow has no `{self._name}` here; {self._instead}")

    def __set__(self, flow: object, value: object) -> NoReturn:
        self.__get__(flow, type(flow))


class Said:
    """A member of Jina 2's Flow that is kept as it was said, and does nothing yet."""

    def __init__(self) -> None:
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, flow: Any, owner: type) -> Any:
        value = None if flow is None else flow._description.said.get(self._name)
        if value is None:
            raise AttributeError(f"a Flow has no `{self._name}` of its own; {BY_ADDRESS}")
        return value

    def __set__(self, flow: Any, value: object) -> None:
        flow._description = flow._description.with_option(self._name, value)
        tell_unheard({self._name: value})


def tell_unheard(said: Mapping[str, Any]) -> None:
    """Warn of what was said of HTTP and of ports: it does nothing yet."""
    listed = [f"{key}={said[key]!r}" for key in _UNHEARD if said.get(key) is not None]
    if listed:
        _warn(f"{', '.join(listed)}: accepted, but nothing listens there yet; {BY_ADDRESS}")


def tell_ignored(given: Mapping[str, Any], problems: Sequence[Problem]) -> None:
    """Warn of arguments, and keys of YAML, that have no meaning here: each once.

    Args:
        given: the keys of `with`.
        problems: the warnings of a load.
    """
    tell_unheard(given)
    said = [
        f"{problem.place}: {problem.message}" if problem.place else problem.message
        for problem in problems
        if problem.code == "ignored-key"
        and problem.path.removeprefix("with.") not in _UNHEARD  # `tell_unheard` tells of these
    ]
    if said:
        _warn("; ".join(dict.fromkeys(said)))


def _warn(text: str) -> None:
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
