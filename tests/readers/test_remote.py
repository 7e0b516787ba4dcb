"""Inputs at URLs: with fsspec's own file systems, and without fsspec."""

from __future__ import annotations

from pathlib import Path

import pytest

from jina.excepts import InputError, MissingExtra
from jina.readers import LineSource, ReadOptions, remote
from jina.readers.ranges import parts_of
from jina.readers.remote import all_files, fetch, open_any


def test_without_fsspec_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"s3://b/a.jsonl: .* package fsspec\nhelp: pip install"):
        all_files(["s3://b/a.jsonl"], ReadOptions())


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_a_url_is_cut_and_fetched(tmp_path: Path, scheme: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    base = f"{scheme}://{tmp_path}"
    for name in ("a", "b"):
        with fsspec.open(f"{base}/{name}.jsonl", "wb") as file:
            file.write(b"".join(b'{"n": %d}\n' % number for number in range(10)))
    here = tmp_path / "here.jsonl"
    here.write_text("{}\n")
    files = all_files([str(here), f"{base}/[ab].jsonl", f"{base}/a.jsonl"], ReadOptions())
    assert [Path(one.name).name for one in files] == ["here.jsonl", "a.jsonl", "b.jsonl", "a.jsonl"]
    assert [one.index for one in files] == [0, 1, 2, 3]
    assert [one.is_remote for one in files] == [False, True, True, True]
    data, numbers = b"", []
    for part in parts_of(files[1:2], 30, open_any):
        for one in part:
            fetch(one, tmp_path / "copy")
            with LineSource([one.as_input(tmp_path / "copy")]) as source:
                while (chunk := source.next_chunk(max_lines=2, max_bytes=99)) is not None:
                    data += chunk.data  # type: ignore[union-attr]
                    numbers.append(chunk.first_line)  # type: ignore[union-attr]
    assert data == b"".join(b'{"n": %d}\n' % number for number in range(10))
    assert numbers == sorted(numbers)
    assert len(numbers) >= 5


def test_what_is_wrong_with_a_url(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    for url, message in (
        (f"file://{tmp_path}/none.jsonl", "no such file"),
        (f"file://{tmp_path}/*.jsonl", "no file matches"),
        ("nothing://a/b.jsonl", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            all_files([url], ReadOptions())
