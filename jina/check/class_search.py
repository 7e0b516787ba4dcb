"""Look for a class that was not found, and say how the YAML would name its file.

The text of the files is read; nothing is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from os.path import isdir, isfile
from pathlib import Path

from jina.executors.modules import is_path
from jina.executors.spec import ExecutorSpec

MAX_FILES = 100  # that are searched
MAX_BYTES = 1024 * 1024  # of one of them

_RELATIVE = re.compile(rb"^\s*from\s+\.", re.MULTILINE)


def class_hint(spec: ExecutorSpec, name: str) -> str:
    """A hint for a class that is in no module of a spec, but in a file next to or below them.

    Args:
        spec: with the modules that were looked at.
        name: of the class.

    Returns:
        empty when there is nothing to say.
    """
    folders, searched = _folders_around(spec)
    line = re.compile(rb"^class\s+" + re.escape(name.encode()) + rb"\b", re.MULTILINE)
    for file in _files(folders):
        if str(file) in searched:
            continue
        text = _text(file)
        if line.search(text):
            return _where(spec, file, name, is_relative=_RELATIVE.search(text) is not None)
    for folder in folders:
        if not isfile(folder / "__init__.py") and str(folder) in searched:
            return f"{folder.name} is a folder without __init__.py; use a .py file in it"
    return ""


def import_hint(spec: ExecutorSpec, message: str) -> str:
    """A hint for an import that failed with this message; "" if there is none."""
    if "no known parent package" not in message:
        return ""
    hints = (relative_import_hint(spec, entry) for entry in spec.py_modules)
    return next(filter(None, hints), "")


def relative_import_hint(spec: ExecutorSpec, entry: str) -> str:
    """A hint for a file that imports relatively though it is named without its package."""
    if not is_path(entry):
        return ""
    file = Path(entry)
    dotted = _dotted(spec, file)
    if "." in dotted:
        return f"a single file has no package: write `py_modules: {dotted}`"
    found = re.search(rb"^\s*from\s+\.(\w+)\s+import", _text(file), re.MULTILINE)
    if found is None:
        return "a single file has no package: import the modules beside it without the dot"
    sibling = found[1].decode()
    return f"a single file has no package: write `from {sibling} import …`, without the dot"


def _folders_around(spec: ExecutorSpec) -> tuple[list[Path], set[str]]:
    """The folders of the modules of a spec; and the paths that were already searched."""
    folders: list[Path] = []
    searched: set[str] = set()
    module = spec.jtype.rpartition(":")[0]
    for entry in dict.fromkeys([*spec.py_modules, *([module] if module else [])]):
        for path in _candidates(spec, entry):
            if isdir(path):
                folders.append(path)
                searched |= {str(path), str(path / "__init__.py")}
            elif isfile(path):
                folders.append(path.parent)
                searched.add(str(path))
    return list(dict.fromkeys(folders)), searched


def _candidates(spec: ExecutorSpec, entry: str) -> Iterator[Path]:
    if is_path(entry):
        yield Path(entry)
        return
    for place in spec.search_paths:
        path = Path(place, *entry.split("."))
        yield path
        yield path.with_suffix(".py")


def _files(folders: list[Path]) -> Iterator[Path]:
    """The Python files of some folders and of the packages in them."""
    count = 0
    for folder in folders:
        for parent, inner, names in os.walk(folder):
            inner[:] = sorted(n for n in inner if isfile(os.path.join(parent, n, "__init__.py")))
            for name in sorted(names):
                if name.endswith(".py") and count < MAX_FILES:
                    count += 1
                    yield Path(parent, name)
            if count >= MAX_FILES:
                return


def _text(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES)
    except OSError:
        return b""


def _where(spec: ExecutorSpec, file: Path, name: str, *, is_relative: bool) -> str:
    """Where the class is, and what to write to name it."""
    place = _below(spec, file)
    dotted = _dotted(spec, file)
    has_package = isfile(file.parent / "__init__.py")
    # A module of a package is imported as such: it may import from its neighbours.
    written = dotted if dotted and (is_relative or has_package) else place
    if ":" in spec.jtype and dotted:
        return f"it is in {place}: write `{dotted}:{name}`"
    if is_relative and not dotted and has_package:
        return f"it is in {place}: write `from .{file.stem} import {name}` in its __init__.py"
    return f"it is in {place}: write `py_modules: {written}`"


def _below(spec: ExecutorSpec, file: Path) -> str:
    """A file as a YAML names it: relative to the YAML's folder, where it is below it."""
    for place in spec.search_paths[:1]:
        if file.is_relative_to(place):
            return file.relative_to(place).as_posix()
    return str(file)


def _dotted(spec: ExecutorSpec, file: Path) -> str:
    """A file as a dotted name, from the folder of the YAML; empty where it has none."""
    for place in spec.search_paths:
        if file.is_relative_to(place):
            parts = file.relative_to(place).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and all(part.isidentifier() for part in parts):
                return ".".join(parts)
    return ""
