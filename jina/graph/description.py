"""A Flow as a Python program describes it, one Executor after the other.

Each step makes a new description. Its graph is checked at once, as that of a YAML file is; its
Executors are looked for when it becomes a plan.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import structs

from jina.config.callers import caller_folders
from jina.config.flow_saving import Part, write_flow
from jina.config.flows import FlowConfig, flow_options, flow_tree, read_flow
from jina.config.inspections import INSPECT
from jina.config.load_state import DEFAULT_OPTIONS, LoadOptions
from jina.config.older_keys import (
    IGNORED_NODE,
    REFUSED_NODE,
)
from jina.config.problems import Problem, result_or_raise
from jina.config.schema import (
    NodeModel,
)
from jina.config.source import current_folder
from jina.config.tree import Tree
from jina.config.validation import known_keys
from jina.excepts import ConfigError, FlowTopologyError
from jina.graph.plan import Plan
from jina.graph.planning import plan_from
from jina.names import GATEWAY
from jina.suggest import nearest

#: Options of the Flow that are defaults of `post`.
_POST_KEYS = ("return_results", "request_size", "continue_on_error", "show_progress")

#: Codes of problems of the graph; a name that is not allowed is none of them.
_OF_TOPOLOGY = ("duplicate-name", "unknown-need", "self-need", "cycle", "floating-need")

# Arguments of `load_config` in Jina 2 and 3 that have no meaning for a Flow.
_IGNORED = frozenset(
    {
        *("allow_py_modules", "include_gateway", "needs", "noblock_on_start", "runtime_args"),
        *("uses_dynamic_batching", "uses_metas", "uses_requests"),
        *("override_metas", "override_requests"),
    }
)


@dataclass(frozen=True)
class Description:
    """What is known of a Flow.

    Args:
        name: "" when it has none.
        options: keys of a Flow YAML's `with:`, for the Executors that are added.
        tree: the YAML that it started from, variables replaced; None if there was none.
        how: how that was loaded.
        entries: the Executors that were added, with the keys of an entry under `executors:`.
        callers: of each of these, the folders of the program that added it.
    """

    name: str
    options: dict[str, Any]
    tree: Tree | None = field(default=None, repr=False)
    how: LoadOptions = DEFAULT_OPTIONS
    entries: tuple[dict[str, Any], ...] = ()
    callers: tuple[Sequence[Path], ...] = ()

    @classmethod
    def load(cls, source: Any, **options: Any) -> Description:
        """The description of a Flow that is written in YAML; see `Flow.load_config`."""
        overrides = {
            **(options.pop("override_with", None) or {}),
            **(options.pop("uses_with", None) or {}),
        }
        modules = options.pop("py_modules", None) or []
        kept = {key: value for key, value in options.items() if key not in _IGNORED}
        how = structs.replace(flow_options(**kept), fallbacks=caller_folders())
        tree = flow_tree(source, how)
        _settle(tree)
        if isinstance(tree.data, Mapping):
            names = [modules] if isinstance(modules, str) else modules
            overrides |= {"py_modules": [os.path.abspath(name) for name in names]} if names else {}
            _lay_over(tree, overrides)
        reading = read_flow(tree, structs.replace(how, only_graph=True))
        config = result_or_raise(reading.config, reading.problems)
        return cls(config.name, _inherited(config), tree, how)

    @property
    def workspace(self) -> str:
        """Absolute folder in which its Executors keep theirs, where they name no other."""
        return os.path.abspath(self.options.get("workspace") or "")

    @property
    def post_options(self) -> dict[str, Any]:
        """What it says about every post, such as `return_results`."""
        given = self.said
        return {key: given[key] for key in _POST_KEYS if given.get(key) is not None}

    @property
    def said(self) -> dict[str, Any]:
        """What the user said in `with:`, or in Python."""
        given = self.options
        if self.tree is not None:
            given = {**given, **(self.tree.data.get("with") or {})}
        return given

    def plan(self) -> Plan:
        """What would be started.

        Raises:
            ConfigError: with everything that is wrong.
        """
        return plan_from(self._config(), http={})

    def planned(self) -> tuple[Plan, list[Problem]]:
        """The plan, and what is suspicious about what was said.

        Raises:
            ConfigError: with everything that is wrong.
        """
        config = self._config()
        return plan_from(config, http={}), config.warnings

    @cached_property
    def graph(self) -> Plan:
        """The plan as far as it is known without its Executors: they are neither found nor read.

        Raises:
            ConfigError: with everything that is wrong with names, needs and keys.
        """
        return plan_from(self._config(only_graph=True), gpus=lambda: 0)

    def added(self, entry: dict[str, Any]) -> Description:
        """The description with one more Executor, its place in the graph checked; see `Flow.add`.

        The caller is the first one outside jina.
        """
        for key in entry:
            _check_key(key)
        given = {key: _copied(value) for key, value in entry.items() if value is not None}
        description = dataclasses.replace(
            self, entries=(*self.entries, given), callers=(*self.callers, caller_folders())
        )
        try:
            description.graph  # noqa: B018 - it is kept
        except ConfigError as error:
            raise _topology_error(error.problems) or error from None
        return description

    def watched(self) -> tuple[list[str], str]:
        """The Executors that look on, and the last one of the others."""
        methods = {node.name: node.method for node in self._config(only_graph=True).executors}
        watching = [name for name, method in methods.items() if method == INSPECT]
        others = [name for name in methods if name not in watching]
        return watching, others[-1] if others else GATEWAY

    def with_option(self, key: str, value: Any) -> Description:
        """The description with another key of `with:`."""
        if self.tree is None:
            return dataclasses.replace(self, options={**self.options, key: value})
        tree = structs.replace(self.tree)
        _lay_over(tree, {key: value})
        return dataclasses.replace(self, tree=tree)

    def save(self, file: str | None) -> str:
        """Write it as YAML; see `Flow.save_config`."""
        here = current_folder()
        options, parts = Part(self.options, [here]), []
        if self.tree is not None:
            further = [*self.how.search_folders, here, *self.how.fallbacks]
            folders = [self.tree.source.folder, *further]
            data = self.tree.data
            options = Part(data.get("with") or {}, folders)
            loaded = data.get("executors") or data.get("pods") or []
            parts = [Part(entry or {}, folders) for entry in loaded]
        for entry, callers in zip(self.entries, self.callers, strict=True):
            parts.append(Part(entry, [here, *self.how.search_folders, *callers]))
        name = self.name if self.tree is None else ""
        return write_flow(name, self.tree, options, parts, file)

    def _config(self, *, only_graph: bool = False) -> FlowConfig:
        """What is loaded and what was added, as one; everything that is wrong is told at once."""
        loaded: FlowConfig | None = None
        problems: list[Problem] = []
        if self.tree is not None:
            found = read_flow(self.tree, structs.replace(self.how, only_graph=only_graph))
            if not self.entries:
                return result_or_raise(found.config, found.problems)
            problems = found.problems
            graph_alone = structs.replace(self.how, only_graph=True)
            loaded = found.config or read_flow(self.tree, graph_alone).config
        known = loaded.executors if loaded is not None else []
        how = LoadOptions(
            search_folders=self.how.search_folders,
            entry_fallbacks=[*((),) * len(known), *self.callers],
            only_graph=only_graph,
        )
        added = read_flow(self._described(known), how)
        config = result_or_raise(added.config, [*problems, *added.problems])
        if loaded is None:
            return config
        nodes = [*loaded.executors, *config.executors[len(known) :]]
        warnings = [*loaded.warnings, *config.warnings]
        return dataclasses.replace(loaded, executors=nodes, warnings=warnings)

    def _described(self, known: Sequence[Any]) -> dict[str, Any]:
        """The Executors that were added, as a YAML would have them."""
        # What was loaded is checked already; here it only lends its names to the needs of others.
        lent = [
            {
                "name": node.name,
                "needs": node.needs,
                "method": node.method,
                "floating": node.is_floating,
            }
            for node in known
        ]
        named = [{key: value for key, value in entry.items() if value} for entry in lent]
        described: dict[str, Any] = {"jtype": "Flow", "executors": [*named, *self.entries]}
        if self.name:
            described["name"] = self.name
        if self.options:
            described["with"] = self.options
        return described


def _settle(tree: Tree) -> None:
    """It is read again later, when folder and dict of the caller may be other ones."""
    tree.data = _copied(tree.data)
    if tree.source.path is not None:
        tree.source = structs.replace(tree.source, path=current_folder() / tree.source.path)


def _copied(value: Any) -> Any:
    """Maps and lists of their own, the same values."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _lay_over(tree: Tree, options: Mapping[str, Any]) -> None:
    """Let options win over those of a Flow's `with`."""
    if options:
        given = tree.data.get("with") or {}
        tree.data = {**tree.data, "with": {**given, **options}}


def _inherited(config: FlowConfig) -> dict[str, Any]:
    """What the options of a loaded Flow mean for Executors that are added to it."""
    options = config.options.model_dump(
        include={
            *("workspace", "env", "timeout_ready", "inspect", "extra_search_paths"),
            *("on_error", "on_error_strategy", "threads"),
        },
        exclude_none=True,
        exclude_defaults=True,
    )
    if "workspace" in options and config.file is not None:
        options["workspace"] = str(config.file.parent / options["workspace"])
    if "extra_search_paths" in options and config.file is not None:
        names = options["extra_search_paths"]
        options["extra_search_paths"] = [str(config.file.parent / name) for name in names]
    return options


def _check_key(key: str) -> None:
    # What becomes of a key of Jina 2 or 3 is the loader's matter.
    known = known_keys(NodeModel)
    if key in known or key in IGNORED_NODE or key in REFUSED_NODE:
        return
    near = nearest(key, known)
    hint = f'did you mean "{near}"?' if near else f"known: {', '.join(known)}"
    raise TypeError(f"Flow.add() has no argument {key!r}; {hint}")


def _topology_error(problems: Sequence[Any]) -> FlowTopologyError | None:
    """The error for problems (`jina.config.problems.Problem`) that are all of the graph."""
    if any(problem.code not in _OF_TOPOLOGY for problem in problems):
        return None
    return FlowTopologyError(
        "\n".join(problem.message for problem in problems),
        hint=problems[0].hint if len(problems) == 1 else "",
    )
