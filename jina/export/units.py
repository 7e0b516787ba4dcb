"""Which containers a Flow needs: one for the gateway, and one or several for each executor.

An executor that passes Documents through, and what runs before and after shards, need no container:
they run in that of the gateway.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os.path import dirname, isabs
from pathlib import Path

from jina.config.flows import FlowConfig
from jina.config.nodes import NodeConfig
from jina.config.problems import Problem, ordered, result_or_raise
from jina.config.secrets import looks_secret
from jina.defaults import CLOSE_GRACE_S, DELIVERY_GRACE_S, DRAIN_GRACE_S, KILL_GRACE_S
from jina.executors.spec import ExecutorSpec
from jina.export import files
from jina.export.ports import CLIENTS_PORT, HTTP_PORT, WORKERS_PORT
from jina.names import DEVICES

FOLDER = "/flow"
"""Where the YAML and the modules are in every container."""
MAX_FILES_BYTES = 1_000_000
"""Of all files together: Kubernetes refuses a ConfigMap of more than 1 MiB."""

_WRITES = re.compile(r"\bself\s*\.\s*(workspace|get_file_from_workspace)\b")
_GPU_TURNS = re.compile(r"RR\s*\[?\s*(\S*?)\s*\]?")
_SPARE_S = 5.0
_NOT_SERVED = ("runtime_args", "dump_path")


@dataclass(frozen=True)
class Asked:
    """What the command line says.

    Attributes:
        image: of every container that has none of its own.
        images: node -> its image.
        project: absolute folder that the modules must be in.
        may_be_empty: workspaces start empty, even where there are files here.
        max_replicas: up to how many replicas the load may ask for; 0 for no autoscaling.
        with_secrets: whether Secrets are written; else they exist already.
    """

    image: str
    project: Path
    images: Mapping[str, str] = field(default_factory=dict)
    may_be_empty: bool = False
    max_replicas: int = 0
    with_secrets: bool = True


@dataclass(frozen=True)
class Unit:
    """One executor, in containers of its own.

    Attributes:
        name: of the node.
        image: that its containers run.
        yaml: path of its YAML, relative to `FOLDER`.
        replicas: of each shard.
        shards: into how many parts it is divided.
        is_stateful: it keeps files in its workspace.
        may_write: nobody can see here whether it does: some of its modules are only in the image.
        env: what everybody may see.
        secret_env: what nobody may see.
        cores: that its processes use, as far as the YAML says so; 0 is unknown.
        gpus: for each process.
        grace_s: from the request to stop until it is killed.
    """

    name: str
    image: str
    yaml: str
    replicas: int = 1
    shards: int = 1
    is_stateful: bool = False
    may_write: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict)
    cores: int = 0
    gpus: int = 0
    grace_s: int = 0

    @property
    def is_sharded(self) -> bool:
        """Whether each container has a shard."""
        return self.shards > 1

    @property
    def has_volume(self) -> bool:
        """Whether its files outlive its containers."""
        return self.is_stateful or self.is_sharded

    @property
    def pods(self) -> int:
        """Containers: one for each shard; replicas of what writes no files have their own."""
        return self.shards if self.has_volume else self.replicas

    @property
    def processes(self) -> int:
        """In each container."""
        return self.replicas if self.has_volume else 1

    def command(self, gateway: str, keys: str, shard: str) -> list[str]:
        """The words of the command that serves it.

        Args:
            gateway: name of its host.
            keys: folder of the keys.
            shard: number of the shard, where there are several.
        """
        words = ["jina", "executor", "serve", f"{FOLDER}/{self.yaml}", "--name", self.name]
        words += ["--gateway", f"tcp://{gateway}:{WORKERS_PORT}", "--keys", keys]
        if self.is_sharded:
            words += ["--shard", shard]
        if self.processes > 1:
            words += ["--replicas", str(self.processes)]
        # Whoever names a workspace counts as stateful: a replacement waits for the lease.
        return [*words, "--workspace", "/workspace"] if self.has_volume or self.may_write else words


@dataclass(frozen=True)
class Exported:
    """A Flow, ready to be written in one of the forms.

    Attributes:
        flow: its name.
        asked: what the command line says.
        units: in the order of the Flow.
        files: path relative to `FOLDER` -> text, sorted.
        flow_yaml: path of the Flow's own YAML.
        image: of the gateway.
        gateway_grace_s: from the request to stop until it is killed.
        needs_api_key: HTTP asks for a key.
        api_key_file: where the user keeps those; "" where one is made.
        secret_env: what nobody may see of the environment of Executors that run in the gateway's
            container.
        warnings: what is left out.
    """

    flow: str
    asked: Asked
    units: list[Unit]
    files: dict[str, str]
    flow_yaml: str
    image: str
    gateway_grace_s: int
    needs_api_key: bool
    api_key_file: str = ""
    secret_env: Mapping[str, str] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """The folder of the Flow's YAML, in which Executors run."""
        return f"{FOLDER}/{dirname(self.flow_yaml)}".rstrip("/")

    def gateway_command(self, keys: str, api_keys: str) -> list[str]:
        """The words of the command that runs the gateway and serves HTTP.

        Args:
            keys: folder of the keys.
            api_keys: file of the keys of HTTP.
        """
        words = ["jina", "flow", "up", f"{FOLDER}/{self.flow_yaml}", "--host", "0.0.0.0"]
        words += ["--port", str(CLIENTS_PORT), "--worker-port", str(WORKERS_PORT), "--keys", keys]
        words += ["--http", f"0.0.0.0:{HTTP_PORT}"]
        if self.needs_api_key:
            return [*words, "--api-key-file", api_keys]
        return [*words, "--insecure-no-auth"]


def exported(
    config: FlowConfig,
    asked: Asked,
    modules: Callable[[ExecutorSpec], Mapping[Path, str]],
    names: Callable[[FlowConfig], Iterator[Problem]],
    held: Callable[[str], int],
) -> Exported:
    """Plan the containers of a Flow.

    Args:
        config: of the Flow.
        asked: see there.
        modules: tells the files of an Executor's code, with their text.
        names: finds the names that the form of output refuses.
        held: tells how many files a folder holds here.

    Raises:
        ConfigError: with everything that cannot be exported, each thing at its place.
    """
    problems = list(names(config))
    layout = files.Layout(asked.project)
    found: dict[str, str] = {}
    units: list[Unit] = []
    for node in config.executors:
        problems += _node_problems(node, asked, held)
        for key, spec in executors_of(node):
            texts = dict(modules(spec))
            told = functools.partial(problem_of, node, key)
            problems += files.outside(spec, layout, texts, told)
            for file, text in texts.items():
                if (place := layout.place(file)) is not None:
                    found[place] = text
            if key == "uses" and has_containers(node) and not problems:
                units.append(_unit(node, spec, asked, layout, texts))
                found[units[-1].yaml] = files.executor_yaml(spec, layout, units[-1].yaml)
    result_or_raise(problems or True, problems)
    path = layout.flow_yaml(config.file)
    served = {unit.name for unit in units}
    found[path], left_out = files.flow_yaml(config, layout, path, served)
    result_or_raise(True, list(_too_much(config, found)))
    api_key_file = str(config.http.values.get("api_key_file", ""))
    return Exported(
        flow=config.name,
        asked=asked,
        units=units,
        files=dict(sorted(found.items())),
        flow_yaml=path,
        image=asked.image,
        gateway_grace_s=_gateway_grace_s(config),
        needs_api_key=bool(api_key_file) or not config.http.values.get("insecure_no_auth"),
        api_key_file=api_key_file,
        secret_env=_gateway_secrets(config),
        warnings=ordered([*left_out, *_without_effect(config), *_shown_secrets(config)]),
    )


def executors_of(node: NodeConfig) -> Iterator[tuple[str, ExecutorSpec]]:
    """The key of a node's entry, and the Executor that it names."""
    for key, neighbour in (("uses_before", node.before), ("uses_after", node.after)):
        if neighbour is not None:
            yield key, neighbour.executor
    yield "uses", node.executor


def passes_through(node: NodeConfig) -> bool:
    """Whether it runs no code of the user, so that it needs no container."""
    return node.executor.jtype in ("", "BaseExecutor") and node.shards == 1


def has_containers(node: NodeConfig) -> bool:
    """Whether it is neither served elsewhere nor runs in the gateway's container."""
    return not (node.is_external or passes_through(node))


def problem_of(node: NodeConfig, key: str, code: str, message: str, hint: str) -> Problem:
    """A problem at a key of a node's entry, or at the entry if it does not have that."""
    if node.origin is None or not node.origin.overlays:
        return Problem(code, message, path=f"{node.name}.{key}", hint=hint)
    tree, at = node.origin.overlays[0]
    return tree.problem((*at, key), code, message, hint=hint)


def keeps_files(node: NodeConfig, texts: Iterable[str]) -> bool:
    """Whether an executor keeps files in its workspace, as far as can be seen.

    Args:
        node: the executor.
        texts: of its modules.
    """
    return any(map(_WRITES.search, texts)) or _names_workspace(node)


def _unit(
    node: NodeConfig,
    spec: ExecutorSpec,
    asked: Asked,
    layout: files.Layout,
    texts: Mapping[Path, str],
) -> Unit:
    env = {key: value for key, value in node.env.items() if key != DEVICES}
    own = layout.executor_yaml(node)
    # The folder of its YAML is searched anyway, and comes behind the modules of Python.
    known = {str(layout.place(file.parent)) for file in texts} - {dirname(own) or "."}
    if paths := [path for path in layout.search_paths(spec) if path in known]:
        env["PYTHONPATH"] = ":".join(f"{FOLDER}/{path}".removesuffix("/.") for path in paths)
    if node.threads:
        env.setdefault("OMP_NUM_THREADS", str(node.threads))
    processes_s = DRAIN_GRACE_S + node.stop_grace_s + KILL_GRACE_S + _SPARE_S
    is_stateful = keeps_files(node, texts.values())
    threads = node.threads or 0
    unit = Unit(
        name=node.name,
        image=asked.images.get(node.name, asked.image),
        yaml=own,
        replicas=node.replicas,
        shards=node.shards,
        is_stateful=is_stateful,
        may_write=not all(map(isabs, spec.py_modules)),
        env={key: value for key, value in sorted(env.items()) if not looks_secret(key)},
        secret_env={key: value for key, value in sorted(env.items()) if looks_secret(key)},
        gpus=_gpus(node.env.get(DEVICES, "")),
        grace_s=round(processes_s),
    )
    return replace(unit, cores=threads * unit.processes)


def _gpus(value: str) -> int:
    """How many GPUs each process gets: one of those that take turns, else those that are named."""
    if not value or value in ("-1", "none"):
        return 0
    return 1 if _GPU_TURNS.fullmatch(value) else len(value.split(","))


def _names_workspace(node: NodeConfig) -> bool:
    return "workspace" in node.marks or bool(node.executor.metas.get("workspace"))


def _gateway_secrets(config: FlowConfig) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in config.executors:
        for neighbour in (node.before, node.after):
            if neighbour is not None:
                found |= node.env_around(neighbour.origin)
    return {key: value for key, value in sorted(found.items()) if looks_secret(key)}


def _gateway_grace_s(config: FlowConfig) -> int:
    inner = [node.stop_grace_s for node in config.executors if passes_through(node)]
    inner += [CLOSE_GRACE_S for node in config.executors if node.before or node.after]
    last_s = max(inner, default=0.0) + KILL_GRACE_S
    return round(DRAIN_GRACE_S + last_s + DELIVERY_GRACE_S + _SPARE_S)


def _node_problems(node: NodeConfig, asked: Asked, held: Callable[[str], int]) -> Iterator[Problem]:
    if node.container is not None:
        yield problem_of(
            node,
            "uses",
            "container-here",
            f"{node.name!r} runs in a container that its Flow starts; that is not exported",
            f"name the Executor's YAML in `uses`, and export with --image {node.name}="
            f"{node.container.image}",
        )
    if node.python:
        yield problem_of(
            node,
            "python" if "python" in node.marks else "venv",
            "interpreter-here",
            f"{node.name!r} runs with an interpreter of this machine, {node.python}",
            f"make an image for it and leave this out: --image {node.name}=IMAGE",
        )
    workspace = str(node.executor.metas.get("workspace") or node.workspace)
    count = held(workspace) if _names_workspace(node) and not asked.may_be_empty else 0
    if count:
        yield problem_of(
            node,
            "workspace",
            "workspace-here",
            f"{workspace} holds {count:,} file{'' if count == 1 else 's'}, which a container does "
            "not have",
            "export with --empty-workspaces, and copy the files into the volume if you need them",
        )


def _too_much(config: FlowConfig, found: Mapping[str, str]) -> Iterator[Problem]:
    size = sum(len(text.encode()) for text in found.values())
    if size > MAX_FILES_BYTES:
        yield Problem(
            "files-too-large",
            f"its YAML and modules have {size:,} bytes; at most {MAX_FILES_BYTES:,} fit",
            file=str(config.file or ""),
            hint="install the modules in the image, and name them with dots: `py_modules: a.b`",
        )


def _without_effect(config: FlowConfig) -> Iterator[Problem]:
    """What an entry says that `jina executor serve` cannot be told."""
    for node in config.executors:
        for key in _NOT_SERVED:
            if key in node.marks and has_containers(node):
                message = f"`{key}` is left out: it has no effect on an Executor that is served"
                hint = "use `uses_with`"
                yield replace(problem_of(node, key, "left-out", message, hint), severity="warning")


def _shown_secrets(config: FlowConfig) -> Iterator[Problem]:
    """Arguments that look secret, and are written where everybody with the files can read them."""
    for node in config.executors:
        origin = node.origin
        for name in node.executor.with_ if origin is not None else ():
            if origin is not None and looks_secret(name):
                tree, at = origin.place("with", name)
                yield tree.problem(
                    at,
                    "shown-secret",
                    f"the value of `{name}` is written in plain text",
                    hint="hand it over in `env`: what looks secret there goes into a Secret",
                    severity="warning",
                )
