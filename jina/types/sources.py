"""Read records from files and arrays, one after the other and not before they are asked for.

`jina.types.document.generators` yields them as Documents, and the class methods of DocumentArray
collect them. A row or a line that is not a Document raises an error that names file and line.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterable, Iterator, Mapping
from glob import iglob
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

from jina.excepts import BadDocType, DocumentError
from jina.records import ids, mapping
from jina.records.jsonlines import parse
from jina.records.record import Record
from jina.records.tables import TableHead
from jina.records.tensors import as_tensor
from jina.types.document import uris

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
Pair = tuple[Record, Record]
Resolver = Mapping[str, str]

_LINES = 100
_JSON_LINES = (".jsonl", ".ndjson", ".jsonlines", ".jl", ".ldjson")
_TABLES = (".csv", ".tsv", ".tcsv")


def from_ndarray(
    array: np.ndarray[Any, Any],
    axis: int = 0,
    size: int | None = None,
    shuffle: bool = False,
) -> Iterator[Record]:
    """Yield a record for each row of an array, the row as its blob."""
    import numpy as np  # late: a process that reads only text never loads it

    rows = np.moveaxis(array, axis, 0)
    order = list(range(len(rows)))
    if shuffle:
        random.shuffle(order)
    for position in order[:size]:
        # A row of a vector is a number; as a tensor it has no dimension.
        yield Record(ids.fresh(), blob=as_tensor(np.asarray(rows[position])))


def from_files(
    patterns: str | Iterable[str],
    recursive: bool = True,
    size: int | None = None,
    sampling_rate: float | None = None,
    read_mode: Literal["r", "rb"] | None = None,
    to_dataturi: bool = False,
) -> Iterator[Record]:
    """Yield a record for each file that fits a pattern, with the absolute path as its uri."""
    if read_mode not in (None, "r", "rb"):
        raise DocumentError(f"unknown read mode {read_mode!r}", hint="'r', 'rb' or None")
    patterns = [patterns] if isinstance(patterns, str) else patterns
    names = (
        Path(name).absolute() for part in patterns for name in iglob(part, recursive=recursive)
    )
    paths = sampled((path for path in names if path.is_file()), size, sampling_rate)
    return (_of_file(path, read_mode, to_dataturi) for path in paths)


def _of_file(path: Path, read_mode: str | None, to_dataturi: bool) -> Record:
    record = Record(ids.fresh())
    uris.set_uri(record, str(path))
    if read_mode == "r":
        record.text = uris.read_text(record.uri)
        record.mime_type = record.mime_type or "text/plain"
    elif read_mode == "rb":
        record.buffer = uris.fetched(record.uri)
    if to_dataturi:
        data = uris.fetched(record.uri)
        uris.set_uri(record, uris.datauri(data, record.mime_type, "utf-8", base64=True))
    return record


def from_ndjson(
    fp: Iterable[str | bytes],
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
) -> Iterator[Record | Pair]:
    """Yield a record for each JSON line; a line with `document` and `groundtruth` gives a pair."""
    return sampled(_json_lines(fp, field_resolver), size, sampling_rate)


def _json_lines(fp: Iterable[str | bytes], resolver: Resolver | None) -> Iterator[Record | Pair]:
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
            parsed = parse(chunk, key=name, first_line=number)
            if parsed.errors:
                error = parsed.errors[0]
                before = sum(bool(line.strip()) for line in part[: error.row])
                yield from parsed.records[:before]
                raise DocumentError(error.message, where=f"{name}:{error.line}")
            if parsed.groundtruths is None:
                yield from parsed.records
            else:
                yield from zip(parsed.records, parsed.groundtruths, strict=True)
        number += len(part)


def _resolved(chunk: bytes, resolver: Resolver, name: str, number: int) -> Iterator[Record]:
    for offset, line in enumerate(chunk.split(b"\n")):
        if line.strip():
            try:
                record = _of_mapping(mapping.from_text(line.decode()), resolver)
            except (DocumentError, UnicodeDecodeError) as err:
                why = err.what if isinstance(err, DocumentError) else str(err)
                raise DocumentError(why, where=f"{name}:{number + offset}") from err
            yield record


def from_csv(
    fp: Iterable[str],
    field_resolver: Resolver | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
    dialect: str | type[csv.Dialect] | None = None,
) -> Iterator[Record]:
    """Yield a record for each row of a table; the first row names the columns."""
    return sampled(_rows(fp, field_resolver, dialect), size, sampling_rate)


def _rows(
    fp: Iterable[str], resolver: Resolver | None, dialect: str | type[csv.Dialect] | None
) -> Iterator[Record]:
    name = str(getattr(fp, "name", "rows"))
    kind = dialect or ("excel-tab" if name.endswith(".tsv") else "excel")
    reader = csv.reader(fp, dialect=kind)
    head: TableHead | None = None
    try:
        for row in reader:
            if head is None:
                head = TableHead(row, resolver) if row else None
            elif row:
                yield _of_mapping(head.values(row))
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
) -> Iterator[Record | Pair]:
    """Yield records from lines, or from a file whose name says what its lines are."""
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
) -> Iterator[Record | Pair]:
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix
    with _opened(path) as stream:
        if suffix in _JSON_LINES:
            yield from from_ndjson(stream, resolver, size, sampling_rate)
        elif suffix in _TABLES:
            dialect = "excel-tab" if suffix == ".tsv" else "excel"
            yield from from_csv(stream, resolver, size, sampling_rate, dialect)
        else:
            yield from sampled(_texts(stream), size, sampling_rate)


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _texts(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        if line.strip():
            yield Record(ids.fresh(), "text/plain", line.rstrip("\r\n"))


def _of_mapping(source: Mapping[str, Any], resolver: Resolver | None = None) -> Record:
    record = Record()
    mapping.fill(record, source, resolver=resolver, child=_no_child)
    record.id = record.id or ids.fresh()
    return record


def _no_child(item: Any) -> Record:
    raise BadDocType(f"{mapping.kind_of(item)} is not a Document")


def sampled(items: Iterable[T], size: int | None, sampling_rate: float | None) -> Iterator[T]:
    """Yield at most `size` of the items, each with the probability `sampling_rate`."""
    chosen = (item for item in items if sampling_rate is None or random.random() < sampling_rate)
    return islice(chosen, size)
