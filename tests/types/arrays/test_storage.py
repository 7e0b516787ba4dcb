"""Arrays survive files; a damaged file says where, and gives what lies before."""

from __future__ import annotations

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
        with pytest.raises(ValueError, match="no file format is 'xml'"):
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
    for name, damaged in cases.items():
        path.write_bytes(damaged)
        with pytest.raises(DocumentError, match=r"docs\.bin: byte \d+: .*\n.*partial=True"):
            DocumentArray.load_binary(path)
        kept = DocumentArray.load_binary(path, partial=True)
        assert list(kept) == list(docs)[: 4 if name == "cut" else 2]
    path.write_bytes(b"PK")
    with pytest.raises(DocumentError, match="byte 0: this is no binary file"):
        DocumentArray.load_binary(path)


def test_a_damaged_json_file_names_the_line(tmp_path):
    path = tmp_path / "docs.json"
    sample().save(path)
    path.write_bytes(path.read_bytes() + b"nope\n")
    with pytest.raises(DocumentError, match=r"docs\.json:4: not JSON"):
        DocumentArray.load(path)
