"""Endpoints and the methods that serve them: what YAML binds, what decorators claim."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jina.check.python_source import definition, python_problem, shown_file
from jina.check.report import Endpoint
from jina.config.drafts import ExecutorDraft
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
from jina.executors import BaseExecutor
from jina.executors.signature import ARGUMENTS, lacks_instance, unfillable
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
        fault = _odd(endpoint)
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
        yield from _uncallable(cls, name)
    yield from _odd_decorators(cls, marked)
    if "requests" in origin.uncertain:  # more may be bound than is known
        return
    yield from _claimed_twice(cls, spec)
    if not spec.requests and not marked:
        yield from _forgotten_decorator(cls, methods)


def endpoint_rows(cls: type[BaseExecutor], spec: ExecutorSpec, name: str) -> Iterator[Endpoint]:
    """The rows of the table: who serves what.

    Args:
        cls: the class.
        spec: its YAML's bindings win over decorators.
        name: of the Executor in the rows.
    """
    usable = {e: m for e, m in spec.requests.items() if callable(getattr(cls, m, None))}
    for endpoint, target in instance_table(cls, usable).items():
        plain = getattr(target, "__func__", target)
        file, line = definition(plain)
        method = f"{cls.__name__}.{getattr(plain, '__name__', '?')}"
        place = f"{shown_file(file)}:{line}" if line else shown_file(file)
        yield Endpoint(name, endpoint, method, place)


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


def _odd_decorators(
    cls: type[BaseExecutor], marked: Mapping[str, Iterable[str]]
) -> Iterator[Problem]:
    """Suspicious endpoints of `@requests`."""
    for name, endpoints in marked.items():
        for message, hint in filter(None, map(_odd, endpoints)):
            yield python_problem(
                getattr(cls, name), "odd-endpoint", message, hint=hint, severity="warning"
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


def _uncallable(cls: type[BaseExecutor], name: str) -> Iterator[Problem]:
    """Why a method that serves an endpoint fails at each call, if it does."""
    static = inspect.getattr_static(cls, name)
    plain = getattr(static, "__func__", static)
    if not inspect.isfunction(plain):
        return
    if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
        yield python_problem(
            plain,
            "generator-method",
            f"{cls.__name__}.{name} contains `yield`, so it returns a generator; "
            "an endpoint method must return a DocumentArray or None",
            hint="collect the Documents, and `return DocumentArray(…)`",
        )
    if not isinstance(static, staticmethod) and lacks_instance(plain):
        word = "cls" if isinstance(static, classmethod) else "self"
        yield python_problem(
            plain,
            "no-self",
            f"{cls.__name__}.{name} does not take `{word}`, so it cannot be called",
            hint=f"write `{word}` first, as in `def {name}({word}, docs, **kwargs)`",
        )


def _odd(endpoint: str) -> tuple[str, str] | None:
    """What is suspicious about an endpoint, and how to fix it."""
    if endpoint.isprintable() and " " not in endpoint:
        return None
    plain = "".join(c for c in endpoint.strip() if c.isprintable())
    near = plain.replace("/ ", "/").replace(" ", "_")
    what = "a space" if " " in endpoint else "an invisible character"
    return f"the endpoint {endpoint!r} contains {what}", f"did you mean {near!r}?"


def _forgotten_decorator(cls: type[BaseExecutor], methods: list[str]) -> Iterator[Problem]:
    """A class without endpoints that has a method which looks like one's."""
    for name in methods:
        method = getattr(cls, name)
        if not hasattr(BaseExecutor, name) and "docs" in _parameters(method):
            yield python_problem(
                method,
                "no-endpoint",
                f"{cls.__name__} serves no endpoint: Documents pass through it unchanged",
                hint=f"decorate `{name}` with @requests, or bind it in `requests:`",
                severity="warning",
            )
            return


def _parameters(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
