"""Contents come from paths, files and data URIs, and go into data URIs."""

from __future__ import annotations

import pytest

from jina import Document
from jina.excepts import DocumentError


def test_a_file_becomes_a_buffer_or_a_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hällo", encoding="utf-8")
    doc = Document(uri=str(path))
    assert doc.convert_uri_to_buffer() is doc
    assert doc.buffer == "hällo".encode()
    assert doc.convert_uri_to_text().text == "hällo"
    assert Document(uri=path.as_uri()).convert_uri_to_text().text == "hällo"
    path.write_bytes(b"\xff")
    with pytest.raises(DocumentError, match="is not UTF-8"):
        doc.convert_uri_to_text()


@pytest.mark.parametrize("uri", ["missing.txt", "file:///missing.txt"])
def test_a_missing_file_is_a_missing_file(uri):
    with pytest.raises(FileNotFoundError):
        Document(uri=uri).convert_uri_to_buffer()


@pytest.mark.parametrize("uri", ["", "ftp://x/y", "data:nonsense"])
def test_a_uri_that_names_nothing_is_refused(uri):
    with pytest.raises(DocumentError):
        Document(uri=uri).convert_uri_to_buffer()


@pytest.mark.parametrize("base64", [True, False])
def test_data_uris_hold_their_content(base64):
    doc = Document(text="ä b").convert_text_to_uri(base64=base64)
    assert doc.uri.startswith("data:text/plain;charset=utf-8" + (";base64," if base64 else ",%C3"))
    assert Document(uri=doc.uri).convert_uri_to_text().text == "ä b"
    doc = Document(buffer=b"\x00\xff", mime_type="x/y").convert_buffer_to_uri(base64=base64)
    assert Document(uri=doc.uri).convert_uri_to_buffer().buffer == b"\x00\xff"
    with pytest.raises(ValueError, match="`mime_type`"):
        Document(id="a", buffer=b"x").convert_buffer_to_uri()


def test_a_text_comes_back_from_a_data_uri_in_any_charset():
    for charset in ("utf-8", "latin-1", "utf-16", "shift_jis"):
        text = "ä, b;" if charset != "shift_jis" else "日本"
        for base64 in (True, False):
            doc = Document(text=text).convert_text_to_uri(charset, base64)
            assert Document(uri=doc.uri).convert_uri_to_text().text == text
    with pytest.raises(DocumentError, match="`text` of Document 'x': 'ascii' codec can't encode"):
        Document(id="x", text="ä").convert_text_to_uri("ascii")
    with pytest.raises(DocumentError, match="unknown encoding: nope"):
        Document(text="ä").convert_text_to_uri("nope")


@pytest.mark.parametrize(
    ("uri", "what"),
    [
        ("data:text/plain", "has no comma"),
        ("data:;base64,@@@@", "is not valid base64"),
        ("data:;base64,QUI", "is not valid base64"),
        ("a\0b", "is not a path: embedded null byte"),
        ("http://[::1", "cannot be read: Invalid IPv6 URL"),
        ("http://a b/", "cannot be read: URL can't contain control characters"),
        ("http://", "cannot be read: no host given"),
        ("s3://bucket/key", "is neither a path nor a file, data or http URI"),
    ],
)
def test_a_uri_that_gives_nothing_says_why(uri, what):
    doc = Document(id="x", uri=uri, text="kept")
    for convert in (doc.convert_uri_to_buffer, doc.convert_uri_to_text):
        with pytest.raises(DocumentError, match=what):
            convert()
    assert doc.text == "kept"


def test_schemes_are_read_in_any_case():
    assert Document(uri="DATA:;BASE64,QUI=").convert_uri_to_buffer().buffer == b"AB"
    assert Document(uri="data:,a%20b").convert_uri_to_text().text == "a b"
