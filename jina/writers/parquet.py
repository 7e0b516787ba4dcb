"""Results as Parquet: a row for each, which `readers` reads as the same Document again.

JSON lines are written first, and turned into columns once all of them are there: only then is it
known which columns there are, and of which type. Needs the extra `columnar`.

A column is a field, `tags.KEY` or `error`. Values of one simple type are a column of that type,
embeddings and blobs of one dimension and one dtype a column of lists. Everything else is a column
of JSON, which its metadata say ({"jina": "json"}).
"""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jina.excepts import OutputError
from jina.records.record import COUNT_FIELDS, FIELDS, TENSOR_FIELDS, TEXT_FIELDS
from jina.records.tables import TAG
from jina.records.tensors import from_json
from jina.writers.base import Writer
from jina.writers.results import Raw, fields_of, reason_of, tags_of, text_of

_ROWS = 10_000  # in a row group
_JSON = pa.field("", pa.string(), metadata={"jina": "json"})
_TEXTS = TEXT_FIELDS | {"text"}
_ARROW = {"text": pa.string(), "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
_MAX_INT = 1 << 63

#: The kind of a column, and how the JSON of a value becomes one of its cells.
Column = tuple[pa.Field, Callable[[Raw], Any]]


class Parquet(Writer):
    """Keeps JSON lines until they are complete."""

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}  # of each column's values

    def written(self, lines: bytes | memoryview) -> bytes:
        """See Writer."""
        data = bytes(lines)
        for line in data.splitlines():
            values = dict(_values_of(line))
            for name, value in values.items():
                if name != "uri" or "error" not in values:  # an error has one whatever is selected
                    self._kinds.setdefault(name, set()).add(_kind_of(name, value))
        return data

    def complete(self, path: str) -> None:
        """See Writer."""
        columns = self._columns()
        made = f"{path}.columns"
        schema = pa.schema([field for field, _ in columns.values()])
        try:
            with open(path, "rb") as file, pq.ParquetWriter(made, schema) as parquet:
                for table in _tables(file, columns, schema):
                    parquet.write_table(table)
            os.replace(made, path)
        except (pa.ArrowException, OSError) as error:
            raise OutputError(f"cannot write Parquet: {error}") from error
        finally:
            if os.path.exists(made):
                os.unlink(made)

    def _columns(self) -> dict[str, Column]:
        keys = [name for name in self._kinds if name.startswith(TAG)]
        order = [
            *(name for name in FIELDS if name in self._kinds and name != "tags"),
            *keys,
            *(["error"] if "error" in self._kinds else []),
        ]
        return {name: _column(name, self._kinds[name]) for name in order or ["id"]}


def _values_of(line: bytes) -> Iterator[tuple[str, Raw]]:
    result = fields_of(line)
    for key, value in tags_of(result).items():
        yield f"{TAG}{key}", value
    for name, value in result.items():
        if name != "tags":
            yield name, value


def _kind_of(name: str, value: Raw) -> str:
    """The kind of a value: a name in _ARROW, a dtype of a vector, or "json"."""
    if name in _TEXTS:
        return "text"
    if name in TENSOR_FIELDS:
        tensor = msgspec.json.decode(value)
        if isinstance(tensor, dict) and len(tensor.get("shape", ())) == 1 and "data" in tensor:
            return str(tensor["dtype"])
        return "json"
    if name in COUNT_FIELDS:
        return "int"
    if name == "weight":
        return "float"
    if name in ("buffer", "error"):
        return name
    return _kind_of_tag(value) if name.startswith(TAG) else "json"


def _kind_of_tag(value: Raw) -> str:
    start = bytes(value)[:1]
    if start == b'"':
        return "text"
    if start in (b"t", b"f"):
        return "bool"
    if start in (b"{", b"[", b"n"):
        return "json"
    number = msgspec.json.decode(value)
    if isinstance(number, float):
        return "float"
    return "int" if -_MAX_INT <= number < _MAX_INT else "json"


def _column(name: str, kinds: set[str]) -> Column:
    kind = next(iter(kinds)) if len(kinds) == 1 else "json"
    if kind == "error":
        return pa.field(name, pa.string()), reason_of
    if kind == "buffer":
        return pa.field(name, pa.binary()), lambda value: b64decode(text_of(value))
    if kind in _ARROW:
        return pa.field(name, _ARROW[kind]), msgspec.json.decode
    if kind != "json" and (dtype := _dtype(kind)) is not None:
        return pa.field(name, pa.list_(dtype)), lambda value: from_json(msgspec.json.decode(value))
    return _JSON.with_name(name), lambda value: bytes(value).decode()


def _dtype(name: str) -> Any:
    """The type of the elements of a vector; None if lists of that would be no tensor when read."""
    if name[1:] not in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"):
        return None
    return pa.from_numpy_dtype(np.dtype(name))


def _tables(file: IO[bytes], columns: dict[str, Column], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of a file of JSON lines, some at a time."""
    names: Sequence[str] = list(columns)
    while lines := [line for _, line in zip(range(_ROWS), file, strict=False)]:
        cells: dict[str, list[Any]] = {name: [None] * len(lines) for name in names}
        for row, line in enumerate(lines):
            for name, value in _values_of(line):
                if name in columns:
                    cells[name][row] = columns[name][1](value)
        arrays = [pa.array(cells[name], columns[name][0].type) for name in names]
        yield pa.Table.from_arrays(arrays, schema=schema)
