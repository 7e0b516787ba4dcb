"""Variables of an Executor's YAML that are set while this interpreter runs already."""

from __future__ import annotations

import builtins
import os
import re
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

_WARNINGS = "PYTHONWARNINGS"


def set_variables(env: Mapping[str, str]) -> None:
    """Set environment variables as if this interpreter had been started with them.

    Libraries read theirs when they are imported; Python has read PYTHONWARNINGS at its start, so
    its filters are added here.

    Args:
        env: name -> value.
    """
    os.environ.update(env)
    for filter in filter_parts(env.get(_WARNINGS, "")):
        _add(*filter)


def filter_parts(value: str) -> list[list[str]]:
    """The parts of each filter of a PYTHONWARNINGS: action, message, category, module and line."""
    return [
        [*(part.strip() for part in each.split(":")), "", "", "", ""][:5]
        for each in value.split(",")
        if each.strip() and each.count(":") <= 4
    ]


def _add(action: str, message: str, category: str, module: str, line: str) -> None:
    """Add one filter; as in Python, one that cannot be understood is told and ignored."""
    try:
        warnings.filterwarnings(
            _action(action),
            re.escape(message),
            _category(category),
            re.escape(module) + r"\Z" if module else "",
            int(line or 0),
        )
    except (AssertionError, ValueError, AttributeError, ImportError, TypeError) as error:
        print(f"Invalid {_WARNINGS} ignored: {error}", file=sys.stderr)


def _action(word: str) -> Any:
    actions = ("default", "always", "ignore", "module", "once", "error")
    found = [action for action in actions if word and action.startswith(word)]
    if not found:
        raise ValueError(f"invalid action: {word!r}")
    return found[0]


def _category(name: str) -> type[Warning]:
    home, _, word = (name or "Warning").rpartition(".")
    found = getattr(import_module(home) if home else builtins, word)
    if not (isinstance(found, type) and issubclass(found, Warning)):
        raise ValueError(f"invalid category: {name!r}")
    return found
