"""Which method of a class serves which endpoint.

The table is built from the MRO each time, and every instance has its own: neither a subclass
nor another instance can change what a class serves.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from jina.executors.decorators import MARK
from jina.names import DEFAULT_ENDPOINT, endpoint_name


def marked_methods(cls: type) -> dict[str, tuple[str, ...]]:
    """Endpoints of each decorated method of a class: name of the method -> endpoints.

    A method that overrides a decorated one keeps its endpoints, unless it is decorated itself.
    Base classes come first, each class in the order of its source.
    """
    found: dict[str, tuple[str, ...]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            plain = getattr(value, "__func__", value)
            marks = getattr(plain, "__dict__", {}).get(MARK)
            if marks is not None:
                # The place of a redecorated method is that of its last decoration.
                found.pop(name, None)
                found[name] = marks
    return {name: marks for name, marks in found.items() if callable(getattr(cls, name, None))}


def class_table(cls: type) -> dict[str, str]:
    """Endpoint -> name of the method that serves it, by decoration. The last claim wins."""
    return {endpoint: name for name, marks in marked_methods(cls).items() for endpoint in marks}


def claims(cls: type) -> dict[str, list[str]]:
    """Endpoints that several methods of one class body claim: endpoint -> methods."""
    methods = marked_methods(cls)
    found: dict[str, list[str]] = {}
    for base in reversed(cls.__mro__):
        here: dict[str, list[str]] = {}
        for name in vars(base):
            for endpoint in methods.get(name, ()):
                here.setdefault(endpoint, []).append(name)
        found.update(here)
    return {endpoint: names for endpoint, names in found.items() if len(names) > 1}


def instance_table(cls: type, bindings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Endpoint -> function, for one instance: the decorators of its class, then its own bindings.

    Args:
        cls: class of the instance.
        bindings: endpoint -> name of a method, or something callable; they win over decorators.

    Returns:
        a dict that belongs to the instance. Values are what the class holds: plain functions (to be
        called with the instance), static and class methods, or what the bindings gave.

    Raises:
        AttributeError: a binding names a method that the class does not have.
        TypeError: a binding names something that cannot be called.
    """
    table: dict[str, Any] = {
        endpoint: inspect.getattr_static(cls, name) for endpoint, name in class_table(cls).items()
    }
    for endpoint, target in (bindings or {}).items():
        table[endpoint_name(endpoint)] = _bindable(cls, endpoint, target)
    return table


def bound(executor: object, target: Any) -> Any:
    """A value of the table as a callable that has its instance."""
    if isinstance(target, str):
        return getattr(executor, target)
    name = getattr(target, "__name__", "")
    if type(target) is FunctionType and name not in getattr(executor, "__dict__", ()):
        return target.__get__(executor)  # the usual case, and the quickest
    if name and inspect.getattr_static(type(executor), name, None) is target:
        return getattr(executor, name)
    if inspect.isfunction(target) or isinstance(target, staticmethod | classmethod):
        return target.__get__(executor, type(executor))
    return target


def _bindable(cls: type, endpoint: str, target: Any) -> Any:
    if not isinstance(target, str):
        if not callable(target):
            raise TypeError(
                f"requests[{endpoint!r}] is {type(target).__name__}; it must be the name of a "
                "method"
            )
        return target
    value = getattr(cls, target, None)
    if value is None and not hasattr(cls, target):
        raise AttributeError(f"requests[{endpoint!r}]: {cls.__name__} has no method {target!r}")
    if not callable(value):
        raise TypeError(f"requests[{endpoint!r}]: {cls.__name__}.{target} is not a method")
    return inspect.getattr_static(cls, target)


def lookup(table: Mapping[str, Any], endpoint: str) -> Any:
    """What serves an endpoint: its own entry, else the default handler, else None."""
    if endpoint in table:
        return table[endpoint]
    found = table.get(endpoint_name(endpoint))
    return table.get(DEFAULT_ENDPOINT) if found is None else found


def method_name(target: Any) -> str:
    """The name of the method that a value of the table stands for; "" where it has none."""
    if isinstance(target, str):
        return target
    return str(getattr(getattr(target, "__func__", target), "__name__", ""))
