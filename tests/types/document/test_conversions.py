"""Contents turn into one another, and into files and data URIs."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest

from jina import Document
from jina.excepts import DocumentError

HAS_PILLOW = importlib.util.find_spec("PIL") is not None


def test_a_file_becomes_a_buffer_or_a_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hällo", encoding="utf-8")
    doc = Document(uri=str(path))
    assert doc.convert_uri_to_buffer() is doc
    assert doc.buffer == "hällo".encode()
    assert doc.convert_uri_to_text().text == "hällo"
    assert Document(uri=path.as_uri()).convert_uri_to_text().text == "hällo"
    path.write_bytes(b"\xff")
    with pytest.raises(DocumentError, match="no UTF-8"):
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


def test_content_to_uri_follows_the_content(tmp_path):
    assert Document(text="x").convert_content_to_uri().uri == "data:text/plain;charset=utf-8,x"
    assert Document().convert_content_to_uri().uri == ""
    with pytest.raises(NotImplementedError):
        Document(blob=[1]).convert_content_to_uri()
    path = tmp_path / "x.txt"
    Document(buffer=b"x").dump_buffer_to_file(path)
    doc = Document(uri=str(path)).convert_uri_to_datauri(base64=True)
    assert doc.uri == "data:text/plain;charset=utf-8;base64,eA=="


def test_blobs_become_buffers_and_come_back():
    doc = Document(blob=np.array([[1, 2]], "<i2")).convert_blob_to_buffer()
    assert doc.buffer == b"\x01\x00\x02\x00"
    assert doc.convert_buffer_to_blob(dtype="<i2", shape=(1, 2)).blob.tolist() == [[1, 2]]
    with pytest.raises(DocumentError, match="`buffer` of Document 'a'"):
        Document(id="a", buffer=b"123").convert_buffer_to_blob()


def test_texts_become_numbers_of_their_words_and_come_back():
    doc = Document(text="Hello, new world")
    assert doc.get_vocabulary() == {"hello": 1, "new": 1, "world": 1}
    vocab = {"hello": 2, "world": 3}
    assert doc.convert_text_to_blob(vocab, max_length=5).blob.tolist() == [0, 0, 2, 1, 3]
    assert doc.convert_blob_to_text(vocab).text == "hello world"


def pixels_of(uri):
    """Decode a PNG of ours: 8 bit, no filter."""
    data = Document(uri=uri).convert_uri_to_buffer().buffer
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, _, color = struct.unpack(">IIBB", data[16:26])
    size = struct.unpack(">I", data[33:37])[0]
    raw = zlib.decompress(data[41 : 41 + size])
    channels = {0: 1, 2: 3, 6: 4}[color]
    rows = np.frombuffer(raw, "u1").reshape(height, width * channels + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape((height, width) + ((channels,) if channels > 1 else ()))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3), (2, 3, 4)])
def test_images_become_png_without_pillow(shape):
    blob = np.arange(np.prod(shape), dtype="u1").reshape(shape)
    doc = Document(blob=blob).convert_image_blob_to_uri()
    assert (pixels_of(doc.uri) == blob).all()
    assert doc.blob is not None
    assert (pixels_of(Document(blob=blob).convert_blob_to_uri().uri) == blob).all()


def test_a_flat_blob_needs_a_width_and_a_height():
    doc = Document(blob=np.arange(6.0)).convert_blob_to_uri(width=3, height=2)
    assert pixels_of(doc.uri).tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(DocumentError, match="no image of 4 x 4"):
        Document(blob=np.arange(6)).convert_blob_to_uri(width=4, height=4)
    with pytest.raises(DocumentError, match="is no image"):
        Document(blob=np.zeros((2, 2, 2, 2))).convert_blob_to_uri()
    with pytest.raises(DocumentError, match="from 0 to 255"):
        Document(blob=np.array([[300]])).convert_blob_to_uri()


def test_channels_move_and_normalise():
    doc = Document(blob=np.full((2, 3, 3), 255, "u1")).set_image_blob_channel_axis(-1, 0)
    assert doc.blob.shape == (3, 2, 3)
    doc.set_image_blob_normalization(channel_axis=0, img_mean=(0.5,) * 3, img_std=(0.5,) * 3)
    assert doc.blob.dtype == np.float32
    assert (doc.blob == 1).all()


def test_without_pillow_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "from jina import Document\n"
        "doc = Document(blob=[[1, 2]]).convert_image_blob_to_buffer()\n"
        "try: doc.convert_image_buffer_to_blob()\n"
        "except ImportError as err: print(type(err).__name__, err)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == (
        "MissingExtra reading and resizing images needs Pillow\n"
        "help: pip install 'jinacli[image]'\n"
    )


@pytest.mark.skipif(not HAS_PILLOW, reason="Pillow is not installed")
def test_images_are_read_and_resized_with_pillow():
    blob = np.arange(18, dtype="u1").reshape(2, 3, 3)
    doc = Document(Document(blob=blob).convert_image_blob_to_buffer(), copy=True)
    assert (doc.convert_image_buffer_to_blob().blob == blob).all()
    doc.convert_image_blob_to_uri(width=6, height=4)
    assert doc.convert_image_uri_to_blob(color_axis=0).blob.shape == (3, 4, 6)
    with pytest.raises(DocumentError, match="no image"):
        Document(buffer=b"x").convert_image_buffer_to_blob()


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
        ("data:;base64,@@@@", "holds no base64"),
        ("data:;base64,QUI", "holds no base64"),
        ("a\0b", "is no path: embedded null byte"),
        ("http://[::1", "cannot be read: Invalid IPv6 URL"),
        ("http://a b/", "cannot be read: URL can't contain control characters"),
        ("http://", "cannot be read: no host given"),
        ("s3://bucket/key", "is no path, and no file, data or http URI"),
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


@pytest.mark.parametrize(
    ("make", "convert", "what"),
    [
        ({}, lambda d: d.convert_image_buffer_to_blob(), "`buffer` of Document 'x' is not set"),
        ({}, lambda d: d.convert_buffer_to_blob(), "`buffer` of Document 'x' is not set"),
        ({}, lambda d: d.convert_blob_to_uri(), "`blob` of Document 'x' is not set"),
        ({"buffer": b"a"}, lambda d: d.convert_buffer_to_blob(dtype="z"), "data type 'z'"),
        ({"blob": np.ones((0, 2))}, lambda d: d.convert_blob_to_uri(), "shape .0, 2. is no image"),
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


def test_wrong_sizes_and_ways_to_resize_are_named():
    pytest.importorskip("PIL", reason="images need pillow")
    doc = Document(blob=np.ones((2, 2, 3)))
    with pytest.raises(DocumentError, match="an image of -4 x 2 pixels"):
        doc.convert_blob_to_uri(width=-4)
    with pytest.raises(DocumentError, match=r"named 'NOPE'\nhelp: known: NEAREST, BOX"):
        doc.convert_blob_to_uri(width=4, resize_method="NOPE")
    with pytest.raises(DocumentError, match=r"^these bytes are no image of a known kind$"):
        Document(buffer=b"xx").convert_image_buffer_to_blob()
    with pytest.raises(DocumentError, match="has no axis 9"):
        Document(uri=doc.convert_blob_to_uri().uri).convert_image_uri_to_blob(color_axis=9)


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
