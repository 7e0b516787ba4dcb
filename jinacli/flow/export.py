"""`jina flow export`: write a Flow as Kubernetes manifests, as a compose file, or as an image."""

from __future__ import annotations

import os
import platform
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import jina
from jina.config.flows import FlowConfig, flow_config
from jina.config.problems import Problem
from jina.excepts import ConfigError, OutputError
from jina.executors.missing import homes_of, needs_no_deps, requirement_files
from jina.executors.spec import ExecutorSpec
from jina.export import compose, dockerfile, kubernetes, names, network, readme
from jina.export.units import Asked, Exported, executors_of, exported, problem_of
from jina.transport.keys import make_key
from jinacli import exits
from jinacli.flow.given import Given
from jinacli.flow.sources import module_files
from jinacli.screens.errors import say

Refused: TypeAlias = Callable[[FlowConfig], Iterator[Problem]]

MARK = ".jina-export"
"""The file that says which files of a folder are ours."""
_IGNORED = "# Secrets.\nkeys/\nsecrets.yaml\n.env\n"
_SECRET_FILES = frozenset({"secrets.yaml", "compose.yaml", ".env"})
_KEYS = "keys"
_MAX_DATA_BYTES = 1 << 18
_MAX_NAME = 255  # characters of a value that is looked for as a file
_ROLES = ("gateway", "worker", "client")


@dataclass(frozen=True)
class Export:
    """The options of `jina flow export`.

    Attributes:
        output: the folder to write.
        images: as they are given: IMAGE, or NODE=IMAGE.
        project: the folder that the modules must be in; None for that of the Flow.
        may_be_empty: workspaces start empty, even where there are files here.
        max_replicas: 0 for no autoscaling.
        with_secrets: make keys, and write them.
        quiet: show only errors.
    """

    output: Path
    images: Sequence[str] = ()
    project: Path | None = None
    may_be_empty: bool = False
    max_replicas: int = 0
    with_secrets: bool = True
    quiet: bool = False


@dataclass
class _Output:
    """A folder that is written: the files of an earlier export are replaced, no others.

    Args:
        folder: it; made if it does not exist.
        form: of what is written: "kubernetes", "compose", "dockerfile".
    """

    folder: Path
    form: str
    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, texts: Mapping[str, str]) -> None:
        """Add files."""
        self.files |= {name: text.encode() for name, text in texts.items()}

    def check(self) -> None:
        """Check that the folder is empty but for keys, or of an earlier export.

        Raises:
            OutputError: it is neither.
        """
        if not self.folder.exists():
            return
        if not self.folder.is_dir():
            raise OutputError("is not a folder", where=str(self.folder))
        held = {entry.name for entry in self.folder.iterdir()} - {_KEYS}
        if held and self._known() is None:
            raise OutputError(
                "is not empty, and not of an earlier export in this form",
                where=str(self.folder),
                hint="name another folder; nothing was written",
            )

    def write(self) -> None:
        """Write the files, and remove those of the earlier export that are no longer there.

        Raises:
            OutputError: a file cannot be written.
        """
        known = self._known() or set()
        listed = sorted(self.files)
        self.files[MARK] = ("\n".join([self.form, *listed]) + "\n").encode()
        try:
            for name in known - set(listed):
                (self.folder / name).unlink(missing_ok=True)
            for name, data in self.files.items():
                _write(self.folder / name, data, is_secret=name in _SECRET_FILES)
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise OutputError(what, where=str(error.filename or self.folder)) from error

    def _known(self) -> set[str] | None:
        """The files of the earlier export; None if there was none."""
        try:
            form, *listed = (self.folder / MARK).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError, ValueError):
            return None
        inside = {name for name in listed if _is_inside(name)}
        return inside if form == self.form else None


def export_kubernetes(given: Given, how: Export) -> int:
    """Write the manifests of a Flow.

    Raises:
        ConfigError: with everything that cannot be exported.
        OutputError: the folder cannot be written.
    """
    output = _Output(how.output, "kubernetes")
    output.check()
    flow = _exported(given, how, names.refused_by_kubernetes)
    found = kubernetes.manifests(flow) | {"network.yaml": network.policies(flow)}
    if scalers := network.autoscalers(flow):
        found["autoscaling.yaml"] = scalers
    if how.with_secrets:
        keys = _keys(how.output, flow)
        data = {"gateway-keys": keys["gateway"], "worker-keys": keys["worker"]}
        if flow.needs_api_key:
            data["api-keys"] = keys["http"]
        found["secrets.yaml"] = kubernetes.secrets(flow, data | kubernetes.secret_env(flow))
    found["kustomization.yaml"] = network.kustomization(sorted(found))
    output.add(found | {"README.md": readme.kubernetes_readme(flow), ".gitignore": _IGNORED})
    output.write()
    return _done(how, flow, f"kubectl apply -k {how.output}")


def export_compose(given: Given, how: Export) -> int:
    """Write the compose file of a Flow; for the errors see `export_kubernetes`."""
    output = _Output(how.output, "compose")
    output.check()
    flow = _exported(given, how, names.refused_by_compose)
    _keys(how.output, flow)
    user = _owner(how.output / "keys")
    output.add({f"flow/{path}": text for path, text in flow.files.items()})
    output.add({"compose.yaml": compose.compose(flow), ".env": compose.variables(user)})
    output.add({"README.md": readme.compose_readme(flow), ".gitignore": _IGNORED})
    output.write()
    return _done(how, flow, f"docker compose --project-directory {how.output} up --wait")


def export_dockerfile(given: Given, how: Export) -> int:
    """Write the Dockerfile of a Flow's Executors; for the errors see `export_kubernetes`."""
    output = _Output(how.output, "dockerfile")
    output.check()
    config = flow_config(given.source, given.options)
    specs = [spec for node in config.executors for _, spec in executors_of(node)]
    flow = _exported(given, how, lambda _: iter(()))
    write_image(output, specs, flow.files)
    return _done(how, flow, f"docker build -t IMAGE {how.output}")


def write_image(
    output: _Output,
    specs: Sequence[ExecutorSpec],
    texts: Mapping[str, str],
    command: Sequence[str] = (),
) -> None:
    """Write a Dockerfile with all that it copies.

    Args:
        output: the folder.
        specs: Executors whose requirements are installed.
        texts: YAML and modules: path relative to their folder -> text.
        command: what the image runs.
    """
    found = [file for spec in specs for file in requirement_files(homes_of(spec), spec.file)]
    named: dict[str, str] = {}
    groups: dict[bool, list[str]] = {False: [], True: []}
    for file in dict.fromkeys(map(os.path.abspath, found)):
        number = f"-{len(named) + 1}" if named else ""
        name = f"requirements{number}.txt"
        named[name] = _text_of(Path(file))
        groups[needs_no_deps(file)].append(name)
    image = dockerfile.Image(
        platform.python_version(),
        jina.__version__,
        groups[False],
        groups[True],
        has_files=bool(texts),
        command=command,
    )
    output.add(named | {f"files/{path}": text for path, text in texts.items()})
    output.add({"Dockerfile": dockerfile.dockerfile(image), ".dockerignore": dockerfile.IGNORED})
    output.write()


def output_folder(folder: Path) -> _Output:
    """The folder of a Dockerfile, checked.

    Raises:
        OutputError: it is not empty, and not of an earlier export.
    """
    output = _Output(folder, "dockerfile")
    output.check()
    return output


def texts_of(spec: ExecutorSpec) -> dict[Path, str]:
    """The files of an Executor's code, and those that `with` names beside it, with their text.

    Raises:
        ConfigError: a module is not text.
    """
    found = {path: _text_of(path) for path in sorted(module_files(spec))}
    return found | {path: text for path, text in _named_in_with(spec) if text is not None}


def _named_in_with(spec: ExecutorSpec) -> Iterator[tuple[Path, str | None]]:
    """The files beside an Executor that its arguments name; None for one that cannot come along."""
    folders = [Path(folder) for folder in dict.fromkeys(homes_of(spec))]
    for value in _texts_in(spec.with_):
        for folder in folders:
            path = Path(os.path.abspath(folder / value))
            if value and path.is_relative_to(folder) and path.is_file():
                yield path, _short_text(path)
                break


def _texts_in(value: Any) -> Iterator[str]:
    """The texts in a value, as far as they can be the name of a file."""
    if isinstance(value, str) and len(value) < _MAX_NAME and "\0" not in value:
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_in(inner)


def _short_text(path: Path) -> str | None:
    if path.stat().st_size > _MAX_DATA_BYTES:
        return None
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def _exported(given: Given, how: Export, refused: Refused) -> Exported:
    config = flow_config(given.source, given.options)
    images = dict(each.split("=", 1) for each in how.images if "=" in each)
    plain = [each for each in how.images if "=" not in each]
    _refuse_unknown(config, images)
    file = config.file
    folder = how.project or (file.parent if file else Path())
    asked = Asked(
        image=plain[-1] if plain else "",
        project=Path(os.path.abspath(folder)),
        images=images,
        may_be_empty=how.may_be_empty,
        max_replicas=how.max_replicas,
        with_secrets=how.with_secrets,
    )
    flow = exported(config, asked, texts_of, refused, _held)
    warnings = [*flow.warnings, *_left_out(config)]
    if warnings and not how.quiet:
        say("\n\n".join(map(str, warnings)))
    return flow


def _left_out(config: FlowConfig) -> Iterator[Problem]:
    """The files that arguments name, and that do not come along."""
    for node in config.executors:
        for key, spec in executors_of(node):
            for path in (path for path, text in _named_in_with(spec) if text is None):
                message = f"{path} is not exported: only text up to {_MAX_DATA_BYTES:,} bytes is"
                hint = "copy it into the image, and name it as it is there"
                found = problem_of(node, key, "file-left-out", message, hint)
                yield replace(found, severity="warning")


def _refuse_unknown(config: FlowConfig, images: Mapping[str, str]) -> None:
    known = [node.name for node in config.executors]
    for name in images:
        if name not in known:
            raise ConfigError(
                f"--image: {name!r} is not an executor of this Flow",
                hint=f"the executors are: {', '.join(known)}",
            )


def _held(folder: str) -> int:
    """How many files a folder holds."""
    return sum(len(files) for _, _, files in os.walk(folder))


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"byte 0x{error.object[error.start]:02x} is not valid UTF-8",
            where=str(path),
            hint="save it as UTF-8, or install the module in the image",
        ) from None


def _keys(output: Path, flow: Exported) -> dict[str, dict[str, bytes]]:
    """The keys of an export, made where they are missing: folder -> name of a file -> bytes."""
    folder = output / _KEYS
    for role in _ROLES:
        if not (folder / role / f"{role}.key").exists():
            make_key(folder / role, role, role)
    for role, other in (("gateway", "worker"), ("gateway", "client")):
        _copied(folder / other / f"{other}.pub", folder / role)
        _copied(folder / role / f"{role}.pub", folder / other)
    if flow.needs_api_key:
        _api_keys(folder / "http" / "api.keys", flow)
    return {
        entry.name: {file.name: file.read_bytes() for file in sorted(entry.iterdir())}
        for entry in sorted(folder.iterdir())
    }


def _api_keys(path: Path, flow: Exported) -> None:
    if flow.api_key_file:
        _write(path, Path(flow.api_key_file).read_bytes(), is_secret=True)
    elif not path.exists():
        key = secrets.token_urlsafe(32)
        _write(path, f"# Keys of HTTP, one in each line.\n{key}\n".encode(), is_secret=True)


def _copied(file: Path, folder: Path) -> None:
    target = folder / file.name
    if not target.exists():
        _write(target, file.read_bytes())


def _owner(keys: Path) -> str:
    """The user who may read the keys, for the containers; root hands them to another one."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        user = group = dockerfile.USER
        for path in [keys, *keys.rglob("*")]:
            os.chown(path, user, group)
    return f"{user}:{group}"


def _write(path: Path, data: bytes, *, is_secret: bool = False) -> None:
    path.parent.mkdir(mode=0o700 if is_secret else 0o777, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600 if is_secret else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if is_secret:
            os.fchmod(descriptor, 0o600)
        file.truncate()
        file.write(data)


def _is_inside(name: str) -> bool:
    return not name.startswith(("/", "keys/")) and ".." not in name.split("/")


def _done(how: Export, flow: Exported, command: str) -> int:
    if not how.quiet:
        shown = os.fspath(how.output)
        print(f'exported "{flow.flow}" to {shown}; next: {command}', file=sys.stderr)
    return exits.OK
