"""Which parameters a method reads: what its source shows, and what it does not."""

from __future__ import annotations
import __future__

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from jina.executors.following import parameters_of
from jina.wire.described import Parameter

FUTURE = __future__.annotations.compiler_flag


@pytest.fixture
def method(tmp_path: Path) -> Callable[..., Any]:
    """Make a method of some lines, in a class in a file."""

    def make(
        *lines: str, arguments: str = "docs, parameters, **kwargs", above: str = "", flags: int = 0
    ) -> Any:
        body = "\n".join(f"        {line}" for line in lines)
        file = tmp_path / "module.py"
        file.write_text(
            f"import functools\n{above}\n\n\nclass Under:\n    def __init__(self): pass\n\n"
            f"    def method(self, {arguments}):\n{body}\n\n    def after(self, parameters):\n"
            "        return parameters['after']\n"
        )
        names: dict[str, Any] = {}
        exec(compile(file.read_text(), str(file), "exec", flags, dont_inherit=True), names)
        return names["Under"].method

    return make


def shown(function: Any) -> list[str]:
    """Each parameter as people may read it: `top_k: int = 10`, `name!` if it is required."""
    words = []
    for each in parameters_of(function):
        kind = f": {each.type}" if each.type else ""
        default = "" if each.default is UNSET else f" = {each.default!r}"
        words.append(f"{each.name}{'!' if each.is_required else ''}{kind}{default}")
    return words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return parameters.get('x', 10)", ["x: int = 10"]),
        ("return parameters.get('x')", ["x"]),
        ("return parameters.get('x', None)", ["x = None"]),
        ("return parameters.pop('x', 'all')", ["x: str = 'all'"]),
        ("return parameters.setdefault('x', [])", ["x: list = []"]),
        ("return parameters['x']", ["x!"]),
        ("return int(parameters['x'])", ["x!: int"]),
        ("return float(parameters.get('x', 1))", ["x: float = 1"]),
        ("y: int = parameters.get('x')", ["x: int"]),
        ("y: 'list[int]' = list(parameters.get('x', (1, 2)))", ["x: 'list[int]' = [1, 2]"]),
        ("return parameters.get('x') or 7", ["x: int = 7"]),
        ("return parameters.get('x', -1.5)", ["x: float = -1.5"]),
        ("return parameters.get('x', True)", ["x: bool = True"]),
        ("return parameters.get('x', {'a': [1]})", ["x: dict = {'a': [1]}"]),
        ("return parameters.get('x', self.x)", ["x"]),
        ("return parameters.get('x', print('called'))", ["x"]),
        ("return parameters.get('x', b'bytes')", ["x"]),
        ("return parameters.get('x', 1e999)", ["x"]),
        ("return parameters.get('x', 10 ** 9)", ["x"]),
        ("return parameters.get('x', {1: 2})", ["x"]),
        ("return parameters.get('x', 2 + 3j)", ["x"]),
        (f"return parameters.get('x', {'1' * 40})", ["x"]),
        (f"return parameters.get('x', '{'long' * 500}')", ["x"]),
        ("return parameters['x'] if 'x' in parameters else 1", ["x"]),
        ("return parameters['x'] + parameters.get('x', 2)", ["x: int = 2"]),
        ("return parameters.get(docs[0].text, 1)", []),
        ("return kwargs.get('x', 1), docs.get('y', 2), docs['z']", []),
        ("parameters['x'] = 1", []),
        ("del parameters['x']", []),
        ("return parameters[0], parameters[:2], parameters.get(1)", []),
        ("return parameters.get('half \\ud800', 1)", []),
        ("return {k: v for k, v in parameters.items()}", []),
        ("return [parameters.get('x', 1) for doc in docs]", ["x: int = 1"]),
        ("return (lambda: parameters.get('x', 1))()", ["x: int = 1"]),
        ("return parameters.get('b', 1), parameters.get('a', 2)", ["b: int = 1", "a: int = 2"]),
        ("return parameters.get('x', parameters.get('y', 3))", ["x", "y: int = 3"]),
    ],
)
def test_what_a_line_reads(method: Callable[..., Any], line: str, expected: list[str]) -> None:
    assert shown(method(line)) == expected


@pytest.mark.parametrize(
    ("lines", "arguments"),
    [
        (["p = parameters", "return p.get('x', 1)"], "docs, parameters, **kwargs"),
        (["p = parameters or {}", "return p.get('x', 1)"], "parameters=None, **kwargs"),
        (["p = dict(parameters)", "return p.get('x', 1)"], "parameters"),
        (["p = parameters.copy()", "return p.get('x', 1)"], "parameters"),
        (["p = parameters if parameters else {}", "return p.get('x', 1)"], "parameters"),
        (["return (parameters or {}).get('x', 1)"], "parameters"),
        (["return kwargs['parameters'].get('x', 1)"], "docs, **kwargs"),
        (["return kwargs.get('parameters', {}).get('x', 1)"], "docs, **kwargs"),
        (["p = others.get('parameters')", "return p.get('x', 1)"], "**others"),
        (["text = '''", "at any", "depth", "'''", "return parameters.get('x', 1)"], "parameters"),
        (["return parameters.get(", "    'x',", "    1,", ")"], "parameters"),
        (["def inner():", "    return parameters.get('x', 1)", "return inner()"], "parameters"),
    ],
)
def test_by_whatever_name_they_go(
    method: Callable[..., Any], lines: list[str], arguments: str
) -> None:
    assert shown(method(*lines, arguments=arguments)) == ["x: int = 1"]


@pytest.mark.parametrize("flags", [0, FUTURE])
def test_a_typed_dict_tells_of_all(method: Callable[..., Any], flags: int) -> None:
    above = (
        "from typing import NotRequired, TypedDict\n"
        "class Search(TypedDict):\n    query: str\n    top_k: NotRequired[int]\n    "
        "unread: NotRequired[list[float]]"
    )
    found = method(
        "return parameters.get('top_k', 10), parameters.get('more')",
        arguments="docs, parameters: Search",
        above=above,
        flags=flags,
    )
    assert shown(found) == ["query!: str", "top_k: int = 10", "unread: list[float]", "more"]


def test_without_a_source_there_is_nothing(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec("def method(parameters):\n    return parameters['x']", names)
    assert parameters_of(names["method"]) == []
    assert parameters_of(len) == []
    assert parameters_of(functools.partial(len)) == []
    assert parameters_of(None) == []
    assert parameters_of(lambda parameters: parameters) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        "class Under:\n    def method(self, parameters:\n",
        "\0" * 100,
        "    " * 2000 + "x",
        "def other(): pass\n" * 3,
        "x = " + "(" * 5000 + ")" * 5000,
    ],
)
def test_a_source_that_is_another_by_now_does_no_harm(
    method: Callable[..., Any], tmp_path: Path, text: str
) -> None:
    found = method("return parameters.get('x', 1)")
    (tmp_path / "module.py").write_text(text)
    assert parameters_of(found) == []


def test_there_is_an_end_to_them(method: Callable[..., Any]) -> None:
    found = method(*(f"parameters.get('x{number}')" for number in range(500)))
    assert len(parameters_of(found)) == 100
    assert parameters_of(method(*["pass"] * 3000, "return parameters['x']")) == []


def test_nothing_is_called(method: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "called"
    default = f"open({str(file)!r}, 'w')"
    assert parameters_of(method(f"return parameters.get('x', {default})")) == [Parameter("x")]
    assert not file.exists()
