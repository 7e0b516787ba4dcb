"""Names of inputs: whatever prevents reading one is an error before anything is read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jina.excepts import InputError
from jina.readers import ReadOptions
from jina.readers.inputs import find_inputs


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message(*names: str) -> str:
    with pytest.raises(InputError) as caught:
        find_inputs(names)
    return str(caught.value)


def test_a_missing_file_is_named_with_the_near_miss(here: Path) -> None:
    (here / "data.jsonl").touch()
    assert message("dta.jsonl") == 'dta.jsonl: no such file\nhelp: did you mean "data.jsonl"?'


def test_the_near_miss_is_looked_up_in_the_named_folder(here: Path) -> None:
    (here / "in").mkdir()
    (here / "in" / "data.jsonl").touch()
    assert message("in/data.json").endswith('help: did you mean "in/data.jsonl"?')


def test_a_folder_is_no_near_miss(here: Path) -> None:
    (here / "nox").mkdir()
    assert "did you mean" not in message("no.jsonl")
    (here / "nox.jsonl").touch()
    assert message("no.jsonl").endswith('help: did you mean "nox.jsonl"?')


def test_a_link_to_nothing_says_so(here: Path) -> None:
    (here / "dangling.jsonl").symlink_to("gone.jsonl")
    assert message("dangling.jsonl") == (
        "dangling.jsonl: it is a link to gone.jsonl, which does not exist"
    )


@pytest.mark.parametrize("name", ["x.jsonl", "*.jsonl"])
def test_in_a_folder_that_was_removed_it_is_said(here: Path, name: str) -> None:
    (here / "gone").mkdir()
    os.chdir("gone")
    (here / "gone").rmdir()
    assert message(name).endswith("help: the working directory no longer exists: cd to another one")


def test_without_a_near_miss_the_folder_is_said(here: Path) -> None:
    expected = f"zzz.jsonl: no such file\nhelp: relative names are resolved from {here}"
    assert message("zzz.jsonl") == expected


def test_a_missing_folder_is_said(here: Path) -> None:
    assert message("nowhere/a.jsonl") == (
        "nowhere/a.jsonl: no such file\nhelp: there is no folder nowhere"
    )


def test_a_folder_without_files_is_refused(here: Path) -> None:
    (here / "data" / ".git").mkdir(parents=True)
    (here / "data" / ".git" / "x").touch()
    assert message("data") == (
        "data: there are no files in this folder\n"
        "help: files and folders that start with a dot are skipped"
    )


def test_a_folder_gives_all_its_files(here: Path) -> None:
    for name in ("d/b.jsonl", "d/a/z.csv.gz", "d/a/README", "d/c.png", "d/.a", "e/f.jsonl"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    (here / "d" / "a" / "up").symlink_to(here / "d")
    (here / "d" / "e").symlink_to(here / "e")
    (here / "d" / "gone").symlink_to(here / "nowhere")
    found = find_inputs(["d"])
    assert [(one.name, one.format) for one in found] == [
        ("d/a/README", "files"),
        ("d/a/z.csv.gz", "csv"),
        ("d/b.jsonl", "jsonl"),
        ("d/c.png", "files"),
        ("d/e/f.jsonl", "jsonl"),
    ]
    assert {one.format for one in find_inputs(["d/"], options=ReadOptions("text"))} == {"text"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(here: Path) -> None:
    (here / "secret.jsonl").touch(mode=0)
    assert message("secret.jsonl") == (
        "secret.jsonl: no permission to read it\nhelp: chmod u+r secret.jsonl"
    )


def test_a_pattern_that_fits_nothing_is_refused(here: Path) -> None:
    assert message("*.jsonl") == (
        f"*.jsonl: no file matches this pattern\nhelp: relative patterns are resolved from {here}"
    )


def test_an_empty_name_and_a_name_with_a_nul_are_refused() -> None:
    assert message("") == "--inputs: an empty file name"
    assert "'a\\x00b': not a file name" in message("a\0b")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data.json", "json"),
        ("data.JSON.gz", "json"),
        ("data.csv", "csv"),
        ("data.tsv", "tsv"),
        ("data.txt", "text"),
        ("data.npy", "npy"),
        ("data.npz.gz", "npz"),
        ("data.png", "files"),
        ("page.html.gz", "files"),
        ("data.2024", "jsonl"),
    ],
)
def test_the_name_says_the_format(here: Path, name: str, expected: str) -> None:
    (here / name).touch()
    (found,) = find_inputs([name])
    assert (found.format, found.is_gzip) == (expected, name.endswith(".gz"))


def test_a_format_that_is_given_is_that_of_every_input(here: Path) -> None:
    (here / "a.csv").touch()
    (here / "b.data").touch()
    found = find_inputs(["a.csv", "b.data"], options=ReadOptions("text"))
    assert [one.format for one in found] == ["text", "text"]


def test_what_is_packed_otherwise_says_how_to_unpack_it(here: Path) -> None:
    (here / "a.csv.zst").touch()
    assert message("a.csv.zst") == (
        "a.csv.zst: cannot read .zst files; only .gz is unpacked\n"
        "help: zstd -dc a.csv.zst | jina post … --inputs -"
    )


def test_a_pipe_has_no_rows_that_are_read_at_any_place(here: Path) -> None:
    os.mkfifo(here / "pipe.npy")
    assert message("pipe.npy") == (
        "pipe.npy: the format npy can only be read from a file, not from a pipe\n"
        "help: write it to a file and use: --inputs FILE --format npy"
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.jsonlines", "a.jl", "a.ldjson", "a"])
def test_json_lines_have_many_suffixes(here: Path, name: str) -> None:
    (here / name).write_bytes(b"{}\n")
    (found,) = find_inputs([name])
    assert (found.name, found.size_bytes, found.is_gzip) == (name, 3, False)


@pytest.mark.parametrize("wanted", ["*.jsonl", os.fsdecode(b"a\xff.jsonl")])
def test_a_name_that_is_no_utf8_is_shown_and_found(here: Path, wanted: str) -> None:
    odd = os.fsdecode(b"a\xff.jsonl")
    (here / odd).write_bytes(b"{}\n")
    (found,) = find_inputs([wanted])
    assert (found.name, found.path) == (r"a\xff.jsonl", Path(odd))
    (here / odd).unlink()
    (here / odd).mkdir()
    assert message(odd).startswith(r"a\xff.jsonl: there are no files in this folder")


def test_a_pattern_gives_its_files_sorted_and_passes_over_folders(here: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.jsonl.gz"):
        (here / name).touch()
    (here / "d.jsonl").mkdir()
    found = find_inputs(["*.jsonl*"])
    assert [one.name for one in found] == ["a.jsonl", "b.jsonl", "c.jsonl.gz"]
    assert [one.is_gzip for one in found] == [False, False, True]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(here: Path) -> None:
    (here / "a[1].jsonl").touch()
    (here / "a1.jsonl").touch()
    assert [one.name for one in find_inputs(["a[1].jsonl"])] == ["a[1].jsonl"]


def test_all_names_are_checked_before_any_is_opened(here: Path) -> None:
    (here / "a.jsonl").touch()
    assert message("a.jsonl", "b.jsonlx", "c.csvx").startswith("b.jsonlx: no such file")


def test_standard_input_may_be_named_once() -> None:
    with pytest.raises(InputError, match="standard input is given twice"):
        find_inputs(["-", "-"], stdin_fd=os.open(os.devnull, os.O_RDONLY))


def test_a_closed_standard_input_is_said() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)
    with pytest.raises(InputError, match="<stdin>: standard input is closed"):
        find_inputs(["-"], stdin_fd=reader)
