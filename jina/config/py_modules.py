"""Find the user's modules on the disk, without importing them.

They are looked for beside the YAML file that names them, then in the folders of
`extra_search_paths`, then in the current folder, and last beside the program that called jina.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from os.path import isdir, isfile
from pathlib import Path

from jina.config.source import current_folder
from jina.suggest import near_file

MAX_NAMED = 5  # files of a folder


class ModuleMissing(Exception):
    """An entry of `py_modules` that leads nowhere; it says why and carries a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def locate(
    entry: str,
    folder: Path,
    extra: Sequence[Path] = (),
    fallbacks: Sequence[Path] = (),
    *,
    is_elsewhere: bool = False,
) -> str:
    """What to import for one entry.

    Args:
        entry: a path to a .py file or a package's folder, or a dotted name.
        folder: that of the YAML file.
        extra: further folders to look in.
        fallbacks: folders to look in last.
        is_elsewhere: another interpreter imports it, which may have other packages.

    Returns:
        an absolute path, or the dotted name when it is one.

    Raises:
        ModuleMissing: there is neither such a file nor such a module.
    """
    if not entry.strip() or "\0" in entry:
        raise ModuleMissing("the module name is empty")
    folders = _folders(folder, extra, fallbacks)
    if entry.endswith(".py") or "/" in entry or os.sep in entry or not entry.strip("."):
        return _path(entry, folders)
    return _dotted(entry, folders, is_elsewhere=is_elsewhere)


def module_name(file: str) -> str:
    """The last part of a module's name, from its file."""
    path = Path(file)
    return path.parent.name if file.endswith("__init__.py") else path.stem


def search_paths(
    folder: Path, extra: Sequence[Path] = (), fallbacks: Sequence[Path] = ()
) -> list[str]:
    """Where the user's modules find each other: the folders where `locate` looks, in its order."""
    return [str(parent) for parent in _folders(folder, extra, fallbacks)]


def _folders(folder: Path, extra: Sequence[Path], fallbacks: Sequence[Path]) -> list[Path]:
    here = current_folder()
    return list(dict.fromkeys([here / folder, *extra, here, *fallbacks]))


def _dotted(entry: str, folders: list[Path], *, is_elsewhere: bool) -> str:
    """What to import for a dotted name."""
    parts = entry.split(".")
    if not all(part.isidentifier() for part in parts):
        raise ModuleMissing(
            f"{entry!r} is neither a path to a .py file nor a dotted name",
            "include the .py extension in the path",
        )
    for parent in folders:
        target = parent.joinpath(*parts)
        if len(parts) == 1 and isfile(target / "__init__.py"):
            return str(target)
        if isfile(target.with_suffix(".py")):
            return entry if len(parts) > 1 else str(target.with_suffix(".py"))
        if isfile(target / "__init__.py") or isdir(target):
            return entry
    if is_elsewhere or _is_importable(parts[0]):
        return entry
    raise ModuleMissing(
        f"no module named {entry!r}",
        _near(entry, folders[0]) or "install its package, or give the path of a .py file",
    )


def _path(entry: str, folders: list[Path]) -> str:
    """What to import for a path: the file or folder itself."""
    path = Path(os.path.expanduser(entry))
    tried = []
    for parent in folders:
        target = parent / path
        if isdir(target):
            if isfile(target / "__init__.py"):
                return os.path.normpath(target)
            raise ModuleMissing(f"{entry} is a folder without __init__.py", _inside(entry, target))
        if isfile(target):
            if not entry.endswith(".py"):
                raise ModuleMissing(f"{entry} is not a Python file", "module files must end in .py")
            return os.path.normpath(target)
        tried.append(target)
        if path.is_absolute():
            break
    raise ModuleMissing(
        f"no module at {entry}",
        _near(path.name, tried[0].parent) or "paths are relative to the folder of the YAML file",
    )


def _inside(entry: str, folder: Path) -> str:
    """A hint for a folder that is not a package: the files that may have been meant."""
    try:
        names = sorted(p.name for p in folder.iterdir() if p.suffix == ".py")
    except OSError:
        return ""
    if not names:
        return "it contains no .py files"
    some = [f"`{os.path.normpath(os.path.join(entry, name))}`" for name in names[:MAX_NAMED]]
    more = ", …" if len(names) > MAX_NAMED else ""
    return f"use {'the' if len(names) == 1 else 'a'} .py file in it: {', '.join(some)}{more}"


def _near(name: str, folder: Path) -> str:
    try:
        known = [
            p.name
            for p in folder.iterdir()
            if p.suffix == ".py" or (isdir(p) and isfile(p / "__init__.py"))
        ]
    except OSError:
        return ""
    close = near_file(name, known)
    return f"did you mean {close!r}?" if close else ""


def _is_importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
