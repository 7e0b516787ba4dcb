"""The errors that `retries` names: in the modules that the Executor has imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.executors.user_errors import dotted_name


def retried_errors(node: NodeConfig) -> Iterator[Problem]:
    """Dotted names that no error can have: a call would fail that was to be tried again.

    Nothing is imported for it, so of other modules nothing is known.
    """
    if node.origin is None or not node.origin.overlays:
        return
    tree, at = node.origin.overlays[0]
    for n, name in enumerate(node.failures.on):
        module, dot, short = name.rpartition(".")
        if not dot or module not in sys.modules:
            continue
        path = (*at, "retries", "on")
        path = (*path, n) if (*path, n) in tree.values else path
        real = _real_name(module, short)
        if not real:
            message = f"the module {module} has no exception {short!r}"
            yield tree.problem(path, "unknown-error", message)
        elif real != name and not real.endswith(f".{name}"):
            message = f"{name} is another name of {real}, and errors are known by that one alone"
            yield tree.problem(path, "unknown-error", message, hint=f"write `{real}`")


def _real_name(module: str, name: str) -> str:
    """The dotted name of an exception in a module; "" if there is none."""
    try:
        found = getattr(sys.modules[module], name, None)
    except Exception:  # the module's own __getattr__
        return ""
    if isinstance(found, type) and issubclass(found, BaseException):
        return dotted_name(found)
    return ""
