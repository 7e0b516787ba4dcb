"""A map in a YAML file that is neither a Flow nor an Executor, such as the parameters of a post."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jina.config.load_state import LoadState
from jina.config.problems import Problem, result_or_raise
from jina.config.scalars import kind
from jina.config.source import read_file


def load_map(path: Path, *, what: str) -> dict[str, Any]:
    """Read a map; its variables are replaced as in other YAML.

    Args:
        path: of a file of YAML or JSON.
        what: the map is, for messages.

    Raises:
        BadConfigSource: there is no such file, or it cannot be read.
        ConfigError: with everything that is wrong, each thing at its place.
    """
    opened = read_file(str(path), what=what)
    if isinstance(opened, Problem):
        return result_or_raise(None, [opened])
    state = LoadState()
    tree = state.tree(opened)
    if not isinstance(tree.data, dict) and not state.problems:
        message = f"expected a map of {what}, got {kind(tree.data)}"
        state.problems.append(tree.problem((), "wrong-type", message))
    data = tree.data if isinstance(tree.data, dict) else None
    return result_or_raise(data, state.problems)
