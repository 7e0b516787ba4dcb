"""Put the JSON lines of a reply into as many frames as they need; most need one."""

from __future__ import annotations

from collections.abc import Iterator

from jina.defaults import MAX_FRAME_BYTES
from jina.wire.maps import DOCS, LINES, Part


def in_frames(
    text: bytes, rows: int, failed: int, *, most_bytes: int = MAX_FRAME_BYTES
) -> tuple[list[Part], list[bytes | memoryview]]:
    """The parts and frames of some lines.

    Args:
        text: whole lines.
        rows: how many.
        failed: how many of them are errors; the first part counts them all.
        most_bytes: in a frame; a single line may have more, and is refused when it is sent.
    """
    if len(text) <= most_bytes:
        return [Part(LINES, DOCS, 1, rows, failed)], [text]
    frames = list(_cut(text, most_bytes))
    counts = [bytes(frame).count(b"\n") for frame in frames]
    parts = [Part(LINES, DOCS, 1, count) for count in counts]
    parts[0] = Part(LINES, DOCS, 1, counts[0], failed)
    return parts, list(frames)


def _cut(text: bytes, most_bytes: int) -> Iterator[memoryview]:
    whole = memoryview(text)
    start = 0
    while start < len(text):
        stop = len(text)
        if stop - start > most_bytes:
            # Behind the last line that fits, else behind the first.
            stop = text.rfind(b"\n", start, start + most_bytes) + 1
            stop = stop or text.find(b"\n", start) + 1 or len(text)
        yield whole[start:stop]
        start = stop
