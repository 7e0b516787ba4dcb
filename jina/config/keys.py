"""What is said about a key that a map of YAML may not have."""

from __future__ import annotations

from collections.abc import Iterable

from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.suggest import near_name


def unknown_key(tree: Tree, path: DataPath, known: Iterable[str], thing: str) -> Problem:
    """The problem of an unknown key; the hint is the near key or all keys."""
    key = str(path[-1])
    names = sorted(known)
    close = near_key(key, names)
    hint = f"did you mean `{close}`?" if close else f"the keys are: {', '.join(names)}"
    name = f"`{key}`" if key else "the empty text"
    return tree.problem(path, "unknown-key", f"{name} is not a key of {thing}", at="key", hint=hint)


def near_key(key: str, known: Iterable[str]) -> str:
    """The known key that an unknown one may mean; empty when there is none."""
    # A dash for an underscore, a plural or a letter more are what people type.
    return near_name(key.replace("-", "_").lower(), sorted(known))
