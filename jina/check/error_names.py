"""The errors that `retries` names: in the modules that the Executor has imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from jina.check.report import Report
from jina.config.drafts import ExecutorDraft
from jina.config.failures import UNKNOWN_ERROR
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree, path_text
from jina.executors import BaseExecutor
from jina.executors.user_errors import dotted_name


def check_retries(report: Report, nodes: Sequence[NodeConfig]) -> None:
    """Names that no error can have, or that none has yet: a call would fail that was to be retried.

    Nothing is imported for it, so of other modules nothing is known.

    Args:
        report: problems are added to it, and guesses about names taken out that errors do have.
        nodes: of the Flow; their Executors are imported.
    """
    guessed = {problem.path for problem in report.problems if problem.code == UNKNOWN_ERROR}
    known = _names_below(BaseException)
    unfounded: set[str] = set()
    for node, tree, path, name in _retried(nodes):
        place = path_text(path)
        if "." in name:
            report.problems += _dotted(tree, path, *name.rsplit(".", 1))
        elif name in known:
            unfounded.add(place)
        elif place not in guessed and "modules" not in node.uncertain:
            report.problems += _plain(tree, path, name)
    report.problems = [
        problem
        for problem in report.problems
        if problem.code != UNKNOWN_ERROR or problem.path not in unfounded
    ]


def _retried(
    nodes: Sequence[NodeConfig],
) -> Iterator[tuple[ExecutorDraft, Tree, DataPath, str]]:
    """Each name: of which Executor, and where it is written."""
    for node in nodes:
        if node.origin is None or not node.origin.overlays:
            continue
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
