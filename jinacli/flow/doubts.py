"""What is suspicious about a Flow that starts, at its place in the YAML: as `check` shows it.

The YAML is looked at before the start, as `check --no-import` does. What is suspicious about a
class its worker says when it is ready: nothing is imported here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jina.config.drafts import ExecutorDraft
from jina.config.flows import FlowConfig
from jina.config.problems import Problem
from jina.graph.http import HttpSettings
from jina.graph.plan import Placing
from jina.launch import events
from jina.wire.doubts import Doubt


class Doubts:
    """What `check` would show of one Flow, each thing once.

    Args:
        config: of the Flow.
        http: how it is served over HTTP; None if it is not.
        placing: what of it runs on a cluster; None for nothing.
    """

    def __init__(
        self,
        config: FlowConfig,
        http: HttpSettings | None = None,
        placing: Placing | None = None,
    ) -> None:
        self._config = config
        self._placing = placing
        self._http = http
        self._origins: dict[str, ExecutorDraft] = {
            name: origin for node in config.executors for name, _, origin in node.parts()
        }
        self._told: set[tuple[str, str]] = set()

    def of_yaml(self) -> Iterator[str]:
        """What is suspicious about the YAML."""
        # Late: it is loaded while the processes start, which takes longer.
        from jina.check import yaml_findings
        from jina.check.http import http_files

        yield from map(str, yaml_findings(self._config.executors, self._config.warnings))
        if self._placing is not None:
            from jina.check.placing import placing_findings

            names = self._placing.asks
            nodes = [node for node in self._config.executors if node.name in names]
            yield from map(str, placing_findings(nodes, Path(self._placing.project)))
        if self._http is not None:
            yield from map(str, http_files(self._config.http, self._http))

    def of_class(self, event: events.Doubtful) -> Iterator[str]:
        """What a worker has said of its Executor's class."""
        for doubt in event.doubts:
            problem = self._problem(event.node, doubt)
            key = (problem.place, problem.message)
            if key not in self._told:  # two nodes may have one class
                self._told.add(key)
                yield str(problem)

    def _problem(self, node: str, doubt: Doubt) -> Problem:
        if doubt.file:
            from jina.check.python_source import problem_at

            return problem_at(doubt.file, doubt.line, doubt.code, doubt.message, doubt.hint)
        origin = self._origins.get(node)
        if origin is None:
            message = f"{node}: {doubt.message}"
            return Problem(doubt.code, message, hint=doubt.hint, severity="warning")
        tree, at = origin.tree, origin.jtype_path()
        if doubt.section:
            found, place = origin.place(doubt.section, doubt.key)
            if place in found.values:
                tree, at = found, place
        return tree.problem(
            at, doubt.code, doubt.message, at="key", hint=doubt.hint, severity="warning"
        )
