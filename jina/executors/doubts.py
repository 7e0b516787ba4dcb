"""What is suspicious about a class, or about its YAML, though it can be built and runs.

A worker looks before it constructs its Executor. It reads no source: what it asks for is in the
class already, so that no start takes longer.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Iterator
from typing import Any

from jina.executors.batching import unserved as unserved_batching
from jina.executors.class_faults import constructor_faults, decorator_faults, method_faults
from jina.executors.signature import (
    constructor_parameters,
    misfits,
    mistyped,
    unfillable,
)
from jina.executors.spec import ExecutorSpec
from jina.executors.table import claims, class_table, marked_methods
from jina.names import endpoint_name
from jina.wire.doubts import Doubt


def doubts_of(cls: type[Any], spec: ExecutorSpec, base: type[Any]) -> Iterator[Doubt]:
    """Everything of that kind, in no particular order.

    Args:
        cls: the class.
        spec: what its YAML says.
        base: that of all Executors.
    """
    if cls is base:
        return
    yield from _claimed_twice(cls, spec)
    yield from _unserved(cls, spec)
    yield from _unfillable(cls)
    if spec.with_:
        yield from _swallowed(cls, spec)
        yield from _mistyped(cls, spec)
    named = dict.fromkeys([*spec.requests.values(), *marked_methods(cls)])
    serving = [name for name in named if callable(getattr(cls, name, None))]
    for fault in (
        *constructor_faults(cls),
        *decorator_faults(cls),
        *(fault for name in serving for fault in method_faults(cls, name)),
    ):
        yield _in_python(fault.function, fault.code, fault.message, fault.hint)
    if not spec.requests and not marked_methods(cls):
        yield from _serves_nothing(cls, base)


def swallowed_message(cls: type, name: str) -> str:
    """What is said of an argument that only `**kwargs` takes."""
    return f"{cls.__name__} has no argument {name!r}; the value goes into **kwargs"


OF_FLOWS = frozenset(
    {
        *("floating", "needs", "on_error", "parallel", "polling", "python", "replicas", "retries"),
        *("shards", "stop_grace_period", "threads", "timeout", "timeout_ready", "uses_after"),
        *("uses_before", "venv"),
    }
)
"""Keys of an executor in a Flow's YAML that people write in `with`."""


def argument_hint(cls: type, name: str, near: str) -> str:
    """How to fix an argument that the constructor does not name.

    Args:
        cls: the class.
        name: of the argument.
        near: the argument that may have been meant, or "".
    """
    if name in OF_FLOWS and not near:
        return f"in a Flow's YAML `{name}` belongs beside `uses`"
    known = ", ".join(constructor_parameters(cls)) or "nothing but **kwargs"
    return f"did you mean `{near}`?" if near else f"it accepts: {known}"


def documents_methods(cls: type[Any], base: type[Any]) -> Iterator[str]:
    """The methods that a class adds to its base and that take `docs`: they look like endpoints."""
    for name, _ in inspect.getmembers(cls, callable):
        if name[:2] == "__" or hasattr(base, name):
            continue
        try:
            parameters = inspect.signature(getattr(cls, name)).parameters
        except (TypeError, ValueError):
            continue
        if "docs" in parameters:
            yield name


def _claimed_twice(cls: type[Any], spec: ExecutorSpec) -> Iterator[Doubt]:
    served = {endpoint_name(endpoint) for endpoint in spec.requests}
    for endpoint, names in claims(cls).items():
        if endpoint not in served:  # Jina 2 takes the last one silently
            both = " and ".join(names)
            yield _in_python(
                getattr(cls, names[-1]),
                "endpoint-claimed-twice",
                f"{both} of {cls.__name__} both serve {endpoint}; {names[-1]} wins",
                "give each its own endpoint",
            )


def _unserved(cls: type[Any], spec: ExecutorSpec) -> Iterator[Doubt]:
    table = {**class_table(cls), **{endpoint_name(e): name for e, name in spec.requests.items()}}
    for key in unserved_batching(table, spec.dynamic_batching):
        message = f"dynamic batching is set for {key!r}, which no method serves"
        yield Doubt("unknown-endpoint", message, "", "dynamic_batching", key)


def _unfillable(cls: type[Any]) -> Iterator[Doubt]:
    for name, endpoints in marked_methods(cls).items():
        static = inspect.getattr_static(cls, name)
        plain = getattr(static, "__func__", static)
        missing = unfillable(plain, is_bound=isinstance(static, staticmethod))
        if missing:
            unserved = " and ".join(endpoints)
            message = f"{name} cannot serve {unserved}: nothing fills its parameter {missing[0]!r}"
            yield _in_python(getattr(cls, name), "uncallable-method", message)


def _swallowed(cls: type[Any], spec: ExecutorSpec) -> Iterator[Doubt]:
    for misfit in misfits(cls, spec.with_):
        if misfit.kind == "swallowed":
            message = swallowed_message(cls, misfit.name)
            hint = argument_hint(cls, misfit.name, misfit.near)
            yield Doubt("unknown-argument", message, hint, "with", misfit.name)


def _mistyped(cls: type[Any], spec: ExecutorSpec) -> Iterator[Doubt]:
    for wrong in mistyped(cls, spec.with_):
        value = reprlib.repr(wrong.value)
        message = f"`with.{wrong.name}` is {value}; {cls.__name__} annotates it as {wrong.expected}"
        yield Doubt("wrong-type", message, "", "with", wrong.name)


def _serves_nothing(cls: type[Any], base: type[Any]) -> Iterator[Doubt]:
    for name in documents_methods(cls, base):
        yield _in_python(
            getattr(cls, name),
            "no-endpoint",
            f"{cls.__name__} serves no endpoint: Documents pass through it unchanged",
            f"decorate `{name}` with @requests, or bind it in `requests:`",
        )
        return


def _in_python(function: Any, code: str, message: str, hint: str = "") -> Doubt:
    where = getattr(inspect.unwrap(function), "__code__", None)
    if where is None:
        return Doubt(code, message, hint)
    return Doubt(code, message, hint, file=where.co_filename, line=where.co_firstlineno)
