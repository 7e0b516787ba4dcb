"""The errors that `retries` names: in the modules that the Executor has imported."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator

from jina.config.drafts import ExecutorDraft
from jina.config.failures import UNKNOWN_ERROR
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree, path_text
from jina.executors import BaseExecutor
from jina.executors.user_errors import dotted_name


def check_retries(node: NodeConfig, guessed: Container[str]) -> tuple[list[Problem], list[str]]:
    """Names that no error can have, or that none has yet: a call would fail that was to be retried.

    Nothing is imported for it, so of other modules nothing is known.

    Args:
        node: of the Flow; its Executor is imported.
        guessed: places of names that are reported as unknown already.

    Returns:
        problems, and the places of names that errors do have.
    """
    known = _names_below(BaseException)
    problems: list[Problem] = []
    founded: list[str] = []
    for origin, tree, path, name in _retried(node):
        place = path_text(path)
        if "." in name:
            problems += _dotted(tree, path, *name.rsplit(".", 1))
        elif name in known:
            founded.append(place)
        elif place not in guessed and "modules" not in origin.uncertain:
            problems += _plain(tree, path, name)
    return problems, founded


def _retried(node: NodeConfig) -> Iterator[tuple[ExecutorDraft, Tree, DataPath, str]]:
    """Each name: of which Executor, and where it is written."""
    if node.origin is None or not node.origin.overlays:
        return
    tree, at = node.origin.overlays[0]
    on = (*at, "retries", "on")
    for n, name in enumerate(node.failures.on):
        path = (*on, n) if (*on, n) in tree.values else on
        yield node.origin, tree, path, name


def _plain(tree: Tree, path: DataPath, name: str) -> Iterator[Problem]:
    if name in _names_below(BaseExecutor) | {BaseExecutor.__name__, "Executor"}:
        message = f"{name} is an Executor, not a class of exceptions"
        yield tree.problem(path, UNKNOWN_ERROR, message, hint="list the exceptions that it raises")
        return
    yield tree.problem(
        path,
        UNKNOWN_ERROR,
        f"no exception {name!r} among the built-in ones and those of the modules "
        "imported so far; calls are retried only if it is defined later",
        severity="warning",
    )


def _dotted(tree: Tree, path: DataPath, module: str, short: str) -> Iterator[Problem]:
    if module not in sys.modules:
        return
    name = f"{module}.{short}"
    real = _real_name(module, short)
    if not real:
        message = f"the module {module} has no exception {short!r}"
        yield tree.problem(path, UNKNOWN_ERROR, message)
    elif real != name and not real.endswith(f".{name}"):
        message = f"{name} is an alias of {real}, and only the real name matches"
        yield tree.problem(path, UNKNOWN_ERROR, message, hint=f"write `{real}`")


def _names_below(cls: type) -> set[str]:
    """The names of a class and of all below it in this process."""
    found: set[type] = {cls}
    queue = [cls]
    while queue:
        new: set[type] = set(type.__subclasses__(queue.pop())) - found
        found |= new
        queue += new
    return {each.__name__ for each in found}


def _real_name(module: str, name: str) -> str:
    """The dotted name of an exception in a module; "" if there is none."""
    try:
        found = getattr(sys.modules[module], name, None)
    except Exception:  # the module's own __getattr__
        return ""
    if isinstance(found, type) and issubclass(found, BaseException):
        return dotted_name(found)
    return ""
