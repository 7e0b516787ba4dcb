"""Which functions are read besides a method: those that it hands its parameters to."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from jina.executors.following import parameters_of

MODULE = """
import json
import shutil
import near_it
from near_it import Search, top_of

class Under:
    def method(self, docs, parameters, **kwargs):
        {line}

    def own(self, docs, asked):
        return asked.get("x", 1)

    def named(self, docs, top_k: int = 10, *, key, all=True, more=print()):
        pass

    @staticmethod
    def static(asked):
        return asked.get("x", 1)

    @classmethod
    def of_class(cls, asked):
        return asked["x"]

    def circle(self, parameters):
        return self.circle(parameters) + self.method(None, parameters) + parameters["round"]

    def deep(self, parameters, level=0):
        return self.own(None, parameters)

def chain_0(asked): return chain_1(asked)
""" + "".join(
    f"def chain_{n}(asked): return asked['c{n}'], chain_{n + 1}(asked)\n" for n in range(1, 30)
)

NAMED = ["top_k: int = 10", "key!", "all: bool = True", "more"]

BESIDE = """
class Search:
    def __init__(self, mode, asked=None):
        self.mode = asked["mode"] if asked else mode

    def asked(self, parameters):
        return parameters.get("top_k", 5)

def top_of(how, many):
    return many.get("top", 3)
"""


@pytest.fixture
def method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Make a class whose method has one line; there is another module beside its own."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "near_it.py").write_text(BESIDE)

    def make(line: str) -> Any:
        file = tmp_path / "under.py"
        file.write_text(MODULE.replace("{line}", line))
        spec = importlib.util.spec_from_file_location("under", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.Under

    yield make
    sys.modules.pop("near_it", None)


def shown(cls: Any) -> list[str]:
    found = parameters_of(cls.method, cls)
    return [
        f"{each.name}{'!' if each.is_required else ''}"
        f"{f': {each.type}' if each.type else ''}"
        f"{'' if each.default is UNSET else f' = {each.default!r}'}"
        for each in found
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return self.own(docs, parameters)", ["x: int = 1"]),
        ("return self.own(docs, asked=parameters or {})", ["x: int = 1"]),
        ("return self.static(parameters)", ["x: int = 1"]),
        ("return self.of_class(parameters)", ["x!"]),
        ("return Under.own(self, docs, parameters)", []),
        ("return self.deep(parameters)", ["x: int = 1"]),
        ("return self.named(docs, **parameters)", NAMED),
        ("return self.named(docs=docs, **parameters)", NAMED),
        ("return self.named(docs, 7, all=False, **parameters)", ["key!", "more"]),
        ("return parameters.get('x', 2), self.own(docs, parameters)", ["x: int = 2"]),
        ("return parameters.get('x', 2), self.of_class(parameters)", ["x: int = 2"]),
        ("return Search('a').asked(parameters)", ["top_k: int = 5"]),
        ("return Search('a', parameters)", ["mode!"]),
        ("return near_it.top_of(1, parameters)", ["top: int = 3"]),
        ("return top_of(1, many=parameters)", ["top: int = 3"]),
        ("return top_of(parameters, {})", []),
        ("return self.circle(parameters)", ["round!"]),
        ("return json.dumps(parameters), shutil.copy(parameters, 1), print(parameters)", []),
        ("return self.missing(parameters), unknown(parameters), docs.x.y(parameters)", []),
        ("return top_of(1, 2, 3, 4, parameters), self.own(*parameters)", []),
        ("return (lambda asked: asked)(parameters)", []),
    ],
)  # fmt: skip
def test_what_a_line_leads_to(method: Callable[[str], Any], line: str, expected: list[str]) -> None:
    assert shown(method(line)) == expected


def test_a_long_chain_is_not_followed_to_its_end(method: Callable[[str], Any]) -> None:
    assert shown(method("return chain_0(parameters)")) == [f"c{number}!" for number in range(1, 9)]


def test_a_class_may_look_up_its_members_as_it_likes(method: Callable[[str], Any]) -> None:
    """Nobody asks it: the name is looked up where the class has it."""
    cls = method("return self.strange(parameters)")
    called = []

    class Strange:
        def __get__(self, *arguments: object) -> Any:
            called.append(arguments)

    cls.strange = Strange()
    assert shown(cls) == []
    assert not called
