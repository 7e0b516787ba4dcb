"""A Flow's YAML, checked: `load_flow`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from jina.config.doubts import doubts
from jina.config.messages import known_keys, near_key, usable, validated
from jina.config.nodes import (
    NodeConfig,
    NodeReader,
    absolute_folder,
    graph_problems,
    known_entry,
)
from jina.config.pieces import Loading, SearchPaths, extra_folders, modules, without_ignored
from jina.config.problems import Problem, errors_in, ordered, settled
from jina.config.scalars import kind
from jina.config.schema import IGNORED_FLOW, IGNORED_OPTIONS, FlowModel, FlowOptions
from jina.config.source import Source, current_folder, open_source
from jina.config.tree import DataPath, Tree
from jina.config.variables import Unresolved
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
    """

    name: str
    file: Path | None
    executors: list[NodeConfig]
    options: FlowOptions
    warnings: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


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
        extra_search_paths: further folders where modules and YAML files are looked for, behind the
            folder of the YAML.

    Raises:
        BadConfigSource: there is nothing usable at `source`.
        BadYAMLVersion: the version is not supported.
        ConfigError: carries every problem at its place.
    """
    config, problems = inspect_flow(
        source,
        context=context,
        env=env,
        substitute=substitute,
        extra_search_paths=extra_search_paths,
    )
    return settled(config, problems)


def inspect_flow(
    source: Any,
    *,
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    extra_search_paths: SearchPaths = None,
) -> tuple[FlowConfig | None, list[Problem]]:
    """Like `load_flow`, but return what is wrong instead of raising it.

    Returns:
        the config, None when there are errors; and all problems, warnings too, in their order.
    """
    found = read_flow(
        source,
        context=context,
        env=env,
        substitute=substitute,
        extra_search_paths=extra_search_paths,
    )
    return found.config, found.problems


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


def read_flow(
    source: Any,
    *,
    context: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    substitute: bool = True,
    extra_search_paths: SearchPaths = None,
) -> FlowReading:
    """Like `inspect_flow`, with the nodes that can be looked at though something is wrong."""
    loading = Loading(env, context or {}, substitute, extra=extra_folders(extra_search_paths))
    opened = open_source(source, what="Flow", extra=loading.extra)
    if isinstance(opened, Problem):
        return FlowReading(None, [], [opened])
    tree = loading.tree(opened)
    if tree.data is None or not isinstance(tree.data, Mapping):
        if not tree.problems:
            loading.problems.append(_not_a_flow(tree))
        return FlowReading(None, [], ordered(loading.problems))
    options, nodes, is_whole = _flow(loading, tree)
    problems = ordered(loading.problems)
    if not is_whole or errors_in(problems):
        return FlowReading(None, nodes, problems)
    name, warnings = _name(tree.data, opened), list(problems)
    config = FlowConfig(name, opened.path, nodes, options, warnings, loading.files)
    return FlowReading(config, nodes, problems)


def flow_name(source: Any) -> str:
    """The name that a Flow's YAML gives it, else its file's stem, else "flow".

    It reads no more than it must: problems are left to `load_flow`.
    """
    opened = open_source(source, what="Flow")
    if isinstance(opened, Problem):
        return "flow"
    tree = Loading().tree(opened)
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
        (), "wrong-type", "a Flow is a map; expected `jtype: Flow` and `executors:` in it"
    )


def _flow(loading: Loading, tree: Tree) -> tuple[FlowOptions, list[NodeConfig], bool]:
    """The options, the nodes that can be used, and whether these are all there are."""
    data = dict(tree.data)
    if not _is_flow(loading, tree, data):
        return FlowOptions.model_validate({}), [], False
    data = without_ignored(loading, tree, (), data, IGNORED_FLOW)
    if isinstance(data.get("with"), Mapping):
        data["with"] = without_ignored(loading, tree, ("with",), data["with"], IGNORED_OPTIONS)
    key, entries = _entries(loading, tree, data)
    classes: dict[int, type[BaseExecutor]] = {}
    for n, entry in enumerate(entries):
        if isinstance(entry, Mapping):
            entries[n] = known_entry(loading, tree, (key, n), entry)
            if isinstance(entry.get("uses"), type):
                # A class of this process, from Python: no YAML type describes it.
                cls = entries[n].pop("uses")
                if issubclass(cls, BaseExecutor):
                    classes[n] = cls
                    continue
                message = f"{cls.__name__} is no Executor: it does not subclass jina.Executor"
                loading.problems.append(tree.problem((key, n, "uses"), "not-an-executor", message))
    data[key] = entries
    model, problems = validated(FlowModel, tree, data)
    loading.problems += problems
    graph_problems(loading, tree, key, entries)
    _check_name(loading, tree, data)
    options, lacks_modules = _options(tree, data)
    workspace = absolute_folder(tree, options.workspace) or str(current_folder())
    shared = modules(loading, tree, ("with", "py_modules"), options.py_modules, tree.source.folder)
    lacks_modules = lacks_modules or len(shared) < len(options.py_modules)
    reader = NodeReader(loading, tree, options, workspace, shared, lacks_modules)
    nodes = []
    for n, entry in enumerate(entries):
        # What is right about a wrong one is still followed: everything is said at once.
        if entry is None or isinstance(entry, Mapping):
            node = reader.node((key, n), entry, classes.get(n))
            nodes += [node] if node is not None else []
    return options, nodes, model is not None and len(nodes) == len(entries)


def _options(tree: Tree, data: Mapping[str, Any]) -> tuple[FlowOptions, bool]:
    """The options as far as they are right, and whether modules may be missing in them."""
    given = data.get("with")
    options, wrong = usable(FlowOptions, given if isinstance(given, Mapping) else {})
    doubtful = doubts(tree, wrong, known_keys(FlowOptions))
    keys = [key for key in data if key not in known_keys(FlowModel)]
    is_short = "modules" in doubtful or any(
        near_key(key, known_keys(FlowModel)) == "with" for key in keys
    )
    is_short = is_short or not (given is None or isinstance(given, Mapping))
    if isinstance(options, FlowOptions):
        return options, is_short
    return FlowOptions.model_validate({}), True


def _check_name(loading: Loading, tree: Tree, data: Mapping[str, Any]) -> None:
    """The Flow's name becomes a folder too."""
    options = data.get("with")
    inner = options.get("name") if isinstance(options, Mapping) else None
    for path, name in ((("name",), data.get("name")), (("with", "name"), inner)):
        if (
            isinstance(name, str)
            and not isinstance(name, Unresolved)
            and not SAFE_NAME.fullmatch(name)
        ):
            loading.problems.append(
                tree.problem(path, "bad-name", f"{name!r} cannot be a Flow's name", hint=NAME_HINT)
            )


def _is_flow(loading: Loading, tree: Tree, data: Mapping[str, Any]) -> bool:
    """Whether it is a Flow of a version we know; says why not."""
    jtype = data.get("jtype")
    if isinstance(jtype, str) and jtype not in ("Flow", "AsyncFlow"):
        close = near_name(jtype, ["Flow"])
        loading.problems.append(
            tree.problem(
                ("jtype",),
                "not-a-flow",
                f"this is {jtype!r}; expected a Flow",
                hint="did you mean `Flow`?"
                if close
                else "check an Executor with `jina executor check`",
            )
        )
        return False
    version = str(data.get("version", "1"))
    if version == "1" or data.get("version") is None:
        return True
    if re.fullmatch(r"1\.\d+", version):
        if version != "1.0":
            loading.problems.append(
                tree.problem(
                    ("version",),
                    "old-version",
                    f"version {version} is read as version 1",
                    severity="warning",
                    hint="write `version: '1'`",
                )
            )
        return True
    loading.problems.append(
        tree.problem(
            ("version",),
            "bad-version",
            f"version {version!r} of the Flow YAML is not supported",
            hint="write `version: '1'`",
        )
    )
    return False


def _entries(loading: Loading, tree: Tree, data: dict[str, Any]) -> tuple[str, list[Any]]:
    """The list of executors, and which key it stands under."""
    key = "pods" if "pods" in data and "executors" not in data else "executors"
    if "pods" in data and "executors" in data:
        loading.problems.append(
            tree.problem(
                ("pods",),
                "unknown-key",
                "`pods` is the older spelling of `executors`; here are both",
                at="key",
                hint="keep `executors`",
                notes=[tree.note(("executors",), "`executors` stands here", "key")],
            )
        )
        del data["pods"]
    found = data.get(key)
    if isinstance(found, list):
        if not found:
            _empty(loading, tree, key)
        return key, list(found)
    if found is not None:
        loading.problems.append(
            tree.problem(
                (key,),
                "wrong-type",
                f"`{key}` is {kind(found)}; expected a list",
                at="key",
                hint="write each executor as `- name: …`",
            )
        )
        data[key] = []
    elif not _has_typo(data):
        _empty(loading, tree, key)
    return key, []


def _has_typo(data: Mapping[str, Any]) -> bool:
    """Whether an unknown key may have meant `executors`: then that is reported instead."""
    unknown = [name for name in data if name not in known_keys(FlowModel)]
    return any(near_name(name, ["executors", "pods"]) for name in unknown)


def _empty(loading: Loading, tree: Tree, key: str) -> None:
    at: DataPath = (key,) if (key,) in tree.keys else ()
    loading.problems.append(
        tree.problem(
            at,
            "empty-flow",
            "this Flow has no executors; Documents pass through it unchanged",
            at="key",
            hint="add some: `executors: [{uses: my.yml}]`",
            severity="warning",
        )
    )
