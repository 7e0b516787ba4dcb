"""Inputs at URLs of other kinds: with fsspec's own file systems, and without fsspec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jina.excepts import InputError, MissingExtra
from jina.readers import LineSource, ReadOptions, open_inputs, urls
from jina.readers.inputs import find_inputs
from jina.readers.ranges import parts_of, whole_files

DATA = b"".join(b'{"n": %d}\n' % number for number in range(10))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        find_inputs(["s3://b/a.jsonl"])
    assert str(caught.value) == (
        "s3://b/a.jsonl: s3:// needs the package s3fs\n"
        "help: pip install s3fs; with --on ray, on all nodes"
    )


def test_a_package_that_fsspec_misses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec: Any = pytest.importorskip("fsspec")

    def fails(url: str) -> None:
        raise ImportError("Install xfs to access x")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fails)
    for url, hint in (
        ("gs://b/a.jsonl", "gs:// needs the package gcsfs\nhelp: pip install gcsfs; with"),
        ("smb://b/a.jsonl", "needs a package: Install xfs to access x\nhelp: install it; with"),
    ):
        with pytest.raises(MissingExtra) as caught:
            find_inputs([url])
        assert hint in str(caught.value)


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_a_url_is_cut_and_read(tmp_path: Path, scheme: str) -> None:
    fsspec: Any = pytest.importorskip("fsspec")
    base = f"{scheme}://{tmp_path}"
    for name in ("a", "b"):
        with fsspec.open(f"{base}/{name}.jsonl", "wb") as file:
            file.write(DATA)
    here = tmp_path / "here.jsonl"
    here.write_text("{}\n")
    named = [str(here), f"{base}/[ab].jsonl", f"{base}/a.jsonl"]
    files = whole_files(named, ReadOptions())
    assert [Path(one.name).name for one in files] == ["here.jsonl", "a.jsonl", "b.jsonl", "a.jsonl"]
    assert [one.index for one in files] == [0, 1, 2, 3]
    assert [one.remote is None for one in files] == [True, False, False, False]
    assert len({one.key for one in files}) == 4
    data, numbers = b"", []
    for part in parts_of(files[1:2], 30):
        with LineSource([one.as_input() for one in part]) as source:
            while (chunk := source.next_chunk(max_lines=2, max_bytes=99)) is not None:
                data += chunk.data  # type: ignore[union-attr]
                numbers.append(chunk.first_line)  # type: ignore[union-attr]
    assert data == DATA
    assert numbers == sorted(numbers)
    assert len(numbers) >= 5


def test_a_url_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    path = tmp_path / "a.jsonl"
    path.write_bytes(DATA)
    source = open_inputs([f"file://{path}"])
    path.write_bytes(DATA + b"{}\n")
    with pytest.raises(InputError, match="it has changed since this post began"):
        source.next_chunk(max_lines=1, max_bytes=1)


def test_what_is_wrong_with_a_url(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    for url, message in (
        (f"file://{tmp_path}/none.jsonl", "no such file"),
        (f"file://{tmp_path}/*.jsonl", "no file matches this pattern"),
        ("nothing://a/b.jsonl", "nothing reads URLs that begin with nothing://"),
        ("memory://", "names no file"),
    ):
        with pytest.raises(InputError, match=message):
            find_inputs([url])


def test_credentials_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec: Any = pytest.importorskip("fsspec")
    error = type("NoCredentialsError", (Exception,), {})

    def fails(url: str) -> None:
        raise error("Unable to locate credentials")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fails)
    with pytest.raises(InputError, match="no credentials were found\nhelp: set AWS_ACCESS_KEY_ID"):
        find_inputs(["s3://b/a.jsonl"])
