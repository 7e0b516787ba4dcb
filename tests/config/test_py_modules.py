"""Finding the user's modules on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.config.py_modules import ModuleMissing, locate, search_paths


@pytest.fixture
def yaml_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A YAML's folder `proj` below another current folder `cwd`."""
    for name in ("proj", "cwd", "proj/pack", "proj/space"):
        (tmp_path / name).mkdir()
    for name in ("proj/a.py", "cwd/a.py", "cwd/b.py", "proj/pack/__init__.py", "proj/pack/m.py"):
        (tmp_path / name).touch()
    (tmp_path / "proj/space/n.py").touch()
    (tmp_path / "proj/notes.txt").touch()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "proj"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("a.py", "proj/a.py"),
        ("./a.py", "proj/a.py"),
        ("b.py", "cwd/b.py"),
        ("../cwd/b.py", "cwd/b.py"),
        ("pack/m.py", "proj/pack/m.py"),
        ("pack/__init__.py", "proj/pack/__init__.py"),
        ("pack/", "proj/pack"),
        ("pack", "proj/pack"),
        ("a", "proj/a.py"),
    ],
)
def test_a_path_is_relative_to_the_yaml_then_to_the_current_folder(
    yaml_folder: Path, entry: str, found: str
) -> None:
    assert locate(entry, yaml_folder) == str(yaml_folder.parent / found)


def test_an_absolute_path_is_itself(yaml_folder: Path) -> None:
    path = str(yaml_folder / "a.py")
    assert locate(path, Path("/")) == path


@pytest.mark.parametrize("entry", ["pack.m", "space.n", "json", "json.decoder"])
def test_a_dotted_name_stays_one(yaml_folder: Path, entry: str) -> None:
    assert locate(entry, yaml_folder) == entry


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        ("zz/q.py", "no module at zz/q.py", "paths are relative to the folder of the YAML file"),
        (
            "pack/n.py",
            "no module at pack/n.py",
            "paths are relative to the folder of the YAML file",
        ),
        ("pack/M.py", "no module at pack/M.py", "did you mean 'm.py'?"),
        ("./notes.txt", "./notes.txt is not a Python file", "module files must end in .py"),
        (
            "./space",
            "./space is a folder without __init__.py",
            "use the .py file in it: `space/n.py`",
        ),
        (".", ". is a folder without __init__.py", "use the .py file in it: `a.py`"),
        (
            "no_such_pack.mod",
            "no module named 'no_such_pack.mod'",
            "install its package, or give the path of a .py file",
        ),
        (
            "a-b",
            "'a-b' is neither a path to a .py file nor a dotted name",
            "include the .py extension in the path",
        ),
        ("", "the module name is empty", ""),
    ],
)
def test_what_leads_nowhere_says_why(
    yaml_folder: Path, entry: str, message: str, hint: str
) -> None:
    with pytest.raises(ModuleMissing) as caught:
        locate(entry, yaml_folder)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_modules_find_each_other_from_both_folders(yaml_folder: Path) -> None:
    assert search_paths(yaml_folder) == [str(yaml_folder), str(Path.cwd())]
