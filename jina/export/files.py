"""The files that the containers read: the Flow's YAML, one for each executor, and the modules.

They have the same folders as in the project, so that modules find each other as they do here. Those
of the catalogue are in `catalogue/NAME`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jina.config import catalogue
from jina.config.dumping import dumped
from jina.config.flows import FlowConfig
from jina.config.http_schema import HTTP_FILES, HttpModel, HttpOptions
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem
from jina.config.secrets import looks_secret
from jina.config.tree import value_at
from jina.executors.modules import is_path
from jina.executors.spec import ExecutorSpec
from jina.export.ports import HTTP_PORT

_CATALOGUE = "catalogue"
#: Of an entry: what the gateway has to know. The rest is the affair of the executor's containers.
_OF_THE_GRAPH = (
    *("method", "needs", "shards", "parallel", "polling", "disable_reduce", "no_reduce"),
    *("floating", "timeout", "retries", "on_error", "on_error_strategy", "timeout_ready"),
)
#: Of `with`: what is not the affair of the gateway, or is written elsewhere.
_NOT_OF_THE_FLOW = {
    *("name", "workspace", "env", "py_modules", "extra_search_paths", "threads", "http"),
    *("worker_port", "worker_host", "keys"),  # the command says them
    *HttpModel.model_fields,
    *HttpOptions.model_fields,
}
#: Of `http`: what the command says.
_ADDRESS = {"host", "port", "insecure_no_auth", "api_key_file"}
_TLS = {"ssl_certfile", "ssl_keyfile"}


@dataclass
class Layout:
    """Where the files of a project are in the containers.

    Attributes:
        project: absolute folder that becomes the folder of all files.
    """

    project: Path
    _catalogues: list[Path] = field(default_factory=catalogue.folders)

    def place(self, path: Path) -> str | None:
        """Path of a file or folder, relative to the folder of all files; None if it is outside."""
        whole = Path(os.path.abspath(path))
        if whole.is_relative_to(self.project):
            return whole.relative_to(self.project).as_posix()
        for folder in self._catalogues:
            if whole.is_relative_to(folder):
                return f"{_CATALOGUE}/{whole.relative_to(folder).as_posix()}"
        return None

    def flow_yaml(self, file: Path | None) -> str:
        """Path of the Flow's own YAML."""
        place = None if file is None else self.place(file)
        return place or "flow.yml"

    def executor_yaml(self, node: NodeConfig) -> str:
        """Path of the YAML of a node's Executor: beside the one that it was written in."""
        folder = "." if node.origin is None else self.place(node.origin.folder)
        name = f"{node.name}.executor.yml"
        return name if folder in (None, ".") else f"{folder}/{name}"

    def search_paths(self, spec: ExecutorSpec) -> list[str]:
        """The folders where modules are looked for, as far as they come along."""
        found = [self.place(Path(folder)) for folder in spec.search_paths]
        return list(dict.fromkeys(place for place in found if place is not None))

    def relative(self, path: str, folder: str) -> str:
        """A path of `py_modules` as a file in a folder of the containers names it."""
        place = self.place(Path(path)) if is_path(path) else None
        if place is None:
            return path
        name = os.path.relpath(place, folder or ".")
        return name if is_path(name) else f"./{name}"


def executor_yaml(
    spec: ExecutorSpec, layout: Layout, path: str, env: Mapping[str, str] | None = None
) -> str:
    """The YAML of one Executor, with everything that the Flow sets.

    Args:
        spec: of the Executor.
        layout: of the files.
        path: of the YAML.
        env: environment of its processes; None where the containers set it.
    """
    data = _executor(spec, layout, os.path.dirname(path))
    return dumped({**data, "env": dict(env)} if env else data)


def outside(
    spec: ExecutorSpec,
    layout: Layout,
    found: Iterable[Path],
    problem: Callable[[str, str, str], Problem],
) -> Iterator[Problem]:
    """The code of an Executor that does not come along.

    Args:
        spec: of the Executor.
        layout: of the files.
        found: the files of its code.
        problem: makes one of a code, a message and a hint.
    """
    if spec.live:
        yield problem(
            "live-class",
            f"{spec.jtype!r} is a class of a running program, which no container can import",
            "write it in a file, and name that: `uses: my.yml` or `uses: file.py:Class`",
        )
    named = [Path(each) for each in spec.py_modules if is_path(each)]
    for path in dict.fromkeys([*named, *found]):
        if layout.place(path) is None:
            yield problem(
                "module-outside",
                f"{path} is outside of the project's folder, {layout.project}",
                "move it there, or name a folder that holds both: --project DIR",
            )


def _executor(spec: ExecutorSpec, layout: Layout, folder: str) -> dict[str, Any]:
    metas = {k: v for k, v in spec.metas.items() if k not in ("py_modules", "workspace")}
    data = {
        "jtype": spec.jtype or "BaseExecutor",
        "with": spec.with_,
        "metas": {key: value for key, value in metas.items() if value is not None},
        "requests": spec.requests,
        "dynamic_batching": spec.dynamic_batching,
        "py_modules": [layout.relative(each, folder) for each in spec.py_modules],
    }
    return {key: value for key, value in data.items() if value}


def flow_yaml(
    config: FlowConfig, layout: Layout, path: str, served: set[str]
) -> tuple[str, list[Problem]]:
    """The Flow's own YAML, in which others serve the executors.

    Args:
        config: of the Flow.
        layout: of the files.
        path: of the YAML.
        served: the executors that have containers of their own.

    Returns:
        the text, and warnings of what is left out.
    """
    folder = os.path.dirname(path)
    options = config.options.model_dump(exclude_none=True, exclude_defaults=True)
    data: dict[str, Any] = {"jtype": "Flow", "version": "1", "name": config.name}
    if kept := {k: v for k, v in options.items() if k not in _NOT_OF_THE_FLOW}:
        data["with"] = kept
    if http := _http(config):
        data["http"] = http
    data["executors"] = [
        _entry(node, layout, folder, is_served=node.name in served) for node in config.executors
    ]
    left_out = [
        config.http.problem(
            key, "left-out", f"`{key}` is left out", "let what is in front of it speak TLS"
        )
        for key in HTTP_FILES
        if key in _TLS and key in config.http.values
    ]
    return dumped(data), left_out


def _http(config: FlowConfig) -> dict[str, Any]:
    values = config.http.values
    kept = {key: values[key] for key in values if key not in _ADDRESS | _TLS}
    if "timeout" in kept:
        kept["timeout"] = f"{kept['timeout']:g}s"
    # As the command of the gateway says; without a port, a check would say that nothing is served.
    return {"port": HTTP_PORT, **kept} if kept else kept


def _entry(node: NodeConfig, layout: Layout, folder: str, *, is_served: bool) -> dict[str, Any]:
    """The entry of an executor, in the order in which people write it."""
    data: dict[str, Any] = {"name": node.name}
    if is_served or node.is_external:
        data["external"] = True
    for key, neighbour in (("uses_before", node.before), ("uses_after", node.after)):
        if neighbour is not None:
            whole = node.env_around(neighbour.origin)
            # What is secret is in the environment of the gateway, which they inherit.
            env = {key: value for key, value in whole.items() if not looks_secret(key)}
            executor = _executor(neighbour.executor, layout, folder)
            data[key] = {**executor, "env": env} if env else executor
    if node.needs is not None:
        data["needs"] = list(node.needs)
    written = _written(node)
    return data | {key: written[key] for key in _OF_THE_GRAPH if key in written and key != "needs"}


def _written(node: NodeConfig) -> Mapping[str, Any]:
    if node.origin is None or not node.origin.overlays:
        return {}
    tree, at = node.origin.overlays[0]
    entry = value_at(tree.data, at)
    return entry if isinstance(entry, Mapping) else {}
