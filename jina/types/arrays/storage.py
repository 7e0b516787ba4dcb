"""Arrays in files: JSON lines, or a binary file that keeps every bit.

    binary   "JDAFILE1" · segment …     segment: length u64 · a packed batch (jina.records.binary)

A damaged binary file can be read up to the damage. Loading returns records.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, Literal, cast

from jina.excepts import DocumentError, WireError
from jina.records import binary, jsonlines
from jina.records.batch import parse
from jina.records.columns import encode
from jina.records.mapping import kind_of
from jina.records.record import Record
from jina.types.arrays.protocols import DocumentLike

Format = Literal["json", "binary"]

MAGIC = b"JDAFILE1"
SEGMENT_DOCS = 1000
_LINES = 1000


def save_json(docs: Sequence[DocumentLike], file: Any) -> None:
    """Write one Document a line, tensors as base64."""
    with _replaced(file) as stream:
        for records in _segments_of(docs):
            data = jsonlines.render(records, tensors="base64")
            try:
                stream.write(data)
            except TypeError:  # open for text
                stream.write(data.decode())


def load_json(file: Any) -> list[Record]:
    """Read one record from each line.

    Raises:
        DocumentError: a line that is not a Document, or is a pair; its number is named.
    """
    records: list[Record] = []
    with _opened(file) as stream:
        for first, chunk in _chunks(stream):
            records += _parsed(chunk, first, _name(file))
    return records


def _parsed(chunk: bytes, first: int, name: str) -> list[Record]:
    if first == 1 and chunk.startswith(MAGIC):
        raise DocumentError(
            "this is a binary file of Documents, not JSON lines",
            where=name,
            hint="load(file, file_format='binary')",
        )
    parsed = jsonlines.parse(chunk, key="line", first_line=first)
    if parsed.errors:
        error = parsed.errors[0]
        raise DocumentError(error.message, where=f"{name}:{error.line}")
    if parsed.groundtruths is not None:
        raise DocumentError(
            "a line with a groundtruth, which an array cannot hold",
            where=f"{name}:{first} and following",
            hint="jina.types.document.generators.from_ndjson gives pairs",
        )
    return parsed.records


def save_binary(docs: Sequence[DocumentLike], file: Any) -> None:
    """Write all Documents bit for bit."""
    with _replaced(file) as stream:
        stream.write(MAGIC)
        for records in _segments_of(docs):
            data = binary.pack(encode(records))
            stream.write(len(data).to_bytes(8, "little"))
            stream.write(data)


def load_binary(file: Any, partial: bool) -> list[Record]:
    """Read what `save_binary` wrote.

    Args:
        file: a path, or a file open for reading bytes.
        partial: return what lies before the damage of a damaged file.

    Raises:
        DocumentError: a damaged file; the offset in bytes is named.
    """
    records: list[Record] = []
    with _opened(file) as stream:
        try:
            for segment in _segments(stream, _name(file)):
                records += segment
        except DocumentError as err:
            if not partial:
                err.hint = f"partial=True returns the {len(records)} Documents before it"
                raise
    return records


def unknown_format(file_format: Any) -> DocumentError:
    """Return the error that says which formats there are."""
    return DocumentError(f"unknown file format {file_format!r}", hint="json or binary")


def _segments_of(docs: Sequence[DocumentLike]) -> Iterator[list[Record]]:
    for start in range(0, len(docs), SEGMENT_DOCS):
        yield [doc._record for doc in docs[start : start + SEGMENT_DOCS]]


def _segments(stream: Any, name: str) -> Iterator[list[Record]]:
    if stream.read(len(MAGIC)) != MAGIC:
        raise DocumentError("this is not a binary file of Documents", where=f"{name}: byte 0")
    offset = len(MAGIC)
    while head := stream.read(8):
        size = int.from_bytes(head, "little")
        data = _read(stream, size)
        try:
            if len(head) < 8 or len(data) < size:
                raise WireError("the file ends within a segment")
            records = parse(binary.unpack(data)).records()
        except WireError as err:
            raise DocumentError(err.what, where=f"{name}: byte {offset}") from err
        yield records
        offset += 8 + size


def _read(stream: Any, size: int) -> bytearray:
    """Read in steps, so that a damaged length does not allocate a huge amount of memory."""
    data = bytearray()
    while len(data) < size and (block := stream.read(min(size - len(data), 1 << 24))):
        data += block
    return data


def _chunks(stream: Any) -> Iterator[tuple[int, bytes]]:
    number = 1
    lines: list[bytes] = []
    for line in stream:
        lines.append(line.encode() if isinstance(line, str) else line)
        if len(lines) == _LINES:
            yield number, b"".join(lines)
            number += len(lines)
            lines = []
    if lines:
        yield number, b"".join(lines)


def _opened(file: Any) -> AbstractContextManager[Any]:
    if isinstance(file, (str, PathLike)):
        return cast("AbstractContextManager[Any]", Path(file).open("rb"))
    return nullcontext(_stream(file, "read"))


@contextmanager
def _replaced(file: Any) -> Iterator[Any]:
    """Open a file that replaces another once it is written; a failure leaves nothing behind."""
    if not isinstance(file, (str, PathLike)):
        yield _stream(file, "write")
        return
    path = Path(file).resolve()  # a link stays a link
    if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
        with path.open("wb") as stream:
            yield stream
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stream(file: Any, method: str) -> Any:
    if not hasattr(file, method):
        raise TypeError(f"{kind_of(file)} is neither a path nor an open file")
    return file


def _name(file: Any) -> str:
    if isinstance(file, (str, PathLike)):
        return os.fspath(file)
    return str(getattr(file, "name", "<stream>"))
