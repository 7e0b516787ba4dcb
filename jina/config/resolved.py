"""A Flow as it is understood: files merged, variables replaced, defaults filled in.

What is shown is a Flow's YAML again, which means the same from any folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jina.config.drafts import ExecutorDraft
from jina.config.dumping import dumped
from jina.config.flows import FlowConfig, flow_tree, read_flow
from jina.config.http_schema import HttpModel, HttpOptions
from jina.config.interpreters import PYTHON, VENV
from jina.config.load_state import LoadOptions
from jina.config.loader import parse
from jina.config.nodes import NodeConfig
from jina.config.problems import result_or_raise
from jina.config.schema import FlowOptions, NodeModel
from jina.config.source import Source
from jina.config.tree import DataPath, Tree, value_at
from jina.config.validation import known_keys
from jina.executors.container import ContainerSpec
from jina.executors.spec import ExecutorSpec

DEFAULT = "default"
HTTP_KEYS = {*HttpModel.model_fields, *HttpOptions.model_fields}

# Those that the entry of a node has in other words.
_SAID_ELSEWHERE = {
    *("name", "uses", "uses_with", "uses_metas", "uses_requests", "uses_dynamic_batching"),
    *("override_with", "override_metas", "override_requests", "py_modules", "parallel"),
    *("extra_search_paths", "uses_before", "uses_after", "no_reduce", VENV),
}


@dataclass
class Resolved:
    """The values, and where each comes from.

    Attributes:
        data: a Flow's YAML.
        sources: path of a value -> `flow.yml:7:5`, or "default".
        trees: all that was read.
    """

    data: dict[str, Any]
    sources: dict[DataPath, str] = field(default_factory=dict)
    trees: list[Tree] = field(default_factory=list)


def written(source: Any, options: LoadOptions) -> Resolved:
    """A Flow as its files say it, merged; nothing is looked up or filled in.

    Args:
        source: see `load_flow`.
        options: how it is loaded; with `substitute=False` variables stay.

    Raises:
        ConfigError: it cannot be read.
    """
    tree = flow_tree(source, options)
    result_or_raise(tree.data, tree.problems)
    data = tree.data if isinstance(tree.data, dict) else {}
    found = Resolved(data, trees=[tree])
    for path in tree.values:
        found.sources[path] = _place(tree, path)
    return found


def resolved(source: Any, options: LoadOptions) -> Resolved:
    """A Flow as it is understood.

    Raises:
        ConfigError: with everything that is wrong.
    """
    tree = flow_tree(source, options)
    reading = read_flow(tree, options)
    config = result_or_raise(reading.config, reading.problems)
    return _Resolver(tree, config).run()


class _Resolver:
    def __init__(self, tree: Tree, config: FlowConfig) -> None:
        self.tree = tree
        self.config = config
        self.found = Resolved({}, trees=[tree])

    def run(self) -> Resolved:
        self.put(("jtype",), "Flow", self.tree, ("jtype",))
        self.put(("version",), "1", self.tree, ("version",))
        at: DataPath = ("name",) if ("name",) in self.tree.values else ("with", "name")
        self.put(("name",), self.config.name, self.tree, at)
        self.options()
        self.http()
        self.found.data["executors"] = []
        for number, node in enumerate(self.config.executors):
            self.found.data["executors"].append({})
            self.node(("executors", number), node)
        return self.found

    def options(self) -> None:
        options: FlowOptions = self.config.options
        self.found.data["with"] = {}
        for key, value in options.model_dump(exclude_none=True, exclude={"name"}).items():
            if key == "workspace":
                value = self.tree.source.absolute(value)
            if key in ("py_modules", "extra_search_paths"):
                continue  # in each executor
            self.put(("with", key), value, self.tree, ("with", key))

    def http(self) -> None:
        """What is said of HTTP, wherever that is; ports and files as they are understood."""
        http = self.config.http
        for key in HTTP_KEYS:
            self.found.data["with"].pop(key, None)
        if not http.values and not http.is_open:
            return
        self.found.data["http"] = {}
        values = {"port": 0, **http.values} if http.is_open else http.values
        for key, value in values.items():
            at = http.places.get(key, ("http", key))
            shown = f"{value:g}s" if key == "timeout" else value
            self.put(("http", key), shown, self.tree, at)

    def node(self, to: DataPath, node: NodeConfig) -> None:
        origin = node.origin
        if origin is None:
            return
        tree, at = origin.overlays[0] if origin.overlays else (origin.tree, origin.at)
        self.put((*to, "name"), node.name, tree, (*at, "name"))
        for key, part in (("uses_before", node.before), ("uses_after", node.after)):
            if part is not None and part.origin is not None:
                self.executor((*to, key), part.executor, part.origin)
        if node.container is not None:
            self.container(to, node.container, node.executor, origin)
        elif not node.is_external:
            self.executor((*to, "uses"), node.executor, origin)
        if node.needs is not None:
            self.put((*to, "needs"), list(node.needs), tree, (*at, "needs"))
        shards: DataPath = (*at, "shards" if (*at, "shards") in tree.values else "parallel")
        self.put((*to, "replicas"), node.replicas, tree, (*at, "replicas"))
        self.put((*to, "shards"), node.shards, tree, shards)
        if node.polling:
            self.put((*to, "polling"), dict(node.polling), tree, (*at, "polling"))
        workspace = (*at, "workspace")
        place = workspace if workspace in tree.values else ("with", "workspace")
        if node.workspace or node.container is None:
            self.put((*to, "workspace"), node.workspace, tree, place)
        env = {key: value for key, value in node.env.items() if origin.env.get(key) != value}
        self.put((*to, "env"), env, tree, (*at, "env"), ("with", "env"))
        if node.python:
            key = VENV if (*at, VENV) in tree.values else PYTHON
            self.put((*to, PYTHON), node.python, tree, (*at, key))
        timeout = -1 if node.timeout_ready_s < 0 else round(node.timeout_ready_s * 1000)
        own = (*at, "timeout_ready")
        place = own if own in tree.values else ("with", "timeout_ready")
        self.put((*to, "timeout_ready"), timeout, tree, place)
        self.rest(to, tree, at)

    def container(
        self, to: DataPath, container: ContainerSpec, spec: ExecutorSpec, origin: ExecutorDraft
    ) -> None:
        """An Executor in a container: its image, and what the Flow says of it."""
        tree, at = origin.overlays[0]
        self.put((*to, "uses"), container.shown, tree, (*at, "uses"))
        said = {
            "uses_with": spec.with_,
            "uses_metas": spec.metas,
            "uses_requests": spec.requests,
            "uses_dynamic_batching": spec.dynamic_batching,
            "volumes": [each.shown for each in container.mounts if not each.is_workspace],
        }
        for key, value in said.items():
            if value:
                self.put((*to, key), value, tree, (*at, key))

    def rest(self, to: DataPath, tree: Tree, at: DataPath) -> None:
        """The keys that a node has as they are written."""
        entry = value_at(tree.data, at)
        done = value_at(self.found.data, to)
        if not isinstance(entry, Mapping):
            return
        for key in known_keys(NodeModel):
            if entry.get(key) is not None and key not in done and key not in _SAID_ELSEWHERE:
                self.put((*to, key), entry[key], tree, (*at, key))

    def executor(self, to: DataPath, spec: ExecutorSpec, origin: ExecutorDraft) -> None:
        """An Executor as a map, whatever it was written as."""
        if origin.tree not in self.found.trees:
            self.found.trees.append(origin.tree)
        value_at(self.found.data, to[:-1])[to[-1]] = {}
        jtype = spec.jtype or "BaseExecutor"
        self.put((*to, "jtype"), jtype, origin.tree, origin.jtype_path())
        sections = {
            "with": spec.with_,
            "metas": {key: value for key, value in spec.metas.items() if key != "py_modules"},
            "requests": spec.requests,
        }
        for section, values in sections.items():
            if not values:
                continue
            value_at(self.found.data, to)[section] = {}
            for key, value in values.items():
                self.put((*to, section, key), value, *origin.place(section, key))
        if spec.dynamic_batching:
            tree, place = origin.tree, (*origin.at, "dynamic_batching")
            self.put((*to, "dynamic_batching"), dict(spec.dynamic_batching), tree, place)
        if origin.env:
            self.put((*to, "env"), dict(origin.env), origin.tree, (*origin.at, "env"))
        if spec.py_modules:
            modules = list(spec.py_modules)
            self.put((*to, "py_modules"), modules, origin.tree, origin.jtype_path())

    def put(
        self, to: DataPath, value: Any, tree: Tree, at: DataPath, inherited: DataPath = ()
    ) -> None:
        """Set a value, and remember where it comes from; the same for all within it."""
        value_at(self.found.data, to[:-1])[to[-1]] = value
        for path in _paths_in(value):
            place = (*at, *path)
            if inherited and place not in tree.values:
                place = (*inherited, *path)
            self.found.sources[(*to, *path)] = _place(tree, place) or _place(tree, at) or DEFAULT


def _paths_in(value: Any) -> Iterator[DataPath]:
    yield ()
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        for path in _paths_in(inner):
            yield (key, *path)


def _place(tree: Tree, at: DataPath) -> str:
    """Where a value is written; "" where it is not, or where it has no place."""
    if at not in tree.values:
        return ""
    file, line, column = tree.mark(at)
    if not line:
        return ""
    return f"{file}:{line}:{column}"


def as_yaml(found: Resolved, *, shows_sources: bool = False) -> str:
    """A Flow's YAML; each line may end in where its value comes from."""
    text = dumped(found.data)
    if not shows_sources:
        return text
    lines = text.splitlines()
    tree = parse(Source(text))
    for path, span in tree.values.items():
        value = value_at(tree.data, path) if path else None
        is_leaf = path and (not isinstance(value, dict | list) or not value)
        if is_leaf and span.end_line == span.line and path in found.sources:
            lines[span.line - 1] += f"  # {found.sources[path]}"
    return "\n".join(lines) + "\n"
