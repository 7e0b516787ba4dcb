"""Whether a value from YAML fits a parameter's annotation.

Only what YAML can say is judged: text, numbers, booleans, lists, maps. An annotation that it does
not know fits anything.
"""

from __future__ import annotations

import contextlib
import inspect
import types
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from jina.executors.signature import parameters

_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
    type(None): "nothing",
}
_LISTS = ("list", "tuple", "set", "frozenset", "Sequence", "Iterable", "Collection", "List", "Set")
_MAPS = ("dict", "Mapping", "MutableMapping", "Dict")


class Mistyped(NamedTuple):
    """A constructor argument of another type than its annotation.

    Args:
        name: of the parameter.
        value: what `with` gives.
        expected: in words.
    """

    name: str
    value: Any
    expected: str


def mistyped(cls: type, with_: dict[str, Any]) -> list[Mistyped]:
    """The arguments in `with` that do not fit the annotations of a constructor."""
    hints = _hints(getattr(cls, "__init__"))  # noqa: B009 - as in constructor.py
    found = []
    for name, parameter in parameters(cls).items():
        if name not in with_ or name not in hints:
            continue
        value = with_[name]
        if parameter.default is value or (value is None and parameter.default is None):
            continue
        if parameter.default is not inspect.Parameter.empty and value == parameter.default:
            continue
        if not fits(value, hints[name]):
            found.append(Mistyped(name, value, expected(hints[name])))
    return found


def _hints(function: Any) -> dict[str, Any]:
    """The annotations that can be resolved; one may name what exists only for type checkers."""
    found: dict[str, Any] = {}
    names = getattr(inspect.unwrap(function), "__globals__", {})
    for name, hint in getattr(function, "__annotations__", {}).items():
        alone = types.SimpleNamespace(__annotations__={name: hint})
        # What an annotation raises when it is resolved is up to the user's code.
        with contextlib.suppress(Exception):
            found |= get_type_hints(alone, names)
    return found


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says, as far as YAML values go."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    plain = origin or hint
    if plain is bool:
        return isinstance(value, bool)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if plain is str:
        return isinstance(value, str)
    if plain is type(None):
        return value is None
    name = getattr(plain, "__name__", "")
    if name in _LISTS:
        items = get_args(hint)
        return isinstance(value, list | tuple) and (
            len(items) != 1 or all(fits(item, items[0]) for item in value)
        )
    if name in _MAPS:
        return isinstance(value, dict)
    return True


def expected(hint: Any) -> str:
    """An annotation in words."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        parts = [part for part in get_args(hint) if part is not type(None)]
        return " or ".join(dict.fromkeys(expected(part) for part in parts))
    if origin is Literal:
        return " or ".join(repr(value) for value in get_args(hint))
    plain = origin or hint
    name = getattr(plain, "__name__", str(plain))
    if name in _LISTS:
        items = get_args(hint)
        return f"a list of {name_of_items(items[0])}" if len(items) == 1 else "a list"
    if name in _MAPS:
        return "a map"
    return _NAMES.get(plain, name)


def name_of_items(hint: Any) -> str:
    """What the items of a list are, in the plural."""
    plurals = {str: "texts", int: "whole numbers", float: "numbers", bool: "booleans"}
    return plurals.get(hint, expected(hint))
