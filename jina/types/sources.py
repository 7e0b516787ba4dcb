"""Documents out of files and arrays, one after the other: nothing is read before it is asked for.

Rows and lines that are no Document are an error that names the file and the line.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator, Mapping
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

from jina.excepts import DocumentError
from jina.records.jsonlines import parse
from jina.records.tables import TableHead
from jina.types.document import Document, wrapped

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
Pair = tuple[Document, Document]
Resolver = Mapping[str, str]

_LINES = 100
_JSON_LINES = (".jsonl", ".ndjson", ".jsonlines", ".jl", ".ldjson")
_TABLES = (".csv", ".tsv", ".tcsv")


def from_ndarray(
    array: np.ndarray[Any, Any],
    axis: int = 0,
    size: int | None = None,
    shuffle: bool = False,
) -> Iterator[Document]:
    """Yield a Document for each row of an array, the row as its blob.

    Args:
        array: of any shape with at least one dimension.
        axis: the dimension that counts the rows.
        size: so many rows at most.
        shuffle: in another order.
    """
    import numpy as np  # late: a process that sees only text never loads it

    rows = np.moveaxis(array, axis, 0)
    order = list(range(len(rows)))
    if shuffle:
        random.shuffle(order)
    for position in order[:size]:
        # A row of a vector is a number; as a tensor it has no dimension.
        yield Document(blob=np.asarray(rows[position]))


def from_files(
    patterns: str | Iterable[str],
    recursive: bool = True,
    size: int | None = None,
    sampling_rate: float | None = None,
    read_mode: Literal["r", "rb"] | None = None,
    to_dataturi: bool = False,
) -> Iterator[Document]:
    """Yield a Document for each file that fits a pattern, with the absolute path as its uri.

    Args:
        patterns: one or several, with `*`, `?`, `[…]` and `**`.
        recursive: whether `**` goes into folders.
        size: so many files at most.
        sampling_rate: take each file with this probability.
        read_mode: "r" reads the text, "rb" the buffer, None neither.
        to_dataturi: turn the uri into a data URI that holds the file.

    Raises:
        ValueError: another mode.
    """
    if read_mode not in (None, "r", "rb"):
        raise DocumentError(f"no read mode is {read_mode!r}", hint="'r', 'rb' or None")
    return _files(
        [patterns] if isinstance(patterns, str) else patterns,
        recursive,
        size,
        sampling_rate,
        read_mode,
        to_dataturi,
    )


def _files(
    patterns: Iterable[str],
    recursive: bool,
    size: int | None,
    sampling_rate: float | None,
    read_mode: str | None,
    to_dataturi: bool,
) -> Iterator[Document]:
    names = (
        Path(name).absolute() for part in patterns for name in iglob(part, recursive=recursive)
    )
    for path in sampled((path for path in names if path.is_file()), size, sampling_rate):
        doc = Document(uri=str(path))
        if read_mode == "r":
            doc.convert_uri_to_text()
        elif read_mode == "rb":
            doc.convert_uri_to_buffer()
        if to_dataturi:
            doc.convert_uri_to_datauri(base64=True)
        yield doc


def from_ndjson(
    fp: Iterable[str | bytes],
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
) -> Iterator[Document | Pair]:
    """Yield a Document for each JSON line; a line with `document` and `groundtruth` gives a pair.

    Args:
        fp: an open file, or any lines.
        field_resolver: new names for keys.
        size: so many at most.
        sampling_rate: take each line with this probability.

    Raises:
        DocumentError: a line that is no Document.
    """
    return sampled(_json_lines(fp, field_resolver), size, sampling_rate)


def _json_lines(fp: Iterable[str | bytes], resolver: Resolver | None) -> Iterator[Document | Pair]:
    name = str(getattr(fp, "name", "lines"))
    lines = iter(fp)
    number = 1
    while part := list(islice(lines, _LINES)):
        chunk = b"".join(
            (line.encode() if isinstance(line, str) else line).rstrip(b"\r\n") + b"\n"
            for line in part
        )
        if resolver:
            yield from _resolved(chunk, resolver, name, number)
        else:
            found = parse(chunk, key=name, first_line=number)
            if found.errors:
                error = found.errors[0]
                before = sum(bool(line.strip()) for line in part[: error.row])
                yield from wrapped(found.records)[:before]
                raise DocumentError(error.message, where=f"{name}:{error.line}")
            if found.groundtruths is None:
                yield from wrapped(found.records)
            else:
                yield from zip(wrapped(found.records), wrapped(found.groundtruths), strict=True)
        number += len(part)


def _resolved(chunk: bytes, resolver: Resolver, name: str, number: int) -> Iterator[Document]:
    for offset, line in enumerate(chunk.split(b"\n")):
        if line.strip():
            try:
                doc = Document(line.decode(), field_resolver=resolver)
            except (DocumentError, UnicodeDecodeError) as err:
                why = err.what if isinstance(err, DocumentError) else str(err)
                raise DocumentError(why, where=f"{name}:{number + offset}") from err
            yield doc


def from_csv(
    fp: Iterable[str],
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
    dialect: str | type[csv.Dialect] | None = None,
) -> Iterator[Document]:
    """Yield a Document for each row of a table; the first row names the columns.

    Columns that are no field go into the tags, as text; an empty cell of a field is unset.

    Args:
        fp: an open text file, or any lines.
        field_resolver: new names for columns.
        size: so many rows at most.
        sampling_rate: take each row with this probability.
        dialect: of the csv module; tabs for `.tsv`, commas by default.

    Raises:
        DocumentError: a row with more or fewer columns than the first, or one that is no Document.
    """
    return sampled(_rows(fp, field_resolver, dialect), size, sampling_rate)


def _rows(
    fp: Iterable[str], resolver: Resolver | None, dialect: str | type[csv.Dialect] | None
) -> Iterator[Document]:
    name = str(getattr(fp, "name", "rows"))
    kind = dialect or ("excel-tab" if name.endswith(".tsv") else "excel")
    reader = csv.reader(fp, dialect=kind)
    head: TableHead | None = None
    try:
        for row in reader:
            if head is None:
                head = TableHead(row, resolver) if row else None
            elif row:
                yield Document(head.values(row))
    except (DocumentError, csv.Error) as err:
        why = err.what if isinstance(err, DocumentError) else str(err)
        raise DocumentError(why, where=f"{name}:{reader.line_num}") from err


def from_lines(
    lines: Iterable[str] | None = None,
    filepath: str | Path | None = None,
    read_mode: str = "r",
    line_format: Literal["json", "csv", "text"] = "json",
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
) -> Iterator[Document | Pair]:
    """Yield Documents from lines, or from a file whose name says what its lines are.

    Args:
        lines: any lines.
        filepath: a file: JSON lines or a table by its ending, else one text a line; unpacked if it
            ends in .gz.
        read_mode: how the file is opened; "r".
        line_format: of `lines`: "json", "csv", or "text" for one text a line.
        field_resolver: new names for keys and columns.
        size: so many at most.
        sampling_rate: take each with this probability.

    Raises:
        ValueError: neither lines nor a file, or a line that is no Document.
    """
    if filepath is not None:
        return _file(Path(filepath), field_resolver, size, sampling_rate)
    if lines is None:
        raise DocumentError("neither `lines` nor `filepath` is given")
    if line_format == "json":
        return from_ndjson(lines, field_resolver, size, sampling_rate)
    if line_format == "csv":
        return from_csv(lines, field_resolver, size, sampling_rate)
    return sampled(_texts(lines), size, sampling_rate)


def _file(
    path: Path, resolver: Resolver | None, size: int | None, sampling_rate: float | None
) -> Iterator[Document | Pair]:
    packed = path.suffix == ".gz"
    suffix = path.with_suffix("").suffix if packed else path.suffix
    with _unpacked(path) if packed else path.open(encoding="utf-8", newline="") as stream:
        if suffix in _JSON_LINES:
            yield from from_ndjson(stream, resolver, size, sampling_rate)
        elif suffix in _TABLES:
            dialect = "excel-tab" if suffix == ".tsv" else "excel"
            yield from from_csv(stream, resolver, size, sampling_rate, dialect)
        else:
            yield from sampled(_texts(stream), size, sampling_rate)


def _unpacked(path: Path) -> TextIO:
    import gzip  # late: few files are compressed

    return gzip.open(path, "rt", encoding="utf-8", newline="")


def _texts(lines: Iterable[str]) -> Iterator[Document]:
    for line in lines:
        if line.strip():
            yield Document(text=line.rstrip("\r\n"))


def sampled(items: Iterable[T], size: int | None, sampling_rate: float | None) -> Iterator[T]:
    """Yield at most `size` of the items, each with the probability `sampling_rate`."""
    chosen = (item for item in items if sampling_rate is None or random.random() < sampling_rate)
    return islice(chosen, size)
