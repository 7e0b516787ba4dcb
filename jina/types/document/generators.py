"""Read Documents from files and arrays, one after the other and not before they are asked for.

`jina.types.sources` reads; here its records become Documents. A row or a line that is not a
Document raises an error that names file and line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jina.records.record import Record
from jina.types import sources
from jina.types.document import Document

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[Document, Document]
Resolver = Mapping[str, str]


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
        size: how many rows at most.
        shuffle: take the rows in random order.
    """
    return _documents(sources.from_ndarray(array, axis, size, shuffle))


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
        size: how many files at most.
        sampling_rate: take each file with this probability.
        read_mode: "r" reads the text, "rb" the buffer, None neither.
        to_dataturi: turn the uri into a data URI that holds the file.

    Raises:
        ValueError: another mode.
    """
    return _documents(
        sources.from_files(patterns, recursive, size, sampling_rate, read_mode, to_dataturi)
    )


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
        size: how many at most.
        sampling_rate: take each line with this probability.

    Raises:
        DocumentError: a line that is not a Document.
    """
    return _documents_and_pairs(sources.from_ndjson(fp, field_resolver, size, sampling_rate))


def from_csv(
    fp: Iterable[str],
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
    dialect: str | type[csv.Dialect] | None = None,
) -> Iterator[Document]:
    """Yield a Document for each row of a table; the first row names the columns.

    Columns that are not fields go into the tags, as text; an empty cell of a field is unset.

    Args:
        fp: an open text file, or any lines.
        field_resolver: new names for columns.
        size: how many rows at most.
        sampling_rate: take each row with this probability.
        dialect: of the csv module; tabs for `.tsv`, commas by default.

    Raises:
        DocumentError: a row with more or fewer columns than the first, or one that is not a
            Document.
    """
    return _documents(sources.from_csv(fp, field_resolver, size, sampling_rate, dialect))


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
        filepath: a file; its ending says whether it holds JSON lines or a table, else each line is
            a text. It is unpacked if it ends in .gz.
        read_mode: no effect; files are read as text.
        line_format: of `lines`: "json", "csv", or "text" for one text a line.
        field_resolver: new names for keys and columns.
        size: how many at most.
        sampling_rate: take each line with this probability.

    Raises:
        ValueError: neither `lines` nor `filepath`, or a line that is not a Document.
    """
    return _documents_and_pairs(
        sources.from_lines(
            lines, filepath, read_mode, line_format, field_resolver, size, sampling_rate
        )
    )


def _documents(records: Iterable[Record]) -> Iterator[Document]:
    for record in records:
        yield Document._of(record)


def _documents_and_pairs(items: Iterable[Record | sources.Pair]) -> Iterator[Document | Pair]:
    wrap = Document._of
    for item in items:
        yield wrap(item) if isinstance(item, Record) else (wrap(item[0]), wrap(item[1]))
