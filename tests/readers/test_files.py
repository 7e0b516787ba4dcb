"""Files that are one Document each."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from jina.readers.files import FileReader
from jina.readers.inputs import find_inputs
from tests.readers.drained import read, refusal


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pattern_gives_its_files_with_absolute_uris(here: Path) -> None:
    (here / "images" / "deep").mkdir(parents=True)
    (here / "images" / "b.png").write_bytes(b"\x89B")
    (here / "images" / "deep" / "a.png").write_bytes(b"\x89A")
    found = read("images/**/*.png")
    assert [(doc.uri, doc.mime_type, doc.buffer) for doc in found.docs] == [
        (str(here / "images" / "b.png"), "image/png", b"\x89B"),
        (str(here / "images" / "deep" / "a.png"), "image/png", b"\x89A"),
    ]
    again = read("images/**/*.png", max_lines=1)
    assert [doc.id for doc in again.docs] == [doc.id for doc in found.docs]


def test_the_name_says_whether_it_is_text(here: Path) -> None:
    (here / "a.html").write_bytes("\ufeff<b>é</b>".encode())
    (here / "b.py").write_text("x = 1\n")
    (here / "c.svg").write_text("<svg/>")
    (here / "d.pdf").write_bytes(b"%PDF")
    found = read("a.html", "b.py", "c.svg", "d.pdf")
    assert [(doc.mime_type, doc.content) for doc in found.docs] == [
        ("text/html", "<b>é</b>"),
        ("text/x-python", "x = 1\n"),
        ("image/svg+xml", "<svg/>"),
        ("application/pdf", b"%PDF"),
    ]


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        (".md", "text/markdown"),
        (".rst", "text/x-rst"),
        (".log", "text/plain"),
        (".yaml", "application/yaml"),
        (".toml", "application/toml"),
        (".ipynb", "application/x-ipynb+json"),
    ],
)
def test_a_file_of_text_is_one_document(here: Path, ending: str, media_type: str) -> None:
    (here / f"a{ending}").write_text("a: 1\n\nb: 2\n")
    (doc,) = read(f"a{ending}").docs
    assert (doc.text, doc.mime_type) == ("a: 1\n\nb: 2\n", media_type)


def test_an_option_says_what_is_taken(here: Path) -> None:
    (here / "a.jsonl").write_text("{}\n")
    (here / "LICENSE").write_text("text")
    (here / "noise").write_bytes(b"\0\xff")
    names = ("a.jsonl", "LICENSE", "noise")
    assert [doc.content for doc in read(*names, form="files").docs] == ["{}\n", "text", b"\0\xff"]
    buffers = read(*names, form="files", content="buffer").docs
    assert [doc.buffer for doc in buffers] == [b"{}\n", b"text", b"\0\xff"]
    nothing = read(*names, form="files", content="none").docs
    assert [doc.content for doc in nothing] == [None] * 3
    assert nothing[0].uri == str(here / "a.jsonl")


def test_a_file_that_cannot_be_read_is_an_outcome_of_its_own(here: Path) -> None:
    (here / "a.html").write_text("a")
    (here / "b.html").write_bytes(b"b\xff")
    (here / "c.html.gz").write_bytes(gzip.compress(b"c" * 1000)[:-9])
    (here / "d.html.gz").write_bytes(gzip.compress(b"d"))
    found = read("a.html", "b.html", "c.html.gz", "d.html.gz")
    assert found.texts == ["a", "d"]
    assert found.docs[1].uri == str(here / "d.html.gz")
    assert found.failures == [
        "b.html: not valid UTF-8: byte 0xff at byte 2; --content buffer takes it as it is",
        "c.html.gz: cannot be read: Compressed file ended before the "
        "end-of-stream marker was reached",
    ]
    assert found.places == [1, 2]


def test_a_path_that_is_no_utf8_is_an_outcome_of_its_own(here: Path) -> None:
    (here / os.fsdecode(b"b\xff.html")).write_text("b")
    (here / "c.html").write_text("c")
    found = read("*.html")
    assert found.texts == ["c"]
    assert found.failures == [
        r"b\xff.html: its path is not valid UTF-8, as a `uri` must be; rename it"
    ]


def test_a_file_that_is_gone_meanwhile_is_an_outcome_of_its_own(here: Path) -> None:
    (here / "a.html").write_text("a")
    (here / "b.html").write_text("b")
    inputs = find_inputs(["a.html", "b.html"])
    (here / "a.html").unlink()
    rows = FileReader(inputs, "auto", set()).take(10, 1000)
    assert rows is not None
    assert [doc.text for doc in rows.docs] == ["b"]
    assert rows.failures is not None
    assert [one.message for one in rows.failures.failures] == [
        "a.html: cannot be read: No such file or directory"
    ]


def test_a_file_that_is_too_large_is_an_outcome_of_its_own(here: Path) -> None:
    (here / "a.html").write_text("a" * 100)
    (here / "b.html.gz").write_bytes(gzip.compress(b"b" * 5000))
    (here / "c.html").write_text("c")
    inputs = find_inputs(["a.html", "b.html.gz", "c.html"])
    rows = FileReader(inputs, "auto", set(), max_bytes=50).take(10, 1000)
    assert rows is not None
    assert [doc.text for doc in rows.docs] == ["c"]
    assert rows.failures is not None
    assert [one.message.partition(" (")[0] for one in rows.failures.failures] == [
        "a.html: a file of more than 50 bytes",
        "b.html.gz: a file of more than 50 bytes",
    ]


def test_files_of_one_content_have_ids_of_their_own(here: Path) -> None:
    for name in ("a.html", "b.html"):
        (here / name).write_text("same")
    first, second = read("a.html", "b.html").docs
    assert first.id != second.id


def test_lines_and_files_may_be_mixed(here: Path) -> None:
    (here / "a.html").write_text("a")
    (here / "b.csv").write_text("text\nb\n")
    (here / "c.html").write_text("c")
    (here / "d.jsonl").write_text('{"text":"d"}')
    assert read("a.html", "b.csv", "c.html", "d.jsonl").texts == ["a", "b", "c", "d"]


def test_files_do_not_come_through_a_pipe() -> None:
    assert refusal("-", form="files").startswith(
        "<stdin>: the format files can only be read from a file, not from a pipe"
    )
