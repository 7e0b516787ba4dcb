"""Lines become requests: small ones at first, larger ones within a long file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from jina import Document
from jina.client.documents import DocumentRequests
from jina.client.requests import LineRequests, RequestSource
from jina.defaults import (
    BULK_AFTER_LINES,
    BULK_REQUEST_BYTES,
    BULK_REQUEST_DOCS,
    MAX_REQUEST_BYTES,
    MIB,
    REQUEST_BYTES,
    REQUEST_DOCS,
)
from jina.readers import LineSource, ReadOptions, open_inputs
from jina.readers.ranges import parts_of, whole_files
from jina.wire.maps import Call

LINES = BULK_AFTER_LINES + 3 * BULK_REQUEST_DOCS


def _sizes(requests: RequestSource) -> list[int]:
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


def test_requests_of_a_range_far_into_a_file_are_large_from_the_second_on(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"{}\n" * LINES)
    (whole,) = whole_files([str(path)], ReadOptions())
    *_, last = parts_of([whole], 3 * BULK_AFTER_LINES)
    assert last[0].first_line == BULK_AFTER_LINES + 1
    with LineSource([one.as_input() for one in last]) as source:
        sizes = _sizes(LineRequests(source, Call()))
    left = 3 * BULK_REQUEST_DOCS - REQUEST_DOCS
    assert sizes == [
        REQUEST_DOCS,
        *([BULK_REQUEST_DOCS] * (left // BULK_REQUEST_DOCS)),
        left % BULK_REQUEST_DOCS,
    ]


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


def test_requests_of_long_lines_grow_less(tmp_path: Path) -> None:
    line = b'{"text": "%s"}\n' % (b"x" * 1000)
    path = tmp_path / "long.jsonl"
    path.write_bytes(line * (BULK_AFTER_LINES + 1000))
    with open_inputs([str(path)]) as source:
        *_, last_but_one, _ = _sizes(LineRequests(source, Call()))
    assert REQUEST_DOCS < last_but_one == BULK_REQUEST_BYTES // len(line)


# As much as a float32 picture of 3 x 224 x 224.
ROW_BYTES = 3 * 224 * 224 * 4
USUAL, MOST = REQUEST_BYTES // ROW_BYTES, MAX_REQUEST_BYTES // ROW_BYTES


@pytest.mark.parametrize(
    ("request_docs", "sizes"), [(None, [USUAL, 110 - USUAL]), (64, [64, 46]), (110, [MOST, 6])]
)
def test_large_rows_travel_together(
    tmp_path: Path, request_docs: int | None, sizes: list[int]
) -> None:
    """Bytes decide only beyond what is usual, or beyond a message if a size was asked for."""
    np.save(tmp_path / "rows.npy", np.zeros((110, ROW_BYTES), "u1"))
    with open_inputs([str(tmp_path / "rows.npy")]) as source:
        assert _sizes(LineRequests(source, Call(), request_docs=request_docs)) == sizes
    line = b'{"text": "%s"}\n' % (b"x" * (ROW_BYTES - 13))
    (tmp_path / "rows.jsonl").write_bytes(line * 110)
    with open_inputs([str(tmp_path / "rows.jsonl")]) as source:
        assert _sizes(LineRequests(source, Call(), request_docs=request_docs)) == sizes


@pytest.mark.parametrize(("request_docs", "sizes"), [(None, [3, 3, 3]), (9, [7, 2]), (2, [2] * 4)])
def test_files_travel_together_as_far_as_they_fit(
    tmp_path: Path, request_docs: int | None, sizes: list[int]
) -> None:
    for number in range(sum(sizes)):
        with open(tmp_path / f"{number}.png", "wb") as file:
            file.truncate(8 * MIB)
    with open_inputs([str(tmp_path / "*.png")]) as source:
        assert _sizes(LineRequests(source, Call(), request_docs=request_docs)) == sizes


def test_packed_files_leave_room_for_the_largest(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png.gz").write_bytes(gzip.compress(bytes(12 * MIB), 1))
    with open_inputs([str(tmp_path / "*.gz")]) as source:
        assert _sizes(LineRequests(source, Call())) == [2, 2]


@pytest.mark.parametrize(
    ("doc", "request_docs", "sizes"),
    [
        (Document(blob=np.zeros((3, 224, 224), "f4")), None, [USUAL, 110 - USUAL]),
        # Tensors have frames of their own, contents share one.
        (Document(blob=np.zeros((3, 224, 224), "f4")), 110, [110]),
        (Document(buffer=bytes(ROW_BYTES)), None, [USUAL, 110 - USUAL]),
        (Document(buffer=bytes(ROW_BYTES)), 64, [64, 46]),
        (Document(buffer=bytes(ROW_BYTES)), 0, [MOST, 6]),
        (Document(chunks=[Document(text="x" * ROW_BYTES)]), 0, [MOST, 6]),
        (
            Document(embedding=sparse.csr_matrix(np.ones((1, ROW_BYTES // 16)))),
            None,
            [USUAL, 110 - USUAL],
        ),
        (Document(text="x"), None, [REQUEST_DOCS, 10]),
    ],
)
def test_large_documents_travel_together(
    doc: Document, request_docs: int | None, sizes: list[int]
) -> None:
    requests = DocumentRequests((doc for _ in range(110)), Call(), request_docs=request_docs)
    assert _sizes(requests) == sizes


def test_groundtruths_count_too() -> None:
    pair = (Document(buffer=bytes(10 * MIB)), Document(buffer=bytes(4 * MIB)))
    assert _sizes(DocumentRequests([pair] * 5, Call())) == [2, 2, 1]
