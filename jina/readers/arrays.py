"""Arrays of numpy, .npy and .npz: each row is a Document.

A .npy file is mapped into memory; what is packed (.npz, .gz) is read in order, a few rows at a
time. Nothing is ever unpickled: arrays of objects are refused.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from jina.defaults import MAX_LINE_BYTES, MIB
from jina.excepts import DocumentError, InputError
from jina.readers.inputs import Input
from jina.readers.rows import Rows, rows_of_values, too_long
from jina.readers.seekable import seekable
from jina.types.mapping import KEYS
from jina.types.tables import check_resolver, unique_names

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_BLOCK_BYTES = 4 * MIB  # most bytes that are read at once
_NUMBERS = "biufc"  # kinds of dtype that a tensor may have
_TEXT = "U"
_BROKEN = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError)


class _Head(NamedTuple):
    """What the beginning of a .npy says."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    row_bytes: int


class _Column(Protocol):
    """The rows of one array, in order."""

    rows: int
    row_bytes: int

    def read(self, count: int) -> Array:
        """The next rows; fewer where the file ends too early."""


class _Mapped:
    """Rows of a file that is mapped into memory."""

    def __init__(self, file: IO[bytes], head: _Head) -> None:
        import numpy as np  # late: who posts lines never needs it

        offset = file.tell()
        at_hand = os.fstat(file.fileno()).st_size - offset
        self.rows = head.shape[0]
        self.row_bytes = head.row_bytes
        rows = self.rows
        if head.row_bytes and at_hand < rows * head.row_bytes:
            # Columns that are cut off leave no whole row; rows that are cut off leave those before.
            rows = 0 if head.is_fortran else at_hand // head.row_bytes
        self.behind = at_hand - rows * head.row_bytes
        shape = (rows, *head.shape[1:])
        self._array: Array = np.empty(shape, head.dtype)
        if self._array.nbytes:
            self._array = np.memmap(
                file, head.dtype, "r", offset, shape, "F" if head.is_fortran else "C"
            )
        self._at = 0

    def read(self, count: int) -> Array:
        """See _Column."""
        start, self._at = self._at, self._at + count
        return self._array[start : self._at]


class _Streamed:
    """Rows of an array that is unpacked as it is read."""

    def __init__(self, file: IO[bytes], head: _Head, name: str) -> None:
        import numpy as np  # late: see _Mapped

        self._file = file
        self._head = head
        self.rows = head.shape[0]
        self.row_bytes = head.row_bytes
        self._whole: Array | None = None
        self._at = 0
        if head.is_fortran and len(head.shape) > 1:
            size = self.rows * head.row_bytes
            if size > MAX_LINE_BYTES:
                raise InputError(
                    f"an array in Fortran order of {size} bytes, packed: its rows cannot be read "
                    "one after the other",
                    where=name,
                    hint="numpy.save(path, numpy.ascontiguousarray(array))",
                )
            flat = np.frombuffer(self._bytes(size), head.dtype)
            self._whole = flat.reshape(head.shape, order="F")

    def read(self, count: int) -> Array:
        """See _Column."""
        import numpy as np  # late: see _Mapped

        if self._whole is not None:
            start, self._at = self._at, self._at + count
            return self._whole[start : self._at]
        data = self._bytes(count * self.row_bytes)
        rows = len(data) // self.row_bytes if self.row_bytes else count
        flat = np.frombuffer(data, self._head.dtype, rows * _per_row(self._head.shape))
        return flat.reshape((rows, *self._head.shape[1:]))

    def _bytes(self, size: int) -> bytes:
        """As many bytes as there are, at most `size`."""
        data = bytearray()
        while len(data) < size:
            block = self._file.read(size - len(data))
            if not block:
                break
            data += block
        return bytes(data)


class ArrayReader:
    """Reads arrays row by row, side by side; see RowReader.

    Args:
        name: of the file, for messages.
        key: of the file, for ids.
        columns: by the key that they have in a Document.
        file: what is closed at the end.
    """

    def __init__(
        self, name: str, key: str, columns: Mapping[str, _Column], file: IO[bytes]
    ) -> None:
        self._name = name
        self._key = key
        self._columns = dict(columns)
        self._file = file
        self._rows = max((column.rows for column in columns.values()), default=0)
        self._row_bytes = sum(column.row_bytes for column in columns.values())
        self._next = 1
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
        count = max(1, min(max_rows, left, max_bytes // per_row, _BLOCK_BYTES // per_row))
        blocks = {key: self._read(column, count) for key, column in self._columns.items()}
        got = min(map(len, blocks.values()))
        if got < count and self._failure is None:
            self._failure = self._broken(f"the file ends after row {self._next + got - 1}")
        if not got and self._failure is not None:
            raise self._failure
        first, self._next = self._next, self._next + got
        return rows_of_values(
            (
                f"{self._key}-{first + index}",
                {key: _value(block, index) for key, block in blocks.items()},
                f"{self._name}: row {first + index}",
            )
            for index in range(got)
        )

    def _read(self, column: _Column, count: int) -> Array:
        import numpy as np  # late: see _Mapped

        try:
            return column.read(count)
        except _BROKEN as err:
            self._failure = self._broken(str(err) or type(err).__name__)
            return np.empty(0)

    def _check_end(self) -> None:
        for column in self._columns.values():
            if isinstance(column, _Mapped) and column.behind:
                raise self._broken(f"{column.behind} bytes stand behind the array")

    def _broken(self, why: str) -> InputError:
        return InputError(
            f"the array is damaged: {why}",
            where=self._name,
            hint="the rows before that place were read",
        )

    def position(self) -> int:
        """See RowReader."""
        return 0 if self._file.closed else min(self._file.tell(), _size(self._file))

    def close(self) -> None:
        """See RowReader."""
        self._columns.clear()
        self._file.close()


def open_arrays(one: Input, resolver: Mapping[str, str], descriptor: int, key: str) -> ArrayReader:
    """Open a .npy or .npz file.

    Args:
        one: the input; its format is "npy" or "npz".
        resolver: new names; the array of a .npy, and the only one of a .npz, is called `blob`.
        descriptor: open for reading; the reader owns it.
        key: for ids.

    Raises:
        InputError: no such file, or an array that has no rows of numbers.
    """
    file: IO[bytes] = os.fdopen(descriptor, "rb")
    form, name, is_gzip = one.format, one.name, one.is_gzip
    try:
        if form == "npz":
            file = seekable(file, name, is_gzip=is_gzip)
            return ArrayReader(name, key, _members(file, name, resolver), file)
        packed: IO[bytes] | None = None
        if is_gzip:
            # Late on purpose: few inputs are compressed.
            from gzip import GzipFile

            packed = GzipFile(fileobj=file, mode="rb")  # type: ignore[assignment]  # it reads
        head = _read_head(packed or file, name, "blob")
        column = _Streamed(packed, head, name) if packed else _Mapped(file, head)
        (field,) = _names(["blob"], resolver, name)
        return ArrayReader(name, key, {field: column}, file)
    except _BROKEN as err:
        file.close()
        raise InputError(f"no .{form} file: {err}", where=name) from err
    except BaseException:
        file.close()
        raise


def _members(file: IO[bytes], name: str, resolver: Mapping[str, str]) -> dict[str, _Column]:
    """The arrays of a .npz, by the key that each has in a Document."""
    archive = zipfile.ZipFile(file)
    names = [member for member in archive.namelist() if member.endswith(".npy")]
    if not names:
        raise InputError("no array is in it", where=name)
    columns: list[tuple[str, _Head, _Column]] = []
    for member in names:
        opened = archive.open(member)
        label = member.removesuffix(".npy")
        head = _read_head(opened, f"{name}: {label}", label)
        columns.append((label, head, _Streamed(opened, head, f"{name}: {label}")))
    if len({column.rows for _, _, column in columns}) > 1:
        shown = ", ".join(f"{label} {column.rows}" for label, _, column in columns)
        raise InputError(f"its arrays differ in rows: {shown}", where=name)
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
    try:
        check_resolver(labels, resolver)
        return unique_names(labels, resolver)
    except DocumentError as err:
        what = err.what.replace("column", "array")
        hint = err.hint.replace("columns", "arrays")
        raise InputError(what, where=name, hint=hint) from err


def _read_head(file: IO[bytes], name: str, label: str) -> _Head:
    """Read the beginning of a .npy.

    Raises:
        InputError: it is no array of rows that a Document can hold.
        ValueError: it is no .npy.
    """
    from numpy.lib import format as npy  # late: see _Mapped

    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise InputError(
            "an array of objects, which only pickle can read; it is never used",
            where=name,
            hint="save numbers: numpy.save(path, array.astype('float32'))",
        )
    if dtype.kind not in _NUMBERS and not (dtype.kind == _TEXT and label != "blob"):
        raise InputError(f"an array of {dtype}, which are no numbers", where=name)
    if not shape:
        raise InputError("an array without dimensions has no rows", where=name)
    if any(size < 0 for size in shape):
        raise ValueError(f"the shape {shape}")
    row_bytes = dtype.itemsize * _per_row(shape)
    return _Head(shape, is_fortran and len(shape) > 1, dtype, row_bytes)


def _per_row(shape: tuple[int, ...]) -> int:
    size = 1
    for each in shape[1:]:
        size *= each
    return size


def _value(block: Array, index: int) -> Any:
    """The value of a row: a number or text out of a vector, else a tensor."""
    import numpy as np  # late: see _Mapped

    row = block[index]
    return row if isinstance(row, np.ndarray) else row.item()


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size
