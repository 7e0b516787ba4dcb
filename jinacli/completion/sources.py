"""The endpoints that Executors serve, read from YAML and the text of their modules.

Nothing is imported, so that a TAB runs nobody's code. What only Python knows is not found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from jina.executors.modules import is_path
from jina.executors.spec import ExecutorSpec
from jina.names import DEFAULT_ENDPOINT

_MAX_BYTES = 1 << 20  # of a module that is read


def endpoints_of(spec: ExecutorSpec) -> list[str]:
    """The endpoints of an Executor: those of its YAML and of `@requests(on=…)`."""
    wanted = spec.jtype.rpartition(":")[2]
    found = set(spec.requests)
    for path in _modules(spec):
        classes = _classes(path)
        ahead = [wanted]
        while ahead:
            if (cls := classes.pop(ahead.pop(), None)) is not None:
                found.update(_bound(cls))
                ahead += [base.id for base in cls.bases if isinstance(base, ast.Name)]
    return sorted(name for name in found if name.startswith("/") and name != DEFAULT_ENDPOINT)


def _modules(spec: ExecutorSpec) -> Iterator[Path]:
    """The files that may hold the class."""
    module = spec.jtype.rpartition(":")[0]
    for entry in dict.fromkeys([*spec.py_modules, *([module] if module else [])]):
        if is_path(entry):
            yield Path(entry)
        for place in spec.search_paths:
            yield Path(place, *entry.split(".")).with_suffix(".py")


def _classes(path: Path) -> dict[str, ast.ClassDef]:
    try:
        with path.open("rb") as opened:
            tree = ast.parse(opened.read(_MAX_BYTES))
    except (OSError, SyntaxError, ValueError):
        return {}
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _bound(cls: ast.ClassDef) -> Iterator[str]:
    """The texts in `@requests(on=…)` of a class's methods."""
    for method in cls.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in method.decorator_list:
            if not (isinstance(decorator, ast.Call) and "requests" in ast.unparse(decorator.func)):
                continue
            for value in [*decorator.args, *(word.value for word in decorator.keywords)]:
                for node in ast.walk(value):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value
