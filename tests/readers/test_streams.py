"""A stream that is not text is one error, rather than one for each of its lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.readers.drained import read


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json", "a.txt"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (gzip.compress(b"{}", mtime=0), "this is gzip, not text\nhelp: gunzip -c"),
        (b"\x28\xb5\x2f\xfd...", "this is zstd, not text\nhelp: zstd -dc"),
        (b"\x93NUMPY\x01\x00", "this is a numpy array, not text\nhelp: --inputs FILE --format npy"),
        (b"PAR1....", "this is Parquet, not text\nhelp: --inputs FILE --format parquet"),
        ('{"a":1}'.encode("utf-16"), "this is UTF-16, not UTF-8\nhelp: iconv -f UTF-16"),
        (b"\xfe\xff" + '{"a":1}'.encode("utf-16-be"), "this is UTF-16, not UTF-8"),
    ],
)
def test_a_stream_that_is_no_text_is_said(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    found = read(path)
    assert not found.docs
    assert found.broken.startswith(f"{path}: {expected}")
