"""Write a Flow as YAML: what the user said, no more, so that it can be read again from anywhere."""

from __future__ import annotations

import enum
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from os.path import exists
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from jina.config.dumping import dumped
from jina.config.http_schema import HTTP_FILES
from jina.config.interpreters import PYTHON, VENV
from jina.config.loader import parse
from jina.config.python_values import error_name
from jina.config.source import Source, current_folder, is_yaml_path, without_notes
from jina.config.tree import Tree
from jina.config.variables import Unresolved
from jina.excepts import ConfigError

_INLINE = re.compile(r"\{|!|jtype\s*:|.*\n", re.DOTALL)
_USES = ("uses", "uses_before", "uses_after")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Part(NamedTuple):
    """A map of a Flow, and where the relative paths in it lead.

    Args:
        data: an entry of `executors`, or the `with`.
        folders: where its files are looked for, in this order; new files are made in the first.
    """

    data: Mapping[str, Any]
    folders: Sequence[Path]


def write_flow(
    name: str, tree: Tree | None, options: Part, entries: Sequence[Part], file: str | None
) -> str:
    """Write a Flow's YAML.

    Args:
        name: of the Flow; "" when it has none.
        tree: the YAML that it was loaded from.
        options: its `with`.
        entries: its executors.
        file: where to; None writes where it was loaded from, else to a new temporary file.

    Returns:
        the path written.

    Raises:
        ConfigError: something in it has no YAML form.
    """
    path = file or (str(tree.source.path) if tree and tree.source.path else None)
    if path is None:
        handle, path = tempfile.mkstemp(prefix="flow-", suffix=".yml")
        os.close(handle)
    folder = Path(os.path.abspath(path)).parent
    top = without_notes(tree.data) if tree is not None else {"jtype": "Flow"}
    data: dict[str, Any] = {"jtype": top.pop("jtype", "Flow"), **top}
    data.pop("pods", None)
    if name and "name" not in data and "name" not in options.data:
        data["name"] = name
    data["with"] = _moved(options, folder)
    if isinstance(keys := options.data.get("keys"), str) and keys:
        data["with"]["keys"] = _named(options.folders[0] / keys, folder)
    for said in (data, data["with"]):
        if isinstance(said.get("http"), Mapping):
            said["http"] = _moved(Part(said["http"], options.folders), folder)
    everywhere = _further(options)
    data["executors"] = [_moved(_searching(entry, everywhere), folder) for entry in entries]
    try:
        text = dumped({key: value for key, value in data.items() if value or key == "executors"})
    except yaml.representer.RepresenterError as err:
        raise ConfigError(
            f"this Flow has a value that cannot be saved as YAML: {err.args[-1]!r}",
            hint="only text, numbers, booleans, lists, maps and classes can be saved",
        ) from None
    Path(path).write_text(text, encoding="utf-8")
    _warn_of_classes(path, entries)
    return path


def _warn_of_classes(path: str, entries: Sequence[Part]) -> None:
    """Warn of the classes that nobody else finds; the caller is four calls away."""
    classes = [entry.data.get(key) for entry in entries for key in _USES]
    lone = {cls.__name__ for cls in classes if isinstance(cls, type) and not _module_of(cls)}
    if lone:
        names = ", ".join(sorted(lone))
        text = f"{path} can only be loaded by a process that has already defined {names}"
        warnings.warn(f"{text}; define Executors at the top level of a module", stacklevel=5)


def _further(part: Part) -> list[Path]:
    """The folders that a map names in `extra_search_paths`."""
    names = part.data.get("extra_search_paths") or []
    names = [names] if isinstance(names, str) else names
    return [part.folders[0] / os.path.expanduser(name) for name in names]


def _searching(entry: Part, everywhere: Sequence[Path]) -> Part:
    """An entry, looking in the further folders that it names, or that the Flow names."""
    first, *others = entry.folders
    return Part(entry.data, [first, *_further(entry), *everywhere, *others])


def _moved(part: Part, folder: Path) -> dict[str, Any]:
    """The map as it reads the same from another folder."""
    data: dict[str, Any] = {key: _plain(value) for key, value in part.data.items()}
    is_moved = part.folders[0] != folder
    for section in ("uses_metas", "override_metas"):
        if isinstance(data.get(section), dict):
            data[section] = _with_files(data[section], part, folder) if is_moved else data[section]
    for key in _USES:
        uses = data.get(key)
        if isinstance(uses, dict):
            data[key] = _executor(uses, part, folder) if is_moved else uses
        elif isinstance(uses, str) and is_moved:
            data[key] = _uses(uses, part, folder)
    return _with_files(data, part, folder) if is_moved else data


def _executor(data: dict[str, Any], part: Part, folder: Path) -> dict[str, Any]:
    """An Executor that is written in the Flow."""
    if isinstance(data.get("metas"), dict):
        data = {**data, "metas": _with_files(data["metas"], part, folder)}
    return _with_files(data, part, folder)


def _with_files(data: dict[str, Any], part: Part, folder: Path) -> dict[str, Any]:
    """A map with its modules, its workspace and its further folders named from another folder."""
    data = dict(data)
    modules = data.get("py_modules")
    if isinstance(modules, str):
        data["py_modules"] = _found(modules, part, folder)
    elif isinstance(modules, list):
        data["py_modules"] = [_found(str(module), part, folder) for module in modules]
    for key in ("workspace", VENV, PYTHON, *HTTP_FILES):
        path = data.get(key)
        # An interpreter without a slash is one of $PATH.
        if isinstance(path, str) and path and (key != PYTHON or os.sep in path):
            data[key] = _named(part.folders[0] / path, folder)
    volumes = data.get("volumes")
    if volumes:
        volumes = [volumes] if isinstance(volumes, str) else volumes
        data["volumes"] = [_volume(str(volume), part, folder) for volume in volumes]
    further = data.get("extra_search_paths")
    if further:
        further = [further] if isinstance(further, str) else further
        data["extra_search_paths"] = [_named(part.folders[0] / name, folder) for name in further]
    return data


def _volume(volume: str, part: Part, folder: Path) -> str:
    """A volume as named from another folder."""
    source, colon, rest = volume.partition(":")
    return f"{_named(part.folders[0] / os.path.expanduser(source), folder)}{colon}{rest}"


def _uses(uses: str, part: Part, folder: Path) -> str | dict[str, Any]:
    text = uses.strip()
    if _ADDRESS.match(text):
        return uses
    if _INLINE.match(text):
        data = parse(Source(uses)).data
        moved = _executor(data, part, folder) if isinstance(data, dict) else data
        return uses if not moved or moved == data else moved
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(".py"):
        return f"{_found(file, part, folder)}:{name}"
    return _found(text, part, folder)


def _found(name: str, part: Part, folder: Path) -> str:
    """A file as named from another folder; other text is unchanged.

    One that is not there is looked for first where it would have been.
    """
    if isinstance(name, Unresolved):
        return name
    path = os.path.expanduser(name)
    for place in part.folders:
        if exists(place / path) and (os.sep in name or "." in name or exists(place / path / ".")):
            return _named(place / path, folder)
    is_file = is_yaml_path(name) or name.endswith(".py") or os.sep in name
    return _named(part.folders[0] / path, folder) if is_file else name


def _named(path: Path, folder: Path) -> str:
    """A path below a folder is named relative to it; another one is absolute."""
    whole = os.path.normpath(current_folder() / path)
    if whole == str(folder) or whole.startswith(f"{folder}{os.sep}"):
        return os.path.relpath(whole, folder)
    return whole


def _plain(value: Any) -> Any:
    """What only Python has, as YAML says it."""
    if isinstance(value, type):
        return error_name(value) if issubclass(value, BaseException) else _class(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _class(cls: type) -> str:
    """How YAML names a class: with its module where that leads to it."""
    module = _module_of(cls)
    return f"{module}:{cls.__name__}" if module else cls.__name__


def _module_of(cls: type) -> str:
    """What to import for a class: its module, or the file of the program; "" where nothing does."""
    module = sys.modules.get(cls.__module__)
    if getattr(module, cls.__name__, None) is not cls:
        return ""
    if cls.__module__ != "__main__":
        return str(cls.__module__)
    file = os.path.abspath(getattr(module, "__file__", None) or "")
    return file if file.endswith(".py") and exists(file) else ""
