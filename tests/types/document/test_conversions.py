"""Contents turn into one another, and into files and data URIs."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from jina import Document
from jina.excepts import DocumentError


def test_content_to_uri_follows_the_content(tmp_path):
    assert Document(text="x").convert_content_to_uri().uri == "data:text/plain;charset=utf-8,x"
    assert Document().convert_content_to_uri().uri == ""
    with pytest.raises(NotImplementedError):
        Document(blob=[1]).convert_content_to_uri()
    path = tmp_path / "x.txt"
    Document(buffer=b"x").dump_buffer_to_file(path)
    doc = Document(uri=str(path)).convert_uri_to_datauri(base64=True)
    assert doc.uri == "data:text/plain;charset=utf-8;base64,eA=="


@pytest.mark.parametrize(
    ("make", "convert", "what"),
    [
        ({}, lambda d: d.convert_image_buffer_to_blob(), "`buffer` of Document 'x' is not set"),
        ({}, lambda d: d.convert_buffer_to_blob(), "`buffer` of Document 'x' is not set"),
        ({}, lambda d: d.convert_blob_to_uri(), "`blob` of Document 'x' is not set"),
        ({"buffer": b"a"}, lambda d: d.convert_buffer_to_blob(dtype="z"), "data type 'z'"),
        (
            {"blob": np.ones((0, 2))},
            lambda d: d.convert_blob_to_uri(),
            "shape .0, 2. is not an image",
        ),
        ({"blob": np.full((2, 2), 300)}, lambda d: d.convert_blob_to_uri(), "from 0 to 255"),
        ({"blob": np.full((2, 2), np.nan)}, lambda d: d.convert_blob_to_uri(), "from 0 to 255"),
        (
            {"blob": np.ones((2, 2, 3))},
            lambda d: d.convert_blob_to_uri(channel_axis=9),
            "has no axis 9",
        ),
        (
            {"blob": np.ones((2, 2, 2))},
            lambda d: d.set_image_blob_normalization(),
            "3 values for the 2 channels",
        ),
        (
            {"blob": np.ones((2, 2))},
            lambda d: d.set_image_blob_channel_axis(0, 5),
            "has no axis 5",
        ),
    ],
)
def test_what_cannot_be_converted_says_why_and_stays(make, convert, what):
    doc = Document(id="x", **make)
    before = Document(doc, copy=True)
    with pytest.raises(DocumentError, match=what):
        convert(doc)
    assert doc == before


def test_contents_are_dumped_into_names_and_open_files(tmp_path):
    doc = Document(buffer=b"data")
    image = Document(blob=np.zeros((2, 2), "u1"))
    for call, expected in (
        (doc.dump_buffer_to_file, b"data"),
        (Document(uri="data:,data").dump_uri_to_file, b"data"),
        (image.dump_image_blob_to_file, b"\x89PNG"),
    ):
        stream = BytesIO()
        call(tmp_path / "a")
        call(str(tmp_path / "b"))
        call(stream)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == stream.getvalue()
        assert stream.getvalue().startswith(expected)


def test_the_names_since_jina_2_6_do_the_same():
    assert Document(uri="data:,abc").load_uri_to_buffer().buffer == b"abc"
    assert Document(uri="data:,abc").load_uri_to_text().text == "abc"
    image = Document(blob=np.full((2, 3, 3), 7, "u1")).convert_image_blob_to_uri()
    pytest.importorskip("PIL", reason="images need pillow")
    assert image.load_uri_to_image_blob().blob.shape == (2, 3, 3)
    shape = image.load_uri_to_image_blob(width=4, height=5, channel_axis=0).blob.shape
    assert shape == (3, 5, 4)
