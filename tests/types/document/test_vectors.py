"""Bytes become tensors of numbers and come back."""

from __future__ import annotations

import re

import numpy as np
import pytest

from jina import Document
from jina.excepts import DocumentError


def test_blobs_become_buffers_and_come_back():
    doc = Document(blob=np.array([[1, 2]], "<i2")).convert_blob_to_buffer()
    assert doc.buffer == b"\x01\x00\x02\x00"
    assert doc.convert_buffer_to_blob(dtype="<i2", shape=(1, 2)).blob.tolist() == [[1, 2]]
    with pytest.raises(DocumentError, match="`buffer` of Document 'a'"):
        Document(id="a", buffer=b"123").convert_buffer_to_blob()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"dtype": "S1"}, "a tensor of dtype "),
        ({"dtype": "u1", "shape": (3, 4)}, "cannot reshape array of size 8 into shape (3,4)"),
        ({"count": 9}, "buffer is smaller than requested size"),
    ],
)
def test_bytes_that_are_no_such_numbers_name_the_document(arguments, why):
    doc = Document(id="a", buffer=b"abcdefgh")
    with pytest.raises(DocumentError, match=f"^`buffer` of Document 'a': {re.escape(why)}"):
        doc.convert_buffer_to_blob(**arguments)
    assert doc.buffer == b"abcdefgh"
