"""Where a config comes from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from jina.config.problems import Problem
from jina.config.source import MAX_BYTES, Source, open_source


def opened(source: object) -> Source:
    found = open_source(source, what="Flow")
    assert isinstance(found, Source), found
    return found


def refused(source: object) -> str:
    found = open_source(source, what="Flow")
    assert isinstance(found, Problem)
    return str(found)


def test_a_file_a_path_a_stream_a_text_and_a_dict_are_read(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_text("a: 1\n")
    assert opened(str(file)).text == opened(file).text == "a: 1\n"
    with file.open() as stream:
        found = opened(stream)
    assert (found.text, found.path) == ("a: 1\n", file)
    assert opened(io.StringIO("a: 1")).file == "<stream>"
    assert opened("a: 1").file == "<text>"
    assert opened({"a": 1}).data == {"a": 1}


def test_relative_names_are_shown_as_the_user_would_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "f.yml").write_text("a: 1")
    assert opened("flows/f.yml").display_name("../enc.yml") == "enc.yml"
    assert opened("flows/f.yml").display_name("enc.yml") == "flows/enc.yml"
    assert opened("flows/f.yml").display_name("/abs/enc.yml") == "/abs/enc.yml"


def test_a_missing_file_is_named_with_a_near_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.yml").write_text("a: 1")
    assert refused("flwo.yml") == (
        "error[no-source]: no such file: flwo.yml\nhelp: did you mean 'flow.yml'?"
    )
    assert refused("nowhere/flow.yml") == (
        "error[no-source]: no such file: nowhere/flow.yml\nhelp: there is no folder nowhere"
    )


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        f"error[no-source]: {tmp_path} is a folder; expected the Flow's YAML file"
    )


def test_a_folder_with_a_config_in_it_leads_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("search").mkdir()
    Path("search/flow.yml").write_text("jtype: Flow\n")
    assert refused(Path("search")) == (
        "error[no-source]: search is a folder; expected the Flow's YAML file\n"
        "help: did you mean 'search/flow.yml'?"
    )


def test_python_is_no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vec.py").write_text("class Vec: ...\n")
    assert refused("vec.py") == (
        "error[no-source]: vec.py is Python; expected the Flow's YAML file\n"
        "help: give the YAML file that refers to it"
    )
    problem = open_source(Path("vec.py"), what="Executor")
    assert isinstance(problem, Problem)
    assert (
        problem.hint
        == "give the YAML file that refers to it; or a class of it, as `vec.py:MyExecutor`"
    )


def test_bytes_that_are_no_utf_8_have_a_place(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert refused(file) == (
        f"{file}:2:7: error[yaml-encoding]: byte 0xe9 is not valid UTF-8\nhelp: save the file as "
        "UTF-8"
    )


def test_a_file_beyond_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_text("#" * (MAX_BYTES + 10))
    assert "more than 1024 KiB of YAML" in refused(file)


@pytest.mark.parametrize("source", [None, 5, ["a"], b"a: 1"])
def test_anything_else_is_refused_by_its_type(source: object) -> None:
    assert refused(source).endswith(f"got {type(source).__name__}")


def test_an_empty_text_is_refused() -> None:
    assert refused("  \n") == "error[no-source]: expected the Flow's YAML, got an empty string"
