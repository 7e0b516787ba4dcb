"""What `jina executor check` and `jina flow check` find: problems and endpoints, as data.

First the YAML alone; then, unless told otherwise, the Executor's modules are imported, which runs
their top-level code. Nothing is constructed and no process is started. It prints nothing.
"""

from __future__ import annotations

import os
from collections.abc import Container, Sequence
from typing import Any

from jina.check.batching import batched_join
from jina.check.classes import Begin, check_class
from jina.check.error_names import check_retries
from jina.check.folders import named_folders, node_folders, shared_folders
from jina.check.gpus import node_gpus
from jina.check.methods import yaml_endpoints
from jina.check.report import Endpoint, Report
from jina.check.shards import shard_hints, unserved_endpoints
from jina.config.executors import read_executor
from jina.config.flows import read_flow
from jina.config.load_state import DEFAULT_OPTIONS, LoadOptions
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem, errors_in, ordered

__all__ = ["Endpoint", "Report", "check_executor", "check_flow", "yaml_findings"]


def _ignore(what: str) -> None:
    """Do nothing."""


def check_executor(source: Any, *, no_import: bool = False, begin: Begin = _ignore) -> Report:
    """Check an Executor.

    Args:
        source: see `jina.config.load_executor`; usually the path of its YAML.
        no_import: check the YAML alone.
        begin: called with what of the user's code runs next, as in "my.yml:2:13: importing my.py".
    """
    report = Report(_named(source))
    reading = read_executor(source)
    report.problems += reading.problems
    spec, origin = reading.spec, reading.origin
    if spec is not None and origin is not None:
        report.problems += named_folders(origin, spec)
        report.problems += yaml_endpoints(origin, spec)
        if not no_import:
            check_class(report, spec, origin, "", begin)
    report.problems = ordered(report.problems)
    return report


def check_flow(
    source: Any,
    *,
    no_import: bool = False,
    begin: Begin = _ignore,
    options: LoadOptions = DEFAULT_OPTIONS,
) -> Report:
    """Check a Flow and every Executor that it uses.

    Args:
        source: see `jina.config.load_flow`; usually the path of its YAML.
        no_import: check the YAML files alone.
        begin: see `check_executor`.
        options: how it is loaded.
    """
    report = Report(_named(source))
    reading = read_flow(source, options)
    report.problems += reading.problems
    wrong = {problem.path for problem in errors_in(reading.problems)}
    report.problems += yaml_findings(reading.nodes, [], wrong)
    for node in reading.nodes:
        if node.origin is None:
            continue
        for name, executor, origin in node.parts():
            if not no_import:
                check_class(report, executor, origin, name, begin)
        bound = _endpoints(report, [node.name])
        report.problems += unserved_endpoints(node, "polling", bound)
        # Those of its head and tail are limited too.
        bound = _endpoints(report, [name for name, _, _ in node.parts()]) if bound else []
        report.problems += unserved_endpoints(node, "timeout", bound)
    if not no_import:
        check_retries(report, reading.nodes)
    report.problems = ordered(report.problems)
    return report


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
