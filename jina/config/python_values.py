"""Values that only Python has, as YAML would have them: paths, tuples, sets, enumerations, classes.

Published programs name words by the enumerations of Jina 2, such as `PollingType.ALL`.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from typing import Any

from jina.executors.user_errors import dotted_name

OPTIONS = ("inspect", "on_error", "on_error_strategy", "protocol")
"""Keys of a Flow's `with` that are words."""

_ENTRY = ("method", "polling", "on_error", "on_error_strategy")  # the same in an entry


def make_words(given: dict[str, Any], keys: Iterable[str] = OPTIONS) -> None:
    """Turn members of enumerations into their names, where a word is expected.

    Args:
        given: the map, which is changed.
        keys: those whose values are words, or maps to words.
    """
    for key in keys:
        value = given.get(key)
        if isinstance(value, Mapping):
            given[key] = {name: _word(item) for name, item in value.items()}
        elif isinstance(value, enum.Enum):
            given[key] = _word(value)


def make_yaml_like(entry: dict[str, Any]) -> None:
    """Turn what only Python has into what YAML has, in an entry of `executors`."""
    make_words(entry, _ENTRY)
    uses, needs, retries = entry.get("uses"), entry.get("needs"), entry.get("retries")
    if isinstance(uses, os.PathLike):
        entry["uses"] = os.fspath(uses)
    if isinstance(needs, set | frozenset):
        # Nobody chose the order of a set, but it should be the same each time.
        entry["needs"] = sorted(needs, key=str)
    elif isinstance(needs, tuple):
        entry["needs"] = list(needs)
    if isinstance(retries, Mapping) and "on" in retries:
        entry["retries"] = {**retries, "on": _named_errors(retries["on"])}


def error_name(cls: type) -> str:
    """How `retries` names a class of errors.

    One of the program, or of a function, has no module that is called so everywhere: it is known by
    its name alone.
    """
    is_alone = cls.__module__ == "__main__" or "<locals>" in cls.__qualname__
    return cls.__name__ if is_alone else dotted_name(cls)


def _word(value: Any) -> Any:
    # A member that is a text itself means that text.
    return value.name if isinstance(value, enum.Enum) and not isinstance(value, str) else value


def _named_errors(on: Any) -> Any:
    if isinstance(on, type):
        return error_name(on)
    if not isinstance(on, list | tuple):
        return on
    return [error_name(item) if isinstance(item, type) else item for item in on]
