"""What is read without a model is what the model reads, and a short command needs no model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jina.config.executor_schema import ExecutorModel, Metas
from jina.config.executor_values import checked_values
from jina.config.plain_executors import EXECUTOR_KEYS, META_KEYS, plain_values
from jina.config.source import Source
from jina.config.tree import Tree
from jina.config.validation import known_keys

PLAIN = [
    "jtype: A",
    "jtype: m:A\nwith: {a: [1, {b: ü}], c: null}\nmetas: {name: n, workspace: w}",
    "jtype: A\nwith:\nmetas:\nrequests:\npy_modules:",
    "jtype: A\nrequests: {/x: y}\npy_modules: a.py\nmetas: {py_modules: [b.py, c], extra: [1]}",
    "jtype: A\nmetas: {description: null}",
]
NOT_PLAIN = [
    "jtype: A\nwith: false",
    "jtype: A\nmetas: 0",
    "jtype: A\nrequests: {/x: 1}",
    "jtype: A\npy_modules: [a.py, 1]",
    "jtype: A\nmetas: {name: 1}",
    "jtype: A\nwiht: {}",
    "jtype: A\nenv: {A: b}",
    "jtype: A\ndynamic_batching: {}",
    "jtype: [A]",
    "with: {}",
]
_texts = st.sampled_from(["", "a", "/x", "ü", "\udc80", "a\0b", "name", "py_modules", "workspace"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_texts | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def by_model(data: dict[str, Any]) -> tuple[Any, Any]:
    """What the model makes of a map, and how much is wrong."""
    values, wrong, problems = checked_values(Tree(Source()), data, ())
    return values, [*wrong, *problems]


def assert_same(data: dict[str, Any]) -> None:
    plain = plain_values(data)
    values, wrong = by_model(data)
    assert plain is not None
    assert not wrong
    for field in ("jtype", "with_", "requests", "batching", "env"):
        assert getattr(plain, field) == getattr(values, field)
    metas = [{k: v for k, v in each.metas.items() if v is not None} for each in (plain, values)]
    for each in metas:
        each.pop("py_modules", None)
    assert metas[0] == metas[1]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_map_is_read_as_by_the_model(text: str) -> None:
    assert_same(yaml.safe_load(text))


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_model(text: str) -> None:
    assert plain_values(yaml.safe_load(text)) is None


@given(
    st.fixed_dictionaries(
        {}, optional={key: _values for key in (*EXECUTOR_KEYS, "x")} | {"jtype": _texts | _values}
    )
)
def test_nothing_passes_that_the_model_refuses(data: dict[str, Any]) -> None:
    if plain_values(data) is not None:
        assert_same(data)


def test_the_keys_are_those_of_the_models() -> None:
    assert set(EXECUTOR_KEYS) == set(known_keys(ExecutorModel))
    assert set(META_KEYS) == set(known_keys(Metas))


def test_a_plain_executor_loads_without_pydantic(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from jina import Executor\nclass Mine(Executor): pass\n")
    (tmp_path / "mine.yml").write_text("jtype: Mine\nmetas: {py_modules: mine.py, name: mine}\n")
    script = (
        "import sys; from jina import Executor; print(Executor.load_config('mine.yml').metas.name);"
        "print('pydantic' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["mine", "False"]
