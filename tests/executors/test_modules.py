"""Where modules are found: packages first, then the folders of the user, the nearest first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.executors import modules
from jina.executors.load import live_spec
from jina.executors.modules import (
    add_search_paths,
    follow_path,
    import_module,
    import_paths,
    installed,
    program_folders,
)
from jina.executors.spec import ExecutorSpec, importing_from
from tests.e2e.zoo import Upper


@pytest.fixture(autouse=True)
def _imports_are_undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(modules, "_added", [])  # what other tests put there is not ours
    before, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]
    sys.path[:] = path


def test_folders_go_behind_what_is_there_and_the_nearest_comes_first() -> None:
    before = list(sys.path)
    add_search_paths(["/a", "/b", before[0]])
    assert sys.path == [*before, "/a", "/b"]
    add_search_paths(["/c", "/b"])
    assert sys.path == [*before, "/c", "/b", "/a"]
    sys.path.insert(0, "/a")  # as a module does that wants to be sure
    add_search_paths(["/c"])
    assert sys.path == ["/a", *before, "/c", "/b"]


def test_the_path_of_another_process_comes_first() -> None:
    before = list(sys.path)
    follow_path(["/a", before[-1]])
    assert sys.path == ["/a", before[-1], *before[:-1]]


def test_a_file_called_like_a_package_does_not_stand_in_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, word in (("site", "package"), ("mine", "file")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "taken_name.py").write_text(f"WORD = {word!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert installed("taken_name") == str(tmp_path / "site" / "taken_name.py")
    module = import_module(str(tmp_path / "mine" / "taken_name.py"))
    assert module.WORD == "file"
    assert __import__("taken_name").WORD == "package"
    assert import_module(str(tmp_path / "mine" / "taken_name.py")) is module
    (tmp_path / "mine" / "free_name.py").write_text("")
    assert import_module(str(tmp_path / "mine" / "free_name.py")).__name__ == "free_name"
    assert not installed("free_name")


def test_a_class_of_a_program_takes_its_whole_path_along() -> None:
    paths = import_paths()
    spec = importing_from(live_spec(Upper), paths, {paths[0]})
    assert (spec.path, spec.search_paths) == (paths, [])


def test_what_yaml_names_takes_modules_of_its_own_before_those_of_the_program() -> None:
    own = ExecutorSpec(jtype="A", py_modules=["a.py"], search_paths=["/yaml", "/here"])
    spec = importing_from(own, ["/program", "/more", "/here"], {"/program", "/here"})
    assert (spec.path, spec.search_paths) == (["/more"], ["/yaml", "/here", "/program"])
    assert importing_from(ExecutorSpec(), ["/more"], set()) == ExecutorSpec()
    assert os.getcwd() in program_folders()
