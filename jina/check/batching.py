"""Dynamic batching: settings for endpoints that nobody serves, and decorators that do nothing."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from jina.check.python_source import python_problem
from jina.config.batching import SPELLINGS
from jina.config.drafts import ExecutorDraft
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.tree import DataPath, Tree
from jina.executors import BaseExecutor
from jina.executors.batching import batched_methods, unserved
from jina.executors.spec import ExecutorSpec
from jina.executors.table import class_table, marked_methods
from jina.names import endpoint_name
from jina.suggest import near_name


def batching_problems(
    cls: type[BaseExecutor], spec: ExecutorSpec, origin: ExecutorDraft
) -> Iterator[Problem]:
    """What is wrong with the dynamic batching of a class."""
    if "requests" not in origin.uncertain:  # else more may be bound than is known
        yield from _unserved(cls, spec, origin)
        yield from _unbound(cls, spec)
    for name, settings in batched_methods(cls).items():
        if "custom_metric" in settings:
            yield python_problem(
                inspect.unwrap(getattr(cls, name)),
                "ignored-key",
                "`custom_metric` of @dynamic_batching has no effect here; batches are sized by "
                "Documents",
                severity="warning",
            )


def batched_join(node: NodeConfig) -> Iterator[Problem]:
    """Settings of a node of a Flow that joins several: they have no effect."""
    needs = node.needs or []
    if node.origin is None or len(needs) < 2:
        return
    for key in node.executor.dynamic_batching:
        tree, at = _place(node.origin, key)
        yield tree.problem(
            at,
            "batched-join",
            f"{node.name} joins {' and '.join(needs)}; requests at a join are not batched",
            at="key",
            hint="add an executor after the join and batch that one",
            severity="warning",
        )


def _unserved(
    cls: type[BaseExecutor], spec: ExecutorSpec, origin: ExecutorDraft
) -> Iterator[Problem]:
    """Settings that no request will meet."""
    table = {**class_table(cls), **{endpoint_name(e): name for e, name in spec.requests.items()}}
    for key in unserved(table, spec.dynamic_batching):
        near = near_name(key, [*table, *table.values()])
        listed = f"its endpoints are: {', '.join(table)}" if table else ""
        tree, at = _place(origin, key)
        yield tree.problem(
            at,
            "unknown-endpoint",
            f"{cls.__name__} does not serve {key!r}, so there is nothing to batch",
            at="key",
            hint=f"did you mean {near!r}?" if near else listed,
        )


def _unbound(cls: type[BaseExecutor], spec: ExecutorSpec) -> Iterator[Problem]:
    """Decorated methods that serve no endpoint."""
    serving = {*marked_methods(cls), *spec.requests.values()}
    for name in batched_methods(cls):
        if name not in serving and callable(getattr(cls, name, None)):
            yield python_problem(
                getattr(cls, name),
                "no-endpoint",
                f"{cls.__name__}.{name} has @dynamic_batching but serves no endpoint",
                hint="decorate it with @requests too, or bind it in `requests:`",
            )


def _place(origin: ExecutorDraft, key: str) -> tuple[Tree, DataPath]:
    """Where settings are written: in a Flow's entry, else in the Executor's own YAML."""
    places = [(tree, (*at, SPELLINGS[1])) for tree, at in origin.overlays]
    places += [(origin.tree, (*origin.at, spelling)) for spelling in reversed(SPELLINGS)]
    for tree, section in places:
        if (*section, key) in tree.values:
            return tree, (*section, key)
    return origin.tree, origin.jtype_path()
