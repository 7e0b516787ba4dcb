"""Whether values from YAML fit annotations."""

# ruff: noqa: UP007, UP045, RUF013 - annotations as published code has them

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Optional, Union

import pytest

from jina.executors import BaseExecutor
from jina.executors.signature import expected, fits, misfits, mistyped


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, int),
        (1, float),
        (1.5, float),
        ("a", str),
        (True, bool),
        (None, Optional[int]),
        (3, Optional[int]),
        ("a", Union[int, str]),
        ([1], list),
        ([1, 2], list[int]),
        (["a"], list[str]),
        (["a"], Sequence[str]),
        ({"a": 1}, dict[str, int]),
        ({"a": 1}, Mapping[str, int]),
        ("a", Literal["a", "b"]),
        ("a", Any),
        (3, "BaseExecutor"),
        ("x", BaseExecutor),
        ((1, 2), tuple[int, int]),
    ],
)
def test_values_that_fit(value: Any, hint: Any) -> None:
    assert fits(value, hint)


@pytest.mark.parametrize(
    ("value", "hint", "words"),
    [
        ("1", int, "a whole number"),
        (1.5, int, "a whole number"),
        (True, int, "a whole number"),
        (True, float, "a number"),
        (1, str, "text"),
        (1, bool, "true or false"),
        ("a", Optional[int], "a whole number"),
        ([], Union[int, str], "a whole number or text"),
        ("a", list, "a list"),
        ("a", list[str], "a list of texts"),
        ([1, "a"], list[int], "a list of whole numbers"),
        ([], dict, "a map"),
        ("c", Literal["a", "b"], "'a' or 'b'"),
    ],
)
def test_values_that_do_not_fit(value: Any, hint: Any, words: str) -> None:
    assert not fits(value, hint)
    assert expected(hint) == words


def test_only_what_with_gives_is_judged() -> None:
    class E(BaseExecutor):
        def __init__(self, a: int = None, b: int = 3, c: str = "x", **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert mistyped(E, {"a": None, "b": 3, "d": object()}) == []
    assert [wrong.name for wrong in mistyped(E, {"a": "1", "b": "2", "c": "y"})] == ["a", "b"]


def test_annotations_that_cannot_be_read_judge_nothing() -> None:
    class E(BaseExecutor):
        def __init__(self, a: NotThere = 1, **kwargs: Any) -> None:  # noqa: F821
            super().__init__(**kwargs)

    assert mistyped(E, {"a": "1"}) == []


def test_the_default_fits_whatever_the_annotation_says() -> None:
    class E(BaseExecutor):
        def __init__(self, top_k: int = "all", **kwargs: Any) -> None:  # type: ignore[assignment]
            super().__init__(**kwargs)

    assert mistyped(E, {"top_k": "".join(["al", "l"])}) == []
    assert [wrong.name for wrong in mistyped(E, {"top_k": "some"})] == ["top_k"]


def test_what_a_class_above_or_its_own_code_takes_is_not_swallowed() -> None:
    class Above:
        def __init__(self, size: int = 1, **kwargs: Any) -> None:
            self.size = size

    class Below(Above):
        def __init__(self, name: str = "", **kwargs: Any) -> None:
            self.depth = kwargs.pop("depth", 2)
            super().__init__(**kwargs)

    given = {"name": "a", "size": 3, "depth": 4, "sise": 5}
    assert [(found.kind, found.name, found.near) for found in misfits(Below, given)] == [
        ("swallowed", "sise", "size")
    ]
