"""Which files a Flow was made from: its YAML, and for each Executor the modules of its code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jina.executors.spec import ExecutorSpec
from jina.graph.origins import Origins, Stamp, stamp_of
from jina.graph.plan import Plan


class Sources(NamedTuple):
    """A Flow as its files say it.

    Attributes:
        plan: of the Flow.
        files: YAML files that went into it.
        modules: node -> files of its Executor's code.
    """

    plan: Plan
    files: list[Path]
    modules: dict[str, set[Path]]

    @property
    def every_file(self) -> set[Path]:
        """All of them."""
        return {*self.files, *(file for files in self.modules.values() for file in files)}


def sources_in(plan: Plan) -> Sources:
    """The files that a plan with origins was made from."""
    origins = plan.origins or Origins()
    modules = {node: set(map(Path, found)) for node, found in origins.modules.items()}
    return Sources(plan, list(map(Path, origins.files)), modules)


def stamps_of(files: Iterable[Path]) -> dict[Path, Stamp]:
    """When each file was written and how long it is; None for one that is not there."""
    return {file: stamp_of(str(file)) for file in files}


def module_files(spec: ExecutorSpec) -> set[Path]:
    """The files of an Executor's code: its modules, and what they import from beside them.

    An installed package is not followed: nobody edits it while a Flow runs. Nor is jina itself,
    whose code may lie in the current folder.
    """
    folders = [Path(folder) for folder in spec.search_paths]
    found: set[Path] = set()
    ahead: list[Path] = []
    for entry in spec.py_modules:
        path = Path(entry)
        if not path.is_absolute():
            ahead += _named(entry, folders)
        elif path.is_dir():
            ahead += path.rglob("*.py")
        else:
            ahead.append(path)
    while ahead:
        file = ahead.pop()
        if file not in found and file.is_file():
            found.add(file)
            for name in _imports(file):
                ahead += _named(name, [file.parent, *folders])
    return found


def _named(name: str, folders: list[Path]) -> Iterator[Path]:
    """The files of a dotted name and of the packages around it, where some are."""
    parts = name.split(".")
    if parts[0] == "jina":
        return
    for length in range(1, len(parts) + 1):
        for folder in folders:
            target = folder.joinpath(*parts[:length])
            for file in (target.with_suffix(".py"), target / "__init__.py"):
                if file.is_file():
                    yield file


def _imports(file: Path) -> Iterator[str]:
    """What a module imports, by dotted names; nothing if it cannot be read."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = f"{node.module}." if node.module else ""
            yield from (f"{base}{alias.name}" for alias in node.names)
