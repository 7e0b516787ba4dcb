"""What a worker needs to build its Executor, as plain data that crosses a process border."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from msgspec import structs


class ExecutorSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Executor, fully resolved: nothing in here is looked up, merged or interpolated again.

    Args:
        jtype: class name or "module:Class"; empty or "BaseExecutor" is the pass-through Executor.
        py_modules: absolute file paths or dotted module names, in the order of import.
        search_paths: folders that go to the end of sys.path before anything is imported.
        path: the sys.path of the program that started the Flow, which goes to the front; nothing if
            it was a command.
        with_: constructor arguments.
        metas: name, description, workspace, and whatever else the user wrote there.
        requests: endpoint -> name of a method; these win over decorators.
        dynamic_batching: endpoint, or name of a method -> its settings; these win over decorators.
        file: where the user wrote it, for messages; empty when it came from Python.
        line: counted from 1; 0 is unknown.
        column: counted from 1; 0 is unknown.
        live: cloudpickle of a class that exists only in the user's process; jtype is then its name.
    """

    jtype: str = ""
    py_modules: list[str] = []
    search_paths: list[str] = []
    path: list[str] = []
    with_: dict[str, Any] = {}
    metas: dict[str, Any] = {}
    requests: dict[str, str] = {}
    dynamic_batching: dict[str, dict[str, Any]] = {}
    file: str = ""
    line: int = 0
    column: int = 0
    live: bytes = b""

    @property
    def place(self) -> str:
        """`flow.yml:7:5`, as much of it as is known; empty when it came from Python."""
        if not self.file:
            return ""
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


def importing_from(
    spec: ExecutorSpec, paths: Iterable[str], program: Collection[str]
) -> ExecutorSpec:
    """A spec that imports what the program that starts the Flow does, if it imports anything.

    Args:
        spec: of an Executor.
        paths: the sys.path of that program.
        program: those of them with modules of its own. They come last, behind the Executor's,
            unless the class itself is of the program: then everything is found as it was there.
    """
    if spec.live:
        return structs.replace(spec, path=list(paths))
    if not spec.py_modules:
        return spec
    path = [each for each in paths if each not in program]
    own = [each for each in paths if each in program]
    search_paths = list(dict.fromkeys([*spec.search_paths, *own]))
    return structs.replace(spec, path=path, search_paths=search_paths)
