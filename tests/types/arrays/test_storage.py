"""Arrays survive files; a damaged file says where, and gives what lies before."""

from __future__ import annotations

import os
import tempfile
from io import BytesIO, StringIO

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.types.arrays import storage


def sample(count=3):
    docs = DocumentArray(
        [Document(id=str(i), text="x", embedding=np.full(2, i, "<f4")) for i in range(count)]
    )
    docs[0].chunks.append(Document(blob=[1, 2], tags={"a": [1, 2.5]}))
    return docs


@pytest.mark.parametrize("form", ["json", "binary"])
def test_what_is_saved_is_loaded(tmp_path, form):
    docs = sample()
    docs.save(tmp_path / "docs", file_format=form)
    assert DocumentArray.load(tmp_path / "docs", file_format=form) == docs
    stream = BytesIO()
    docs.save(stream, form)
    stream.seek(0)
    assert DocumentArray.load(stream, form) == docs
    empty = tmp_path / "empty"
    DocumentArray().save(str(empty), form)
    assert len(DocumentArray.load(str(empty), form)) == 0


def test_json_works_on_text_files_too():
    docs, stream = sample(), StringIO()
    docs.save_json(stream)
    stream.seek(0)
    assert DocumentArray.load_json(stream) == docs


def test_another_format_is_refused():
    for call in (sample().save, DocumentArray.load):
        with pytest.raises(ValueError, match="unknown file format 'xml'"):
            call("x", "xml")


def test_a_damaged_binary_file_names_the_offset_and_keeps_what_lies_before(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "SEGMENT_DOCS", 2)
    path = tmp_path / "docs.bin"
    docs = sample(5)
    docs.save_binary(path)
    data = path.read_bytes()
    second = 8 + 8 + int.from_bytes(data[8:16], "little")
    cases = {"cut": data[:-1], "cut head": data[: second + 3], "flipped": bytearray(data)}
    cases["flipped"][second + 40] ^= 1
    third = second + 8 + int.from_bytes(data[second : second + 8], "little")
    for name, damaged in cases.items():
        path.write_bytes(damaged)
        where = third if name == "cut" else second
        with pytest.raises(DocumentError, match=rf"docs\.bin: byte {where}: .*\n.*partial=True"):
            DocumentArray.load_binary(path)
        kept = DocumentArray.load_binary(path, partial=True)
        assert list(kept) == list(docs)[: 4 if name == "cut" else 2]
    path.write_bytes(b"PK")
    with pytest.raises(DocumentError, match="byte 0: this is not a binary file"):
        DocumentArray.load_binary(path)


def test_a_damaged_json_file_names_the_line(tmp_path):
    path = tmp_path / "docs.json"
    sample().save(path)
    path.write_bytes(path.read_bytes() + b"nope\n")
    with pytest.raises(DocumentError, match=r"docs\.json:4: not JSON"):
        DocumentArray.load(path)


def test_a_file_open_for_text_by_another_name_works_too():
    docs = sample()
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as stream:
        docs.save(stream)
        stream.seek(0)
        assert DocumentArray.load(stream) == docs


@pytest.mark.parametrize("form", ["json", "binary"])
def test_a_save_that_fails_leaves_the_file_that_was_there(tmp_path, form):
    path = tmp_path / "docs"
    docs = sample()
    docs.save(path, form)
    bad = DocumentArray([Document() for _ in range(storage.SEGMENT_DOCS)])
    bad.append(Document(id="bad", tags={"x": {1}}))
    with pytest.raises(DocumentError, match=r"`tags` of Document 'bad' .*`tags\.x` is a set"):
        bad.save(path, form)
    assert DocumentArray.load(path, form) == docs
    assert os.listdir(tmp_path) == ["docs"]


@pytest.mark.parametrize("form", ["json", "binary"])
def test_links_modes_and_pipes_stay_what_they_are(tmp_path, form):
    (tmp_path / "real").touch(mode=0o600)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    docs = sample()
    docs.save(tmp_path / "link", form)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    assert DocumentArray.load(tmp_path / "real", form) == docs
    docs.save("/dev/null", form)


def test_what_is_no_file_is_said_to_be_none():
    with pytest.raises(TypeError, match="a float is neither a path nor an open file"):
        sample().save(5.5)
    with pytest.raises(TypeError, match="a list is neither"):
        DocumentArray.load([])


def test_pairs_are_not_loaded_by_halves(tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"document":{"id":"a"},"groundtruth":{"id":"b"}}\n')
    with pytest.raises(DocumentError, match=r"a line with a groundtruth.*\n.*from_ndjson"):
        DocumentArray.load(path)


def test_no_cut_and_no_flipped_byte_of_a_binary_file_goes_unseen(tmp_path):
    path = tmp_path / "docs.bin"
    sample().save_binary(path)
    data = path.read_bytes()
    for number in range(len(data)):
        flipped = bytearray(data)
        flipped[number] ^= 0xFF
        for damaged in (data[:number], flipped):
            path.write_bytes(damaged)
            if len(damaged) == len(storage.MAGIC):
                assert len(DocumentArray.load_binary(path)) == 0, "no segment yet"
                continue
            with pytest.raises(DocumentError, match="byte"):
                DocumentArray.load_binary(path)


def test_a_binary_file_that_is_read_as_json_says_how_to_read_it(tmp_path):
    path = tmp_path / "docs.bin"
    sample().save(path, file_format="binary")
    with pytest.raises(DocumentError) as caught:
        DocumentArray.load(path)
    assert str(caught.value) == (
        f"{path}: this is a binary file of Documents, not JSON lines\n"
        "help: load(file, file_format='binary')"
    )
