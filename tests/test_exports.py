"""The public names of `jina`: sorted, complete, and each one found in its home."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import jina


def test_all_is_sorted() -> None:
    assert list(jina.__all__) == sorted(jina.__all__)


def test_all_names_the_lazy_table_and_the_version_and_nothing_else() -> None:
    assert set(jina.__all__) == {*jina._HOMES, "__version__"}


@pytest.mark.parametrize("name", sorted(jina._HOMES))
def test_a_name_is_the_very_object_of_its_home(name: str) -> None:
    module, _, attribute = jina._HOMES[name].partition(":")
    assert getattr(jina, name) is getattr(import_module(module), attribute)


def test_type_checkers_see_the_same_homes() -> None:
    tree = ast.parse(Path(jina.__file__).read_text())
    seen = {
        alias.asname: f"{node.module}:{alias.name}"
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == jina._HOMES


def test_dir_lists_the_public_names() -> None:
    assert dir(jina) == sorted(jina.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'jina' has no attribute 'Executors'"):
        jina.Executors  # noqa: B018 - the access is what is tested
