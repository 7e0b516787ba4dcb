"""Which of the five arguments an endpoint's method receives.

A method receives the arguments that it names. This file reads signatures; it calls nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

#: In the documented order: common usage first.
ARGUMENTS = ("docs", "parameters", "docs_matrix", "groundtruths", "groundtruths_matrix")


@lru_cache(maxsize=1024)
def wanted(function: Callable[..., Any]) -> frozenset[str]:
    """The names among `ARGUMENTS` that a method takes.

    Args:
        function: a plain function or a bound method. One that hands `**kwargs` on to a function it
            wraps (`functools.wraps`) takes what the wrapped function takes.
    """
    names: set[str] = set()
    current: Any = function
    while True:
        parameters = _parameters(current)
        names.update(
            p.name
            for p in parameters
            if p.name in ARGUMENTS and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        )
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return frozenset(names)
        current = getattr(current, "__wrapped__", None)
        if current is None:
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
    found = []
    parameters = _parameters(function)
    if not is_bound and parameters and parameters[0].name not in ARGUMENTS:
        parameters = parameters[1:]
    for p in parameters:
        if p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.name not in ARGUMENTS or p.kind is p.POSITIONAL_ONLY:
            found.append(p.name)
    return found


def takes_any(function: Callable[..., Any]) -> bool:
    """Whether the function itself has `**kwargs`."""
    return any(p.kind is p.VAR_KEYWORD for p in _parameters(function))


def lacks_instance(function: Callable[..., Any]) -> bool:
    """Whether a function of a class body has no place for `self`: then no call of it can work.

    Args:
        function: the plain function of an ordinary or a class method.
    """
    for p in _parameters(function):
        if p.kind is p.VAR_POSITIONAL:
            return False
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            return p.name in ARGUMENTS
    return True


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of the function itself, not of what it wraps.

    A wrapper made in C (`functools.lru_cache`) has those of what it wraps; a callable without any
    signature is taken for one that takes everything.
    """
    for follow_wrapped in (False, True):
        try:
            signature = inspect.signature(function, follow_wrapped=follow_wrapped)
        except (TypeError, ValueError):
            continue
        return list(signature.parameters.values())
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [inspect.Parameter(kind.name.lower(), kind) for kind in kinds]
