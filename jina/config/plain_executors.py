"""The usual Executor, read without models: loading and making those takes longer than all the rest.

Whatever is not plainly right is left to `executor_values.py`, which also says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jina.config.batching import Settings

_USUAL_KEYS = ("jtype", "with", "metas", "requests", "py_modules")
#: All keys of an Executor, as its model has them.
EXECUTOR_KEYS = (*_USUAL_KEYS, "dynamic_batching", "uses_dynamic_batching", "env")
#: The documented keys of metas.
META_KEYS = ("name", "description", "workspace", "py_modules")


class ExecutorValues(msgspec.Struct, frozen=True):
    """What the map of an Executor says; see `ExecutorDraft`, which has the same fields."""

    jtype: str | None
    with_: dict[str, Any]
    metas: dict[str, Any]
    requests: dict[str, str]
    batching: Settings
    env: dict[str, str]


def plain_values(data: Mapping[str, Any]) -> ExecutorValues | None:
    """The values of a map with the most usual keys, all right; None where a model has to look."""
    if not (data.keys() <= set(_USUAL_KEYS) and _is_text(data.get("jtype"))):
        return None
    given = [data.get(key) for key in ("with", "metas", "requests")]
    sections = [{} if each is None else each for each in given]
    if not all(isinstance(each, dict) and all(map(_is_text, each)) for each in sections):
        return None
    with_, metas, requests = sections
    known = [metas[key] for key in META_KEYS[:-1] if metas.get(key) is not None]
    if not all(map(_is_text, [*known, *requests.values()])):
        return None
    if not (_is_names(data.get("py_modules")) and _is_names(metas.get("py_modules"))):
        return None
    return ExecutorValues(data["jtype"], dict(with_), dict(metas), dict(requests), {}, {})


def _is_names(value: Any) -> bool:
    """A text, several, or none."""
    return value is None or all(map(_is_text, value if isinstance(value, list) else [value]))


def _is_text(value: Any) -> bool:
    """Text that no rule refuses: its variables are replaced, and it is Unicode for certain."""
    return type(value) is str and value.isascii()
