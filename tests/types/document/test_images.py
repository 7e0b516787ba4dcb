"""Images go into PNG and data URIs; Pillow reads and resizes them."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from jina import Document
from jina.excepts import DocumentError

HAS_PILLOW = importlib.util.find_spec("PIL") is not None


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
    with pytest.raises(DocumentError, match="not make an image of 4 x 4"):
        Document(blob=np.arange(6)).convert_blob_to_uri(width=4, height=4)
    with pytest.raises(DocumentError, match="is not an image"):
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
    with pytest.raises(DocumentError, match="not an image"):
        Document(buffer=b"x").convert_image_buffer_to_blob()


def test_wrong_sizes_and_ways_to_resize_are_named():
    pytest.importorskip("PIL", reason="images need pillow")
    doc = Document(blob=np.ones((2, 2, 3)))
    with pytest.raises(DocumentError, match="an image of -4 x 2 pixels"):
        doc.convert_blob_to_uri(width=-4)
    with pytest.raises(DocumentError, match=r"method 'NOPE'\nhelp: known: NEAREST, BOX"):
        doc.convert_blob_to_uri(width=4, resize_method="NOPE")
    with pytest.raises(DocumentError, match=r"^these bytes are not an image of a known format$"):
        Document(buffer=b"xx").convert_image_buffer_to_blob()
    with pytest.raises(DocumentError, match="has no axis 9"):
        Document(uri=doc.convert_blob_to_uri().uri).convert_image_uri_to_blob(color_axis=9)
