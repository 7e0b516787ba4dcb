"""A Flow as a Python program describes it, one Executor after the other.

Each step makes a new description, which is checked as a YAML file is and can become a plan.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jina.config.flows import FlowConfig, load_flow
from jina.config.schema import IGNORED_NODE, REFUSED_NODE
from jina.excepts import ConfigError, FlowTopologyError
from jina.graph.plan import Plan
from jina.graph.planning import plan_from
from jina.suggest import nearest

_ADD_KEYS = (
    *("name", "uses", "needs", "replicas", "shards", "parallel", "polling"),
    *("uses_before", "uses_after", "disable_reduce", "floating"),
    *("uses_with", "uses_metas", "uses_requests", "uses_dynamic_batching"),
    *("override_with", "override_metas", "override_requests"),
    *("py_modules", "workspace", "env", "timeout_ready"),
    *("timeout", "retries", "on_error", "on_error_strategy"),
)

#: Options of the Flow that are defaults of `post`.
_POST_KEYS = ("return_results", "request_size", "continue_on_error", "show_progress")

#: Codes of problems of the graph; a name that is not allowed is none of them.
_OF_TOPOLOGY = (
    "duplicate-name",
    "unknown-need",
    "duplicate-need",
    "self-need",
    "cycle",
    "floating-need",
)


@dataclass(frozen=True)
class Description:
    """What is known of a Flow.

    Args:
        name: "" when it has none.
        options: keys of a Flow YAML's `with:`, for the Executors that are added.
        loaded: the checked YAML that it started from; None if there was none.
        entries: the Executors that were added, with the keys of an entry under `executors:`.
    """

    name: str
    options: dict[str, Any]
    loaded: FlowConfig | None = None
    entries: tuple[dict[str, Any], ...] = ()

    @classmethod
    def load(cls, source: Any, **options: Any) -> Description:
        """The description of a Flow that is written in YAML; the options go to `load_flow`."""
        config = load_flow(source, **options)
        return cls(config.name, _inherited(config), config)

    @property
    def workspace(self) -> str:
        """Absolute folder in which its Executors keep theirs, where they name no other."""
        return os.path.abspath(self.options.get("workspace") or "")

    @property
    def post_options(self) -> dict[str, Any]:
        """What it says about every post, such as `return_results`."""
        given = self.options if self.loaded is None else vars(self.loaded.options)
        return {key: given[key] for key in _POST_KEYS if given.get(key) is not None}

    def plan(self) -> Plan:
        """What would be started.

        Raises:
            ConfigError: with everything that is wrong.
        """
        return plan_from(self._config())

    def added(self, entry: dict[str, Any]) -> Description:
        """The description with one more Executor, checked; see `Flow.add`."""
        for key in entry:
            _check_key(key)
        given = {key: value for key, value in entry.items() if value is not None}
        description = dataclasses.replace(self, entries=(*self.entries, given))
        try:
            description.plan()
        except ConfigError as error:
            raise _topology_error(error.problems) or error from None
        return description

    def _config(self) -> FlowConfig:
        if self.loaded is not None and not self.entries:
            return self.loaded
        known = self.loaded.executors if self.loaded is not None else []
        # What was loaded is checked already; here it only lends its names to the needs of others.
        lent = [
            {"name": node.name, "needs": node.needs, "floating": node.is_floating} for node in known
        ]
        named = [{key: value for key, value in entry.items() if value} for entry in lent]
        described: dict[str, Any] = {"jtype": "Flow", "executors": [*named, *self.entries]}
        if self.name:
            described["name"] = self.name
        if self.options:
            described["with"] = self.options
        config = load_flow(described)
        if self.loaded is None:
            return config
        nodes = [*known, *config.executors[len(known) :]]
        return dataclasses.replace(self.loaded, executors=nodes)


def _inherited(config: FlowConfig) -> dict[str, Any]:
    """What the options of a loaded Flow mean for Executors that are added to it."""
    options = config.options.model_dump(
        include={"workspace", "env", "timeout_ready", "on_error", "on_error_strategy"},
        exclude_none=True,
    )
    if "workspace" in options and config.file is not None:
        options["workspace"] = str(config.file.parent / options["workspace"])
    return options


def _check_key(key: str) -> None:
    # What becomes of a key of Jina 2 or 3 is the loader's matter.
    if key in _ADD_KEYS or key in IGNORED_NODE or key in REFUSED_NODE:
        return
    near = nearest(key, _ADD_KEYS)
    hint = f'did you mean "{near}"?' if near else f"known: {', '.join(_ADD_KEYS)}"
    raise TypeError(f"Flow.add() takes no argument {key!r}; {hint}")


def _topology_error(problems: Sequence[Any]) -> FlowTopologyError | None:
    """The error for problems (`jina.config.problems.Problem`) that are all of the graph."""
    if any(problem.code not in _OF_TOPOLOGY for problem in problems):
        return None
    return FlowTopologyError(
        "\n".join(problem.message for problem in problems),
        hint=problems[0].hint if len(problems) == 1 else "",
    )
