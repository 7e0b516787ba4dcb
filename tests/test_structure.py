"""How the house is built: no circles of imports, few late ones, short functions, short files.

`tests/test_layers.py` says which way imports go between the rooms; this counts within them too.
"""

from __future__ import annotations

import ast
import functools
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

MAX_CIRCLE_IN_TYPES = 3  # a Document holds arrays of Documents
MAX_LATE_IMPORTS = 45  # in jina/; jinacli has them for a quick start
MAX_MEDIAN_LINES = 8  # of a function, from `def` to its end
MAX_FILE_LINES = 450
# (from, to) -> why. Without these imports there is no circle outside of jina.types.
NEEDED = {
    ("jina.executors", "jina.config.instances"): (
        "`Executor.load_config` and `save_config` are members of the class, as in Jina 2"
    ),
}


class Module(NamedTuple):
    """One of our files, parsed."""

    is_package: bool
    tree: ast.Module


Modules = dict[str, Module]
Graph = dict[str, set[str]]


class Import(NamedTuple):
    """An import statement and what stands around it."""

    statement: ast.Import | ast.ImportFrom
    is_late: bool  # inside a function
    is_for_types: bool  # under `if TYPE_CHECKING`


@functools.cache
def read() -> Modules:
    """Our own modules; not at the import, which every process of the tests does."""
    found = {}
    for path in (path for top in ("jina", "jinacli") for path in (ROOT / top).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(is_package, ast.parse(path.read_text()))
    return found


def imports_in(
    node: ast.AST, is_late: bool = False, is_for_types: bool = False
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield Import(child, is_late, is_for_types)
        else:
            is_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            is_typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from imports_in(child, is_late or is_function, is_for_types or is_typing)


def imported(name: str, modules: Modules, statement: ast.Import | ast.ImportFrom) -> set[str]:
    """Which of the modules a statement in one of them names, without the packages they lie in."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names} & set(modules)
    base = statement.module or ""
    if statement.level:
        parts = [*name.split("."), ""] if modules[name].is_package else name.split(".")
        base = ".".join([*parts[: -statement.level], *([base] if base else [])])
    found = set()
    for alias in statement.names:
        submodule = f"{base}.{alias.name}"
        found.add(submodule if submodule in modules else base)
    return found & set(modules)


def graph_of(modules: Modules, counts: Callable[[Import], bool]) -> Graph:
    """Which module imports which, by the imports that count."""
    return {
        name: {
            target
            for found in imports_in(module.tree)
            if counts(found)
            for target in imported(name, modules, found.statement)
            if target != name
        }
        for name, module in modules.items()
    }


def circles(graph: Graph) -> list[list[str]]:
    """The knots: groups of modules each of which leads to every other of its group."""
    leads_to = {name: _reached(graph, name) for name in graph}
    groups = {
        tuple(sorted(other for other in leads_to[name] if name in leads_to[other]))
        for name in graph
        if name in leads_to[name]
    }
    return [list(group) for group in sorted(groups)]


def _reached(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead += graph[name]
    return found


def function_lines(modules: Modules) -> list[int]:
    """How many lines each function has, those inside functions too."""
    return [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]


def made(**sources: str) -> Modules:
    """Modules from texts; "a__b" is the name a.b, and one with modules below it is a package."""
    names = {name.replace("__", "."): text for name, text in sources.items()}
    return {
        name: Module(any(other.startswith(f"{name}.") for other in names), ast.parse(text))
        for name, text in names.items()
    }


def test_there_is_no_circle_at_module_level() -> None:
    graph = graph_of(read(), lambda found: not (found.is_late or found.is_for_types))
    assert circles(graph) == []


def test_circles_by_late_imports_and_for_types_are_few_and_small() -> None:
    graph = graph_of(read(), lambda _: True)
    for start, end in NEEDED:
        graph[start].discard(end)
    wrong = [
        circle
        for circle in circles(graph)
        if not all(name.startswith("jina.types") for name in circle)
        or len(circle) > MAX_CIRCLE_IN_TYPES
    ]
    assert not wrong, "\n".join(f"{len(circle)} files: {', '.join(circle)}" for circle in wrong)


def test_every_named_circle_is_needed() -> None:
    graph = graph_of(read(), lambda _: True)
    assert all(end in graph[start] and start in _reached(graph, end) for start, end in NEEDED)


def test_late_imports_are_few() -> None:
    late = {
        name: count
        for name, module in read().items()
        if name.split(".")[0] == "jina"
        and (count := sum(found.is_late for found in imports_in(module.tree)))
    }
    most = sorted(late.items(), key=lambda item: -item[1])
    assert sum(late.values()) <= MAX_LATE_IMPORTS, f"{sum(late.values())}: {most}"


def test_the_median_function_is_short() -> None:
    assert statistics.median(function_lines(read())) <= MAX_MEDIAN_LINES


def test_no_file_is_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for top in ("jina", "jinacli")
        for path in (ROOT / top).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > MAX_FILE_LINES
    }
    assert not long


# What follows tests the counting itself.

EVERY_FORM = """
import a.b, json
from a import c
from a.c import name
from . import b as again
from .c import name
if TYPE_CHECKING:
    import d
class C:
    if typing.TYPE_CHECKING:
        from d import D
    def f(self):
        import e
"""


def test_every_form_of_an_import_is_seen() -> None:
    modules = made(a="", a__b="", a__c="", a__x=EVERY_FORM, d="", e="")
    seen = [
        (imported("a.x", modules, found.statement), found.is_late, found.is_for_types)
        for found in imports_in(modules["a.x"].tree)
    ]
    at_top = [({"a.b"}, False, False), ({"a.c"}, False, False), ({"a.c"}, False, False)]
    assert seen[:5] == [*at_top, ({"a.b"}, False, False), ({"a.c"}, False, False)]
    assert seen[5:] == [({"d"}, False, True), ({"d"}, False, True), ({"e"}, True, False)]


def test_a_package_imports_from_itself() -> None:
    modules = made(a="from . import b\nfrom .b import name", a__b="from a import b, name")
    assert graph_of(modules, lambda _: True) == {"a": {"a.b"}, "a.b": {"a"}}


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        (
            {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}},
            [["a", "b", "c"], ["d", "e"]],
        ),
        ({"a": {"b", "c"}, "b": {"a"}, "c": {"a"}}, [["a", "b", "c"]]),
    ],
)
def test_circles_are_found(graph: Graph, found: list[list[str]]) -> None:
    assert circles(graph) == found


@pytest.mark.parametrize(
    ("text", "is_at_top"),
    [
        ("import b", True),
        ("def f():\n    import b", False),
        ("if TYPE_CHECKING:\n    import b", False),
    ],
)
def test_a_circle_at_module_level_is_told_from_a_late_one(text: str, is_at_top: bool) -> None:
    modules = made(a=text, b="import a")
    at_top = graph_of(modules, lambda found: not (found.is_late or found.is_for_types))
    assert circles(at_top) == ([["a", "b"]] if is_at_top else [])
    assert circles(graph_of(modules, lambda _: True)) == [["a", "b"]]


def test_functions_are_measured_with_their_docstrings_and_without_decorators() -> None:
    text = (
        '@d\ndef f():\n    """Says."""\n    def g(): pass\n    return g\nasync def h():\n    pass'
    )
    assert sorted(function_lines(made(a=text))) == [1, 2, 4]
