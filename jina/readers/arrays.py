"""Read numpy's arrays, .npy and .npz: each row is a Document.

Of a .npy file, and of packed ones (.npz, .gz), a few rows are read at a time.
Nothing is ever unpickled: arrays of objects are refused.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from gzip import GzipFile
from typing import IO, Any

import numpy as np

from jina.defaults import MAX_LINE_BYTES
from jina.excepts import DocumentError, InputError
from jina.readers.gzipped import unpacked
from jina.readers.inputs import Input
from jina.readers.lines import too_long
from jina.readers.npy import Array, ArrayHead, Column, Mapped, Plain, Streamed, read_head
from jina.readers.rows import Rows, rows_of_tensors, rows_of_values
from jina.records.mapping import KEYS
from jina.records.record import TENSOR_FIELDS
from jina.records.tables import check_resolver, unique_names

_BROKEN = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, RuntimeError)


class ArrayReader:
    """Reads arrays row by row, side by side; see RowReader.

    Args:
        one: the input.
        key: of the file, for ids.
        columns: by their key in a Document.
        file: closed at the end.
    """

    def __init__(
        self, one: Input, key: str, columns: Mapping[str, Column], file: IO[bytes]
    ) -> None:
        self._name = one.name
        self._size = one.size_bytes or 0
        self._key = key
        self._columns = dict(columns)
        self._file = file
        self._rows = max((column.rows for column in columns.values()), default=0)
        self._row_bytes = sum(column.row_bytes for column in columns.values())
        self._next = 1  # number of the next row
        self._failure: InputError | None = None

    def take(self, max_rows: int, max_bytes: int) -> Rows | None:
        """See RowReader."""
        if self._failure is not None:
            raise self._failure
        left = self._rows - (self._next - 1)
        if not left:
            self._check_end()
            return None
        if self._row_bytes > MAX_LINE_BYTES:
            raise InputError(too_long("a row", self._row_bytes), where=self._name)
        per_row = max(1, self._row_bytes)
        return self._take(max(1, min(max_rows, left, max_bytes // per_row)))

    def _take(self, count: int) -> Rows:
        blocks = {key: self._read(column, count) for key, column in self._columns.items()}
        got = min(map(len, blocks.values()))
        if got < count and self._failure is None:
            self._failure = self._broken(f"the file ends after row {self._next + got - 1}")
        if not got and self._failure is not None:
            raise self._failure
        first, self._next = self._next, self._next + got
        tensors = {KEYS[key] for key in blocks if KEYS.get(key) in TENSOR_FIELDS}
        if len(tensors) == len(blocks):
            return rows_of_tensors(self._key, first, got, blocks)
        return rows_of_values(
            (
                f"{self._key}-{first + index}",
                {
                    # In a field that holds tensors, a single number is a tensor too.
                    key: block[index, ...] if key in tensors else _plain(block[index])
                    for key, block in blocks.items()
                },
                f"{self._name}: row {first + index}",
            )
            for index in range(got)
        )

    def _read(self, column: Column, count: int) -> Array:
        try:
            return column.read(count)
        except _BROKEN as err:
            self._failure = self._broken(str(err) or type(err).__name__)
            return np.empty(0)

    def _check_end(self) -> None:
        for column in self._columns.values():
            try:
                behind = column.behind()
            except _BROKEN as err:
                raise self._broken(str(err) or type(err).__name__) from err
            if behind:
                raise self._broken("the file contains more data after it")

    def _broken(self, why: str) -> InputError:
        return InputError(
            f"the array is damaged: {why}",
            where=self._name,
            hint="the rows before it were read",
        )

    def position(self) -> int:
        """See RowReader."""
        return self._size * (self._next - 1) // max(1, self._rows)

    def close(self) -> None:
        """See RowReader."""
        self._columns.clear()
        self._file.close()


def open_arrays(one: Input, resolver: Mapping[str, str], descriptor: int, key: str) -> ArrayReader:
    """Open a .npy or .npz file and read the heads of its arrays.

    Args:
        one: the input; its format is "npy" or "npz".
        resolver: new names; the array of a .npy, and the only one of a .npz, is called `blob`.
        descriptor: open for reading; the reader owns it.
        key: for ids.

    Raises:
        InputError: it is not such a file, or has an array that is not rows of numbers.
    """
    file: IO[bytes] = os.fdopen(descriptor, "rb")
    form, name = one.format, one.name
    try:
        if form == "npz":
            if one.is_gzip:
                file = unpacked(file, name)
            return ArrayReader(one, key, _members(file, name, resolver), file)
        packed: IO[bytes] | None = None
        if one.is_gzip:
            packed = GzipFile(fileobj=file, mode="rb")  # type: ignore[assignment]  # it reads
        head = read_head(packed or file, name, "blob")
        column: Column
        if packed is not None:
            column = Streamed(packed, head, name)
        else:
            column = Mapped(file, head) if head.is_fortran else Plain(file, head)
        (field,) = _names(["blob"], resolver, name)
        return ArrayReader(one, key, {field: column}, file)
    except _BROKEN as err:
        file.close()
        raise InputError(f"not a valid .{form} file: {err}", where=name) from err
    except BaseException:  # a refused array, or Ctrl-C: nobody else can close the file yet
        file.close()
        raise


def _members(file: IO[bytes], name: str, resolver: Mapping[str, str]) -> dict[str, Column]:
    """The arrays of a .npz, by their keys in a Document."""
    archive = zipfile.ZipFile(file)
    names = [member for member in archive.namelist() if member.endswith(".npy")]
    if not names:
        raise InputError("it contains no array", where=name)
    columns: list[tuple[str, ArrayHead, Column]] = []
    for member in names:
        opened = archive.open(member)
        label = member.removesuffix(".npy")
        head = read_head(opened, f"{name}: {label}", label)
        columns.append((label, head, Streamed(opened, head, f"{name}: {label}")))
    if len({column.rows for _, _, column in columns}) > 1:
        shown = ", ".join(f"{label} {column.rows}" for label, _, column in columns)
        raise InputError(f"its arrays have different numbers of rows: {shown}", where=name)
    labels = [label for label, _, _ in columns]
    if len(labels) == 1 and labels[0] not in resolver and labels[0] not in KEYS:
        labels = ["blob"]
    fields = _names(labels, resolver, name)
    for field, (label, head, _) in zip(fields, columns, strict=True):
        if field not in KEYS and field != "content" and len(head.shape) > 1:
            raise InputError(
                f'the array "{label}" has rows of numbers, and no field has this name',
                where=name,
                hint=f"--field-resolver {label}=embedding",
            )
    return {field: column for field, (_, _, column) in zip(fields, columns, strict=True)}


def _names(labels: list[str], resolver: Mapping[str, str], name: str) -> list[str]:
    """The key of each array in a Document."""
    try:
        check_resolver(labels, resolver)
        return unique_names(labels, resolver)
    except DocumentError as err:
        what = err.what.replace("column", "array")
        hint = err.hint.replace("columns", "arrays")
        raise InputError(what, where=name, hint=hint) from err


def _plain(value: Any) -> Any:
    """A single number or text as a Python value; a row of a matrix as it is."""
    return value if value.shape else value.item()
