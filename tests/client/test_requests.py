"""Lines become requests: small ones at first, larger ones within a long file."""

from __future__ import annotations

import os
from pathlib import Path

from jina.client.requests import LineRequests
from jina.defaults import BULK_AFTER_LINES, BULK_REQUEST_DOCS, REQUEST_DOCS
from jina.readers import open_inputs
from jina.wire.maps import Call

LINES = BULK_AFTER_LINES + 3 * BULK_REQUEST_DOCS


def _sizes(requests: LineRequests) -> list[int]:
    sizes = []
    while not requests.at_end:
        request = requests.next()
        if request is not None:
            sizes.append(request.rows)
    return sizes


def test_requests_grow_once_a_file_proves_long(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"{}\n" * LINES)
    with open_inputs([str(path)]) as source:
        sizes = _sizes(LineRequests(source, Call()))
    assert sizes == [REQUEST_DOCS] * (BULK_AFTER_LINES // REQUEST_DOCS) + [BULK_REQUEST_DOCS] * 3


def test_a_size_that_was_asked_for_stays(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"{}\n" * LINES)
    with open_inputs([str(path)]) as source:
        sizes = _sizes(LineRequests(source, Call(), request_docs=1000, limit=LINES - 100))
    assert sizes == [1000] * (LINES // 1000) + [LINES % 1000 - 100]


def test_requests_of_a_pipe_never_grow() -> None:
    reading, writing = os.pipe()
    total = 0
    with (
        open(reading, "rb") as pipe,
        open(writing, "wb", buffering=0) as end,
        open_inputs(["-"], stdin_fd=pipe.fileno()) as source,
    ):
        requests = LineRequests(source, Call())
        while total < LINES:
            end.write(b"{}\n" * REQUEST_DOCS)
            request = requests.next()
            assert request is not None
            assert request.rows == REQUEST_DOCS
            total += request.rows
