"""What `jina executor check` and `jina flow check` find: problems and endpoints, as data.

First the YAML alone; then, unless told otherwise, the Executor's modules are imported, which runs
their top-level code. Nothing is constructed and no process is started. It prints nothing.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from typing import Any

from jina.check.batching import batched_join
from jina.check.classes import Begin
from jina.check.folders import named_folders, node_folders, shared_folders
from jina.check.gpus import node_gpus, with_first_gpu
from jina.check.http import http_findings
from jina.check.methods import yaml_endpoints
from jina.check.parts import Check, Findings, Part
from jina.check.placing import placing_findings
from jina.check.report import Endpoint, Report
from jina.check.shards import shard_hints, unserved_endpoints
from jina.config.executors import read_executor
from jina.config.failures import UNKNOWN_ERROR
from jina.config.flows import read_flow
from jina.config.load_state import DEFAULT_OPTIONS, LoadOptions
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem, errors_in, ordered

__all__ = [
    "Check",
    "Endpoint",
    "Findings",
    "Part",
    "Report",
    "check_executor",
    "check_flow",
    "read_for_executor",
    "read_for_flow",
    "yaml_findings",
]


def _ignore(what: str) -> None:
    """Do nothing."""


def check_executor(source: Any, *, no_import: bool = False, begin: Begin = _ignore) -> Report:
    """Check an Executor, in this process.

    Args:
        source: see `jina.config.load_executor`; usually the path of its YAML.
        no_import: check the YAML alone.
        begin: called with what of the user's code runs next, as in "my.yml:2:13: importing my.py".
    """
    return read_for_executor(source, no_import=no_import).here(begin)


def check_flow(
    source: Any,
    *,
    no_import: bool = False,
    begin: Begin = _ignore,
    options: LoadOptions = DEFAULT_OPTIONS,
) -> Report:
    """Check a Flow and every Executor that it uses, in this process.

    Args:
        source: see `jina.config.load_flow`; usually the path of its YAML.
        no_import: check the YAML files alone.
        begin: see `check_executor`.
        options: how it is loaded.
    """
    return read_for_flow(source, no_import=no_import, options=options).here(begin)


def read_for_executor(source: Any, *, no_import: bool = False) -> Check:
    """Read the YAML of an Executor that is to be checked; the arguments are its."""
    report = Report(_named(source))
    reading = read_executor(source)
    report.problems += reading.problems
    spec, origin = reading.spec, reading.origin
    parts: list[Part] = []
    if spec is not None and origin is not None:
        report.problems += named_folders(origin, spec)
        report.problems += yaml_endpoints(origin, spec)
        if not no_import:
            parts.append(Part(report.source, spec, origin, env=origin.env))

    def finish(found: Sequence[Findings]) -> Report:
        for each in found:
            report.problems += each.problems
            report.endpoints += each.endpoints
        report.problems = ordered(report.problems)
        return report

    return Check(parts, finish)


def read_for_flow(
    source: Any, *, no_import: bool = False, options: LoadOptions = DEFAULT_OPTIONS
) -> Check:
    """Read the YAML of a Flow that is to be checked; the arguments are those of `check_flow`."""
    report = Report(_named(source))
    reading = read_flow(source, options)
    report.problems += reading.problems
    wrong = {problem.path for problem in errors_in(reading.problems)}
    report.problems += yaml_findings(reading.nodes, [], wrong)
    report.problems += placing_findings(node for node in reading.nodes if node.ray is not None)
    guessed = frozenset(p.path for p in report.problems if p.code == UNKNOWN_ERROR)
    parts = [part for node in reading.nodes for part in _parts(node, guessed)]

    def finish(found: Sequence[Findings]) -> Report:
        founded = {place for each in found for place in each.founded}
        report.problems = [
            p for p in report.problems if p.code != UNKNOWN_ERROR or p.path not in founded
        ]
        for each in found:
            report.problems += each.problems
            report.endpoints += each.endpoints
        for node in reading.nodes:
            report.problems += _unserved(report, node)
        if reading.config is not None:
            report.problems += http_findings(reading.config.http, report.endpoints, options.http)
        report.problems = ordered(report.problems)
        return report

    return Check([] if no_import else parts, finish, source, options)


def _parts(node: NodeConfig, guessed: frozenset[str]) -> Iterator[Part]:
    """The Executors of a node of a Flow."""
    for name, executor, origin in node.parts():
        is_own = name == node.name  # not its head or tail, for which these are not said
        retried, python = (node, node.python) if is_own else (None, "")
        yield Part(
            name=name,
            spec=executor,
            origin=origin,
            node=name,
            retried=retried,
            guessed=guessed,
            limit_s=node.timeout_ready_s,
            python=python,
            env=with_first_gpu(node.env if is_own else node.env_around(origin)),
            image=node.container.image if is_own and node.container else "",
        )


def _unserved(report: Report, node: NodeConfig) -> Iterator[Problem]:
    """Endpoints that a node names and does not serve."""
    bound = _endpoints(report, [node.name])
    yield from unserved_endpoints(node, "polling", bound)
    # Those of its head and tail are limited too.
    bound = _endpoints(report, [name for name, _, _ in node.parts()]) if bound else []
    yield from unserved_endpoints(node, "timeout", bound)


def yaml_findings(
    nodes: Sequence[NodeConfig], known: Sequence[Problem], wrong: Container[str] = ()
) -> list[Problem]:
    """What is wrong with a Flow as far as its YAML files tell.

    Args:
        nodes: of the Flow.
        known: what was found when it was read.
        wrong: paths of values that are reported already.
    """
    found = list(known)
    for node in nodes:
        if node.origin is None:
            continue
        found += node_folders(node)
        found += node_gpus(node)
        found += shard_hints(node, wrong)
        found += batched_join(node)
        for _, executor, origin in node.parts():
            found += named_folders(origin, executor)
            found += yaml_endpoints(origin, executor)
    found += shared_folders(nodes)
    return ordered(found)


def _endpoints(report: Report, executors: Sequence[str]) -> list[str]:
    """What some of the executors serve, each endpoint once."""
    rows = [row.endpoint for row in report.endpoints if row.executor in executors]
    return list(dict.fromkeys(rows))


def _named(source: Any) -> str:
    if isinstance(source, str) and "\n" not in source:
        return source
    return os.fspath(source) if isinstance(source, os.PathLike) else "<text>"
