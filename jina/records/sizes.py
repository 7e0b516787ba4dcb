"""About how many bytes a record takes in a message, without writing or decoding anything."""

from __future__ import annotations

from typing import Any

from jina.records.batch import ChildRange
from jina.records.record import Record
from jina.records.record_ops import children


def size_of(record: Record) -> tuple[int, int]:
    """The size of what may be large: contents and tensors, also those of chunks and matches.

    Tags count as nothing, and so does what came in a message and was not read yet.

    Returns:
        bytes in the frame that all fields share, and bytes of tensors, in frames of their own.
    """
    text, buffer = record.text, record.buffer
    in_body = (0 if text is None else len(text)) + (0 if buffer is None else len(buffer))
    tensors = 0
    if record.blob is not None:
        tensors += _tensor_bytes(record.blob)
    if record.embedding is not None:
        tensors += _tensor_bytes(record.embedding)
    if record.chunks is None and record.matches is None:
        return in_body, tensors
    for value in (record.chunks, record.matches):
        if type(value) is not ChildRange:
            for child in children(value):
                inner = size_of(child)
                in_body, tensors = in_body + inner[0], tensors + inner[1]
    return in_body, tensors


def _tensor_bytes(tensor: Any) -> int:
    size: int | None = getattr(tensor, "nbytes", None)
    if size is None:  # a sparse matrix: its numbers, and about as much for their places
        size = 2 * getattr(getattr(tensor, "data", None), "nbytes", 0)
    return size
