"""Many lines are several frames, each of whole lines."""

from __future__ import annotations

import pytest

from jina.wire.line_frames import in_frames
from jina.wire.maps import DOCS, LINES, Part


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (b"", [b""]),
        (b"a\nb\n", [b"a\nb\n"]),
        (b"aaa\nbb\nc\nd\n", [b"aaa\n", b"bb\nc\n", b"d\n"]),
        (b"a\nbbbbbbbb\nc\n", [b"a\n", b"bbbbbbbb\n", b"c\n"]),  # a line alone may be longer
        (b"bbbbbbbb\nc\nd\n", [b"bbbbbbbb\n", b"c\nd\n"]),
    ],
)
def test_lines_stay_whole(text: bytes, frames: list[bytes]) -> None:
    rows = text.count(b"\n")
    parts, cut = in_frames(text, rows, 1, most_bytes=5)
    assert list(map(bytes, cut)) == frames
    assert parts == [
        Part(LINES, DOCS, 1, frame.count(b"\n"), int(place == 0))
        for place, frame in enumerate(frames)
    ]
