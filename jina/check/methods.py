"""Endpoints and the methods that serve them: what YAML binds, what decorators claim."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from jina.check.python_source import definition, fault_problem, python_problem, shown_file
from jina.check.report import Endpoint
from jina.config.drafts import ExecutorDraft
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors import BaseExecutor
from jina.executors.class_faults import decorator_faults, method_faults, odd_endpoint
from jina.executors.describe import about, endpoints_of
from jina.executors.doubts import documents_methods
from jina.executors.signature import ARGUMENTS, unfillable
from jina.executors.spec import ExecutorSpec
from jina.executors.table import claims, instance_table, marked_methods
from jina.names import endpoint_name
from jina.suggest import near_name


def yaml_endpoints(origin: ExecutorDraft, spec: ExecutorSpec) -> Iterator[Problem]:
    """What is wrong with the endpoints of `requests:`; nothing needs to be imported for it."""
    first: dict[str, str] = {}
    for written in spec.requests:
        endpoint = endpoint_name(written)
        tree, at = origin.place("requests", written)
        fault = odd_endpoint(endpoint)
        if fault:
            message, hint = fault
            yield tree.problem(at, "odd-endpoint", message, at="key", hint=hint, severity="warning")
        other = first.setdefault(endpoint, written)
        if other != written:
            known_tree, known_at = origin.place("requests", other)
            yield tree.problem(
                at,
                "endpoint-claimed-twice",
                f"{other!r} and {written!r} are the same endpoint {endpoint}; "
                f"{spec.requests[written]} wins",
                at="key",
                hint="remove one of them",
                notes=[known_tree.note(known_at, "the first one is here", "key")],
            )


def method_problems(
    cls: type[BaseExecutor], spec: ExecutorSpec, origin: ExecutorDraft
) -> Iterator[Problem]:
    """What is wrong with the methods that `requests:` names, and with those of decorators."""
    methods = [name for name, value in inspect.getmembers(cls, callable) if name[:2] != "__"]
    serving: dict[str, None] = {}
    for endpoint, name in spec.requests.items():
        if isinstance(name, Unresolved):  # reported already
            continue
        tree, at = origin.place("requests", endpoint)
        if callable(getattr(cls, name, None)):
            serving[name] = None
            yield from _unfillable(cls, name, tree, at)
        else:
            yield _no_method(cls, name, methods, tree, at)
    marked = marked_methods(cls)
    for name in dict.fromkeys([*serving, *marked]):
        yield from map(fault_problem, method_faults(cls, name))
    yield from map(fault_problem, decorator_faults(cls))
    if "requests" in origin.uncertain:  # more may be bound than is known
        return
    yield from _claimed_twice(cls, spec)
    if not spec.requests and not marked:
        yield from _forgotten_decorator(cls)


def endpoint_rows(cls: type[BaseExecutor], spec: ExecutorSpec, name: str) -> Iterator[Endpoint]:
    """The rows of the table: who serves what.

    Args:
        cls: the class.
        spec: its YAML's bindings win over decorators.
        name: of the Executor in the rows.
    """
    usable = {e: m for e, m in spec.requests.items() if callable(getattr(cls, m, None))}
    description = spec.metas.get("description") or about(cls)
    table = instance_table(cls, usable)
    for said, (endpoint, target) in zip(endpoints_of(table, cls), table.items(), strict=True):
        plain = getattr(target, "__func__", target)
        file, line = definition(plain)
        method = f"{cls.__name__}.{getattr(plain, '__name__', '?')}"
        place = f"{shown_file(file)}:{line}" if line else shown_file(file)
        yield Endpoint(
            name,
            endpoint,
            method,
            place,
            said.doc,
            tuple(said.parameters),
            description if isinstance(description, str) else "",
        )


def _no_method(
    cls: type[BaseExecutor], name: str, methods: list[str], tree: Tree, at: DataPath
) -> Problem:
    """A name that is not a method of the class."""
    if getattr(cls, name, None) is not None:
        message = f"{cls.__name__}.{name} is not a method"
        return tree.problem(at, "unknown-method", message)
    near = near_name(name, methods)
    own = [m for m in methods if m not in dir(BaseExecutor)]
    listed = f"its methods are: {', '.join(own)}" if own else "it has no methods of its own"
    return tree.problem(
        at,
        "unknown-method",
        f"{cls.__name__} has no method {name!r}",
        hint=f"did you mean {near!r}?" if near else listed,
    )


def _unfillable(cls: type[BaseExecutor], name: str, tree: Tree, at: DataPath) -> Iterator[Problem]:
    """A method with a parameter that no request fills."""
    static = inspect.getattr_static(cls, name)
    plain = getattr(static, "__func__", static)
    missing = unfillable(plain, is_bound=isinstance(static, staticmethod))
    if missing:
        yield tree.problem(
            at,
            "uncallable-method",
            f"{cls.__name__}.{name} cannot serve an endpoint: "
            f"nothing fills its parameter {missing[0]!r}",
            hint=f"the arguments a method can take are {', '.join(ARGUMENTS)}",
        )


def _claimed_twice(cls: type[BaseExecutor], spec: ExecutorSpec) -> Iterator[Problem]:
    """Endpoints that several decorated methods serve, and that the YAML does not decide."""
    bound = {endpoint_name(endpoint) for endpoint in spec.requests}
    for endpoint, names in claims(cls).items():
        if endpoint not in bound:
            yield python_problem(
                getattr(cls, names[-1]),
                "endpoint-claimed-twice",
                f"{' and '.join(names)} of {cls.__name__} both serve {endpoint}; {names[-1]} wins",
                hint="give each its own endpoint",
            )


def _forgotten_decorator(cls: type[BaseExecutor]) -> Iterator[Problem]:
    """A class without endpoints that has a method which looks like one's."""
    for name in documents_methods(cls, BaseExecutor):
        yield python_problem(
            getattr(cls, name),
            "no-endpoint",
            f"{cls.__name__} serves no endpoint: Documents pass through it unchanged",
            hint=f"decorate `{name}` with @requests, or bind it in `requests:`",
            severity="warning",
        )
        return
