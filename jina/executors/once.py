"""`@requests(on=…, once=True)`: which endpoints of an instance must not see a Document twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from jina.executors.decorators import MARK, ONCE
from jina.executors.table import method_name


class Served(Protocol):
    """The part of an Executor that is used here."""

    requests: dict[str, Any]


def once_endpoints(executor: Served) -> list[str]:
    """The endpoints whose method must not see a Document twice, in the order of its table."""
    methods = once_methods(type(executor))
    return [
        endpoint
        for endpoint, target in executor.requests.items()
        if methods.get(method_name(target), ONCE in _marks(target))
    ]


def once_methods(cls: type) -> dict[str, bool]:
    """What decorators say: name of the method -> whether it must not see a Document twice.

    A method that overrides a decorated one is as that one, unless it is decorated itself.
    """
    return {
        name: ONCE in _marks(value)
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if MARK in _marks(value)
    }


def _marks(value: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(getattr(value, "__func__", value), "__dict__", {})
    return found
