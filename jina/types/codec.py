"""Turn arrays of Documents into bytes and back, as `jina.records` does for records.

`jina.records.batch` draws the frames, `jina.records.jsonlines` describes the JSON lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jina.records import columns, jsonlines
from jina.records.batch import Buffer, parse
from jina.records.selection import Selection
from jina.records.tensors import JsonForm
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document


def encode(docs: DocumentArray) -> list[Buffer]:
    """Return the frames of a message; see `jina.records.columns.encode`."""
    return columns.encode(docs._columns or docs._records())


def decode(frames: Sequence[Buffer]) -> DocumentArray:
    """Return the array in these frames, still as columns: only directories are read.

    The frames belong to the array from now on; large tensors are used in place.

    Raises:
        WireError: a directory that is damaged or beyond the limits. A damaged column raises it
            when it is first read.
    """
    return DocumentArray._of_columns(parse(frames))


class ParsedDocuments(NamedTuple):
    """The Documents and errors of a chunk of lines; see `jina.records.jsonlines.ParsedLines`."""

    docs: DocumentArray
    groundtruths: DocumentArray | None
    errors: list[jsonlines.LineError]


def parse_lines(chunk: Buffer | list[bytes], *, key: str, first_line: int) -> ParsedDocuments:
    """Read a chunk of JSON lines; see `jina.records.jsonlines.parse`."""
    parsed = jsonlines.parse(chunk, key=key, first_line=first_line)
    truths = parsed.groundtruths
    return ParsedDocuments(
        DocumentArray._of_records(parsed.records),
        None if truths is None else DocumentArray._of_records(truths),
        parsed.errors,
    )


def render(
    docs: Iterable[Document], *, tensors: JsonForm = "list", selection: Selection | None = None
) -> bytes:
    """Write Documents as JSON lines; see `jina.records.jsonlines.render`.

    Args:
        docs: in order.
        tensors: as there.
        selection: makes the records to write, where they do not have all fields.
    """
    records = [doc._record for doc in docs]
    if selection is not None:
        records = list(map(selection, records))
    return jsonlines.render(records, tensors=tensors)


def render_few(docs: DocumentArray) -> bytes | None:
    """Write a few small Documents as JSON lines; see `jina.records.jsonlines.render_few`."""
    return None if docs._columns is not None else jsonlines.render_few(docs._records())
