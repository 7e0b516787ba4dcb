"""A Flow's YAML, checked: `load_flow`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jina.config import devices
from jina.config.drafts import ExecutorClass, uncertain_sections
from jina.config.executor_schema import ExecutorModel
from jina.config.failures import strategy_notes
from jina.config.http import NO_HTTP, HttpConfig, read_http
from jina.config.inspections import with_needs, without
from jina.config.keys import near_key
from jina.config.load_state import (
    DEFAULT_OPTIONS,
    LoadOptions,
    LoadState,
    SearchPaths,
    absolute_folders,
)
from jina.config.nodes import (
    NodeConfig,
    NodeReader,
    graph_problems,
    known_entry,
    refused_keys,
)
from jina.config.older_keys import (
    IGNORED_FLOW,
    IGNORED_OPTIONS,
    REFUSED_OPTIONS,
)
from jina.config.overlays import lay_over, lay_settings
from jina.config.problems import Problem, errors_in, ordered, result_or_raise
from jina.config.python_values import make_words
from jina.config.scalars import kind
from jina.config.schema import FlowModel, FlowOptions, NodeModel
from jina.config.source import Source, current_folder, open_source, read_file, without_notes
from jina.config.tree import DataPath, Tree
from jina.config.validation import known_keys, usable, validated
from jina.config.variables import Unresolved
from jina.config.worker_port import worker_port_problems
from jina.executors import BaseExecutor
from jina.names import NAME_HINT, SAFE_NAME
from jina.suggest import near_name


@dataclass(frozen=True)
class FlowConfig:
    """A Flow, fully resolved: names unique, needs known, no cycle.

    Args:
        name: the YAML's, else the file's stem, else "flow".
        file: its YAML file; None when it came from a text or a dict.
        executors: in the order of the file.
        options: what holds for the whole Flow, typed.
        warnings: what is suspicious or ignored.
        files: all YAML files that went into it.
        http: what it says of HTTP.
    """

    name: str
    file: Path | None
    executors: list[NodeConfig]
    options: FlowOptions
    warnings: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    http: HttpConfig = NO_HTTP


def load_flow(
    source: Any,
    *,
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    extra_search_paths: SearchPaths = None,
) -> FlowConfig:
    """Read and check a Flow's YAML and the YAML of every Executor it uses.

    Args:
        source: path, YAML or JSON text, open stream, or a dict of the same form; in a dict, `uses`
            may be a class.
        context: values for `${{ CONTEXT.x }}`.
        env: environment for variables; os.environ when None. Variables in a dict are not replaced.
        substitute: whether variables are replaced.
        extra_search_paths: further folders where modules and YAML files are looked for: before the
            current one, and after the folder of the YAML that names them.

    Raises:
        BadConfigSource: there is nothing usable at `source`.
        BadYAMLVersion: the version is not supported.
        ConfigError: carries every problem at its place.
    """
    return flow_config(source, flow_options(context, env, substitute, extra_search_paths))


def flow_options(
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    extra_search_paths: SearchPaths = None,
) -> LoadOptions:
    """How a Flow is loaded, from the arguments of `load_flow`."""
    return LoadOptions(
        context=context or {},
        env=env,
        substitute=substitute,
        search_folders=absolute_folders(extra_search_paths),
    )


def flow_config(source: Any, options: LoadOptions) -> FlowConfig:
    """As `load_flow`, with all that may be said of a load.

    Raises:
        ConfigError: carries every problem at its place.
    """
    found = read_flow(source, options)
    return result_or_raise(found.config, found.problems)


def flow_tree(source: Any, options: LoadOptions = DEFAULT_OPTIONS) -> Tree:
    """Read a Flow's YAML, variables replaced; `read_flow` takes the tree, again and again.

    Raises:
        BadConfigSource: there is nothing at `source`.
    """
    tree = _tree(LoadState(options), source)
    return result_or_raise(None, [tree]) if isinstance(tree, Problem) else tree


class FlowReading(NamedTuple):
    """All that could be read of a Flow, wrong or not.

    Args:
        config: None when there are errors.
        nodes: those of which the Executor is known, also where something is wrong with them.
        problems: in their order.
    """

    config: FlowConfig | None
    nodes: list[NodeConfig]
    problems: list[Problem]


def read_flow(source: Any, options: LoadOptions = DEFAULT_OPTIONS) -> FlowReading:
    """Like `load_flow`, but return what is right and what is wrong, instead of raising it.

    Args:
        source: as for `load_flow`, or the tree of `flow_tree`.
        options: how it is loaded.
    """
    state = LoadState(options)
    tree = _tree(state, source)
    if isinstance(tree, Problem):
        return FlowReading(None, [], [tree])
    if not isinstance(tree.data, Mapping):
        if not tree.problems:
            state.problems.append(_not_a_flow(tree))
        return FlowReading(None, [], ordered(state.problems))
    shared, nodes, is_whole = _flow(state, tree)
    http = read_http(state, tree, shared)
    problems = ordered(state.problems)
    if not is_whole or errors_in(problems):
        return FlowReading(None, nodes, problems)
    name, path = _name(tree.data, tree.source), tree.source.path
    config = FlowConfig(name, path, nodes, shared, list(problems), state.files, http)
    return FlowReading(config, nodes, problems)


def _tree(state: LoadState, source: Any) -> Tree | Problem:
    """The parsed source."""
    options = state.options
    if isinstance(source, Tree):
        state.files += [source.source.path] if source.source.path is not None else []
        state.problems += source.problems
        return source
    opened = open_source(
        source, what="Flow", extra=options.search_folders, fallbacks=options.fallbacks
    )
    return opened if isinstance(opened, Problem) else _layered(state, opened)


def _layered(state: LoadState, source: Source) -> Tree:
    """The tree of a Flow's YAML with all overrides."""
    tree = state.parsed(source)
    for file in state.options.overlays:
        opened = read_file(os.fspath(file), what="Flow")
        if isinstance(opened, Problem):
            state.problems.append(opened)
        else:
            lay_over(tree, state.parsed(opened))
    lay_settings(tree, state.options.settings)
    return state.finished(tree)


def flow_name(source: Any) -> str:
    """The name that a Flow's YAML gives it, else its file's stem, else "flow".

    It reads no more than it must: problems are left to `load_flow`.
    """
    opened = open_source(source, what="Flow")
    if isinstance(opened, Problem):
        return "flow"
    tree = LoadState().tree(opened)
    data = tree.data if isinstance(tree.data, Mapping) else {}
    return _name(data, opened)


def _name(data: Mapping[str, Any], source: Source) -> str:
    options = data.get("with")
    inner = options.get("name") if isinstance(options, Mapping) else None
    for found in (data.get("name"), inner):
        if isinstance(found, str) and found:
            return found
    stem = source.path.stem if source.path is not None else "flow"
    return re.sub(r"[^A-Za-z0-9_.-]", "_", stem).lstrip(".-") or "flow"


def _not_a_flow(tree: Tree) -> Problem:
    if tree.data is None:
        return tree.problem((), "no-source", f"{tree.source.file} is empty; expected a Flow")
    return tree.problem(
        (), "wrong-type", "a Flow must be a map with `jtype: Flow` and `executors:`"
    )


def _flow(state: LoadState, tree: Tree) -> tuple[FlowOptions, list[NodeConfig], bool]:
    """The options, the nodes that can be used, and whether these are all there are."""
    data = dict(tree.data)
    if not _is_flow(state, tree, data):
        return FlowOptions.model_validate({}), [], False
    data = state.without_ignored(tree, (), without_notes(data), IGNORED_FLOW)
    if isinstance(data.get("with"), Mapping):
        data["with"] = _known_options(state, tree, data["with"])
    key, entries = _entries(state, tree, data)
    entries = with_needs(entries)
    classes = _prepare_entries(state, tree, key, entries)
    data[key] = entries
    for inner in (ExecutorModel, NodeModel, FlowOptions):
        inner.model_rebuild()  # once: pydantic would build each again inside of those around it
    model, problems = validated(FlowModel, tree, data)
    state.problems += problems
    graph_problems(state, tree, key, entries)
    _check_name(state, tree, data)
    reader = _node_reader(state, tree, data)
    state.problems += worker_port_problems(tree, reader.options)
    nodes = []
    for n, entry in enumerate(entries):
        # What is right about a wrong one is still followed, so that one check shows everything.
        if entry is None or isinstance(entry, Mapping):
            node = reader.node((key, n), entry, classes.get(n, {}))
            nodes += [node] if node is not None else []
    is_whole = model is not None and len(nodes) == len(entries)
    if is_whole and reader.options.inspect == "REMOVE":
        nodes = without(nodes)
    return reader.options, nodes, is_whole


def _known_options(state: LoadState, tree: Tree, given: Mapping[str, Any]) -> dict[str, Any]:
    """The `with` without what is ignored, and without what is refused, which is reported."""
    kept = state.without_ignored(tree, ("with",), given, IGNORED_OPTIONS)
    make_words(kept)
    state.problems += refused_keys(tree, ("with",), kept, REFUSED_OPTIONS)
    state.problems += devices.problems(tree, ("with", "env"), kept.get("env"))
    state.problems += strategy_notes(tree, ("with",), kept)
    inspect = kept.get("inspect")
    if isinstance(inspect, str) and inspect.upper() == "HANG":
        del kept["inspect"]
        message = "`inspect: HANG` is not supported"
        hint = "set `floating: true` on that executor instead: nothing waits for its results"
        path = ("with", "inspect")
        state.problems.append(tree.problem(path, "not-supported", message, hint=hint))
    return kept


def _prepare_entries(
    state: LoadState, tree: Tree, key: str, entries: list[Any]
) -> dict[int, dict[str, ExecutorClass]]:
    """Leave the known keys in each entry; take out the classes, which no YAML type describes."""
    classes: dict[int, dict[str, ExecutorClass]] = {}
    for n, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            continue
        entries[n] = known_entry(state, tree, (key, n), entry)
        for name in ("uses", "uses_before", "uses_after"):
            cls = entry.get(name)
            if not isinstance(cls, type):
                continue
            del entries[n][name]
            if issubclass(cls, BaseExecutor):
                classes.setdefault(n, {})[name] = cls
            else:
                message = f"{cls.__name__} is not an Executor: it does not subclass jina.Executor"
                state.problems.append(tree.problem((key, n, name), "not-an-executor", message))
    return classes


def _node_reader(state: LoadState, tree: Tree, data: Mapping[str, Any]) -> NodeReader:
    """A reader of the nodes, with what holds for all of them."""
    options, lacks_modules = _options(tree, data)
    workspace = tree.source.absolute(options.workspace) or str(current_folder())
    path = ("with", "py_modules")
    state = state.with_folders(tree.source.folders(options.extra_search_paths), ())
    if state.options.only_graph:
        return NodeReader(state, tree, options, workspace, [], lacks_modules)
    shared = state.located_modules(tree, path, options.py_modules, tree.source.folder)
    lacks_modules = lacks_modules or len(shared) < len(options.py_modules)
    return NodeReader(state, tree, options, workspace, shared, lacks_modules)


def _options(tree: Tree, data: Mapping[str, Any]) -> tuple[FlowOptions, bool]:
    """The options as far as they are right, and whether modules may be missing in them."""
    given = {} if data.get("with") is None else data["with"]
    is_map = isinstance(given, Mapping)
    options, wrong = usable(FlowOptions, given if is_map else {})
    if not isinstance(options, FlowOptions):
        return FlowOptions.model_validate({}), True
    options.keys = tree.source.absolute(options.keys) or None
    uncertain = uncertain_sections(tree, wrong, known_keys(FlowOptions))
    known = known_keys(FlowModel)
    has_typo = any(near_key(key, known) == "with" for key in data if key not in known)
    return options, "modules" in uncertain or has_typo or not is_map


def _check_name(state: LoadState, tree: Tree, data: Mapping[str, Any]) -> None:
    """The Flow's name becomes a folder too."""
    options = data.get("with")
    inner = options.get("name") if isinstance(options, Mapping) else None
    for path, name in ((("name",), data.get("name")), (("with", "name"), inner)):
        if not isinstance(name, str) or isinstance(name, Unresolved):
            continue
        if not SAFE_NAME.fullmatch(name):
            state.problems.append(
                tree.problem(path, "bad-name", f"{name!r} is not a valid Flow name", hint=NAME_HINT)
            )


def _is_flow(state: LoadState, tree: Tree, data: Mapping[str, Any]) -> bool:
    """Whether it is a Flow of a version we know; reports why not."""
    jtype = data.get("jtype")
    if isinstance(jtype, str) and jtype not in ("Flow", "AsyncFlow"):
        close = near_name(jtype, ["Flow"])
        hint = "did you mean `Flow`?" if close else "check an Executor with `jina executor check`"
        message = f"this is {jtype!r}; expected a Flow"
        state.problems.append(tree.problem(("jtype",), "not-a-flow", message, hint=hint))
        return False
    version = "1" if data.get("version") is None else str(data["version"])
    is_known = re.fullmatch(r"1(\.\d+)?", version) is not None
    if version not in ("1", "1.0"):
        state.problems.append(_odd_version(tree, version, is_known=is_known))
    return is_known


def _odd_version(tree: Tree, version: str, *, is_known: bool) -> Problem:
    hint = "write `version: '1'`"
    if is_known:
        message = f"version {version} is treated as version 1"
        return tree.problem(("version",), "old-version", message, severity="warning", hint=hint)
    message = f"version {version!r} of the Flow YAML is not supported"
    return tree.problem(("version",), "bad-version", message, hint=hint)


def _entries(state: LoadState, tree: Tree, data: dict[str, Any]) -> tuple[str, list[Any]]:
    """The list of executors, and its key."""
    key = "pods" if "pods" in data and "executors" not in data else "executors"
    if "pods" in data and "executors" in data:
        del data["pods"]
        state.problems.append(_both_spellings(tree))
    found = data.get(key)
    if isinstance(found, list):
        if not found:
            state.problems.append(_empty(tree, key))
        return key, list(found)
    if found is not None:
        data[key] = []
        message = f"`{key}` is {kind(found)}; expected a list"
        hint = "write each executor as `- name: …`"
        state.problems.append(tree.problem((key,), "wrong-type", message, at="key", hint=hint))
    elif not _has_typo(data):
        state.problems.append(_empty(tree, key))
    return key, []


def _both_spellings(tree: Tree) -> Problem:
    return tree.problem(
        ("pods",),
        "unknown-key",
        "`pods` is the old name of `executors`; both are set",
        at="key",
        hint="keep only `executors`",
        notes=[tree.note(("executors",), "`executors` is here", "key")],
    )


def _has_typo(data: Mapping[str, Any]) -> bool:
    """Whether an unknown key may have meant `executors`: then that is reported instead."""
    unknown = [name for name in data if name not in known_keys(FlowModel)]
    return any(near_name(name, ["executors", "pods"]) for name in unknown)


def _empty(tree: Tree, key: str) -> Problem:
    at: DataPath = (key,) if (key,) in tree.keys else ()
    return tree.problem(
        at,
        "empty-flow",
        "this Flow has no executors; Documents pass through it unchanged",
        at="key",
        hint="add some: `executors: [{uses: my.yml}]`",
        severity="warning",
    )
