"""Read signatures: which arguments a method receives, and whether `with` fits a constructor.

The worker asks before it constructs an Executor, and `check` before anything runs. Nothing is
called here.
"""

from __future__ import annotations

import contextlib
import inspect
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from jina.suggest import nearest

#: What a method of an endpoint may receive, in the documented order: common usage first.
ARGUMENTS = ("docs", "parameters", "docs_matrix", "groundtruths", "groundtruths_matrix")
#: What the constructor receives besides `with`.
INJECTED = ("metas", "requests", "runtime_args")

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

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


@lru_cache(maxsize=1024)
def accepted_arguments(function: Callable[..., Any]) -> frozenset[str]:
    """The names among `ARGUMENTS` that a method takes.

    Args:
        function: a plain function or a bound method. One that hands `**kwargs` on to a function it
            wraps (`functools.wraps`) takes what the wrapped function takes.
    """
    names: set[str] = set()
    current: Any = function
    while current is not None:
        parameters = _own_parameters(current)
        names.update(p.name for p in parameters if p.kind in _BY_NAME and p.name in ARGUMENTS)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return frozenset(names)
        current = getattr(current, "__wrapped__", None)
    return frozenset(ARGUMENTS)


def unfillable(function: Callable[..., Any], *, is_bound: bool = False) -> list[str]:
    """The required parameters that no endpoint call can fill, in order.

    Args:
        function: the function as written in the class.
        is_bound: False when the first parameter is the instance.

    Returns:
        names of parameters without a default that are none of `ARGUMENTS`, positional-only ones
        included.
    """
    parameters = _own_parameters(function)
    if not is_bound and parameters and parameters[0].name not in ARGUMENTS:
        parameters = parameters[1:]
    return [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and (p.name not in ARGUMENTS or p.kind is p.POSITIONAL_ONLY)
    ]


def takes_any(function: Callable[..., Any]) -> bool:
    """Whether the function itself has `**kwargs`."""
    return any(p.kind is p.VAR_KEYWORD for p in _own_parameters(function))


def lacks_instance(function: Callable[..., Any]) -> bool:
    """Whether a function in a class has no parameter for `self`, so that no call of it can work.

    Args:
        function: the plain function of an ordinary or a class method.
    """
    for p in _own_parameters(function):
        if p.kind is p.VAR_POSITIONAL:
            return False
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            return p.name in ARGUMENTS
    return True


def _own_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of the function itself, not of what it wraps.

    A wrapper made in C (`functools.lru_cache`) has those of the function it wraps. A callable
    without a signature is assumed to take everything.
    """
    for follow_wrapped in (False, True):
        try:
            signature = inspect.signature(function, follow_wrapped=follow_wrapped)
        except (TypeError, ValueError):
            continue
        return list(signature.parameters.values())
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [inspect.Parameter(kind.name.lower(), kind) for kind in kinds]


class Misfit(NamedTuple):
    """One reason why `with` does not fit a constructor.

    Args:
        kind: "missing" (a required parameter that `with` lacks), "unknown" (a key that no parameter
            takes; the call would fail) or "swallowed" (a key that only `**kwargs` takes).
        name: the parameter or key.
        near: the parameter that may have been meant, or empty.
    """

    kind: str
    name: str
    near: str


def constructor_parameters(cls: type) -> dict[str, inspect.Parameter]:
    """The constructor's parameters that `with` may fill, by name."""
    found = list(_signature(cls).parameters.values())[1:]
    return {p.name: p for p in found if p.kind in _BY_NAME and p.name not in INJECTED}


def injected(cls: type) -> tuple[str, ...]:
    """Which of `INJECTED` the constructor accepts."""
    found = _signature(cls).parameters
    return INJECTED if _has_kwargs(found) else tuple(name for name in INJECTED if name in found)


def misfits(cls: type, with_: Mapping[str, Any]) -> list[Misfit]:
    """What is missing, unknown or swallowed, in that order."""
    known = constructor_parameters(cls)
    missing = [
        Misfit("missing", p.name, "")
        for p in known.values()
        if p.default is p.empty and p.name not in with_
    ]
    if not _has_kwargs(_signature(cls).parameters):
        return missing + [
            Misfit("unknown", key, nearest(key, known)) for key in with_ if key not in known
        ]
    taken = _taken_from_kwargs(cls)
    return missing + [
        Misfit("swallowed", key, nearest(key, [*known, *taken]))
        for key in with_
        if key not in known and key not in taken
    ]


def _taken_from_kwargs(cls: type) -> set[str]:
    """What a constructor may take out of its `**kwargs`: by name, or by a class above it."""
    found: set[str] = set()
    for base in cls.__mro__:
        function = inspect.unwrap(vars(base).get("__init__", _nothing))
        code = getattr(function, "__code__", None)
        if function is _nothing or code is None:
            continue
        if base is not cls:
            found.update(constructor_parameters(base))
        if not code.co_flags & inspect.CO_VARKEYWORDS:
            break
        # `kwargs.pop("size", 1)` has the name among its constants.
        found.update(
            each for each in code.co_consts if isinstance(each, str) and each.isidentifier()
        )
    return found


def _nothing() -> None:
    pass


def _has_kwargs(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _signature(cls: type) -> inspect.Signature:
    # Of __init__ alone: the __new__ of the base class takes anything. By getattr, since mypy finds
    # `cls.__init__` unsound; here nothing is called.
    return inspect.signature(getattr(cls, "__init__"))  # noqa: B009


class Mistyped(NamedTuple):
    """A constructor argument whose type is not the annotated one.

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
    hints = _hints(getattr(cls, "__init__"))  # noqa: B009 - see _signature
    return [
        Mistyped(name, with_[name], expected(hints[name]))
        for name, parameter in constructor_parameters(cls).items()
        if name in with_
        and name in hints
        and not _is_default(with_[name], parameter)
        and not fits(with_[name], hints[name])
    ]


def _is_default(value: Any, parameter: inspect.Parameter) -> bool:
    default = parameter.default
    return default is value or (default is not parameter.empty and bool(value == default))


def _hints(function: Any) -> dict[str, Any]:
    """The annotations that can be resolved: one may name something only type checkers see."""
    found: dict[str, Any] = {}
    names = getattr(inspect.unwrap(function), "__globals__", {})
    for name, hint in getattr(function, "__annotations__", {}).items():
        alone = types.SimpleNamespace(__annotations__={name: hint})
        # What an annotation raises when it is resolved is up to the user's code.
        with contextlib.suppress(Exception):
            found |= get_type_hints(alone, names)
    return found


def fits(value: Any, hint: Any) -> bool:
    """Whether a value from YAML is what an annotation says.

    Only what YAML can express is judged: text, numbers, booleans, lists, maps. Any other annotation
    fits everything.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    plain = origin or hint
    if plain in (int, float) and isinstance(value, bool):
        return False
    if plain is float:
        return isinstance(value, int | float)
    if plain in (bool, int, str, type(None)):
        return isinstance(value, plain)
    name = getattr(plain, "__name__", "")
    if name in _LISTS:
        return isinstance(value, list | tuple) and (
            len(parts) != 1 or all(fits(item, parts[0]) for item in value)
        )
    return isinstance(value, dict) if name in _MAPS else True


def expected(hint: Any) -> str:
    """An annotation in words."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        words = [expected(part) for part in parts if part is not type(None)]
        return " or ".join(dict.fromkeys(words))
    if origin is Literal:
        return " or ".join(map(repr, parts))
    plain = origin or hint
    name = getattr(plain, "__name__", str(plain))
    if name in _LISTS:
        return f"a list of {_plural(parts[0])}" if len(parts) == 1 else "a list"
    if name in _MAPS:
        return "a map"
    return _NAMES.get(plain, name)


def _plural(hint: Any) -> str:
    """What a list consists of, in words."""
    plurals = {str: "texts", int: "whole numbers", float: "numbers", bool: "booleans"}
    return plurals.get(hint, expected(hint))
