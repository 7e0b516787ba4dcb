"""The errors that `retries` names: in the modules that the Executor has imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from jina.check.report import Report
from jina.config.failures import UNKNOWN_ERROR
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree, path_text
from jina.executors import BaseExecutor
from jina.executors.user_errors import dotted_name


def check_retries(report: Report, node: NodeConfig) -> None:
    """Names that no error can have, or that none has yet: a call would fail that was to be retried.

    Nothing is imported for it, so of other modules nothing is known.

    Args:
        report: problems are added to it, and guesses about names taken out that errors do have.
        node: of the Flow; its Executor is imported.
    """
    if node.origin is None or not node.origin.overlays or not node.failures.on:
        return
    guessed = {problem.path for problem in report.problems if problem.code == UNKNOWN_ERROR}
    known = _names_below(BaseException)
    tree, at = node.origin.overlays[0]
    for n, name in enumerate(node.failures.on):
        path = (*at, "retries", "on")
        path = (*path, n) if (*path, n) in tree.values else path
        module, dot, short = name.rpartition(".")
        if dot:
            report.problems += _dotted(tree, path, module, short)
        elif name in known:
            if path_text(path) in guessed:
                report.problems = [p for p in report.problems if not _is_at(p, path)]
        elif path_text(path) not in guessed and "modules" not in node.origin.uncertain:
            report.problems += _plain(tree, path, name)


def _is_at(problem: Problem, path: DataPath) -> bool:
    return problem.code == UNKNOWN_ERROR and problem.path == path_text(path)


def _plain(tree: Tree, path: DataPath, name: str) -> Iterator[Problem]:
    if name in _names_below(BaseExecutor) | {BaseExecutor.__name__, "Executor"}:
        message = f"{name} is an Executor, not a class of exceptions"
        yield tree.problem(path, UNKNOWN_ERROR, message, hint="name the errors that it raises")
        return
    yield tree.problem(
        path,
        UNKNOWN_ERROR,
        f"no exception is called {name!r}, neither a built-in one nor one of the modules that are "
        "imported now; nothing is tried again unless one is defined later",
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
        message = f"{name} is another name of {real}, and errors are known by that one alone"
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
