"""Read the rows of one numpy array, from a file or while it is unpacked.

Nothing is ever unpickled: arrays of objects are refused.
"""

from __future__ import annotations

import math
import mmap
import os
import re
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from jina.defaults import KIB, MAX_LINE_BYTES, MAX_NDIM
from jina.excepts import InputError
from jina.records.tensors import ITEM_BYTES

Array = np.ndarray[Any, Any]

_TEXT = "U"  # the kind of dtype that holds text
_MAGIC = b"\x93NUMPY"
_MAX_HEAD_BYTES = 64 * KIB
_VALUES = {
    "descr": r"'[^']*'|\[[^]]*\]",
    "fortran_order": r"True|False",
    "shape": r"\((?:\d{1,18}L?,? *)*\)",
}
_KEY = re.compile("|".join(rf"'({key})': *({value})" for key, value in _VALUES.items()))
_HEAD = re.compile(rf"\{{ *(?:(?:{_KEY.pattern}),? *){{3}}\}}\s*")
_DTYPE = re.compile(r"[<>|=]?[a-zA-Z?]\d{0,9}(?:\[\w+\])?")


class ArrayHead(NamedTuple):
    """What the head of a .npy says."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    row_bytes: int


class Column(Protocol):
    """The rows of one array, in order."""

    rows: int
    row_bytes: int

    def read(self, count: int) -> Array:
        """The next rows, as an array of its own; fewer when the file ends too early."""

    def behind(self) -> int:
        """Bytes after the last row, once it has been read; any number in a stream counts as one."""


class Plain:
    """The rows of a file, each in one piece.

    They are read into memory that nobody can write to, so they are sent as they are; see
    `rows_of_tensors`.
    """

    def __init__(self, file: IO[bytes], head: ArrayHead) -> None:
        self._file = file
        self._head = head
        self._place = file.tell()  # of the next row
        self.rows = head.shape[0]
        self.row_bytes = head.row_bytes

    def read(self, count: int) -> Array:
        """See Column."""
        data = self._bytes(count * self.row_bytes)
        rows = len(data) // self.row_bytes if self.row_bytes else count
        self._place += rows * self.row_bytes
        shape = (rows, *self._head.shape[1:])
        size = math.prod(shape)
        if not size:
            return np.empty(shape, self._head.dtype)
        return np.frombuffer(data, self._head.dtype, size).reshape(shape)

    def _bytes(self, size: int) -> bytes:
        """The next `size` bytes, or fewer when the file ends first."""
        descriptor, data = self._file.fileno(), b""
        while block := os.pread(descriptor, size - len(data), self._place + len(data)):
            data = data + block if data else block
            if len(data) == size:
                break
        return data

    def behind(self) -> int:
        """See Column."""
        return os.fstat(self._file.fileno()).st_size - self._place


class Mapped:
    """The rows of a file of columns, in Fortran order, that is mapped into memory."""

    def __init__(self, file: IO[bytes], head: ArrayHead) -> None:
        offset = file.tell()
        at_hand = os.fstat(file.fileno()).st_size - offset
        self.rows = head.shape[0]
        self.row_bytes = head.row_bytes
        rows = self.rows
        if head.row_bytes and at_hand < rows * head.row_bytes:
            rows = 0  # one that is cut off has no whole row
        self._behind = at_hand - rows * head.row_bytes
        shape = (rows, *head.shape[1:])
        self._map: mmap.mmap | None = None
        self._array: Array
        if rows and head.row_bytes:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._array = np.ndarray(shape, head.dtype, self._map, offset, order="F")
        else:
            self._array = np.empty(shape, head.dtype)
        self._at = 0

    def read(self, count: int) -> Array:
        """See Column."""
        start, self._at = self._at, self._at + count
        block = self._array[start : self._at].copy()
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)  # rows that were read need not stay in memory
        return block

    def behind(self) -> int:
        """See Column."""
        return self._behind


class Streamed:
    """The rows of an array that is unpacked as it is read."""

    def __init__(self, file: IO[bytes], head: ArrayHead, name: str) -> None:
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
        """See Column."""
        if self._whole is not None:
            start, self._at = self._at, self._at + count
            return self._whole[start : self._at].copy()
        data = self._bytes(count * self.row_bytes)
        rows = len(data) // self.row_bytes if self.row_bytes else count
        # `data` is a new bytearray, so the rows can be written to.
        flat = np.frombuffer(data, self._head.dtype, rows * math.prod(self._head.shape[1:]))
        return flat.reshape((rows, *self._head.shape[1:]))

    def behind(self) -> int:
        """See Column. Reading to the end also checks the checksum."""
        return len(self._file.read(1))

    def _bytes(self, size: int) -> bytearray:
        """The next `size` bytes, or fewer when the file ends first."""
        data = bytearray()
        while len(data) < size:
            block = self._file.read(size - len(data))
            if not block:
                break
            data += block
        return data


def read_head(file: IO[bytes], name: str, label: str) -> ArrayHead:
    """Read the head of a .npy.

    Args:
        file: at its beginning; afterwards at the first row.
        name: for messages.
        label: the array's name; "blob" may hold only numbers.

    Raises:
        InputError: it is not an array of rows that a Document can hold.
        ValueError: it is not a .npy.
    """
    keys = _head_keys(file)
    shape = tuple(int(number) for number in re.findall(r"\d+", keys["shape"]))
    is_fortran = keys["fortran_order"] == "True"
    dtype = _dtype_of(keys["descr"].strip("'"), name, label)
    if len(shape) > MAX_NDIM:
        raise InputError(f"an array of {len(shape)} dimensions, more than {MAX_NDIM}", where=name)
    if not shape:
        raise InputError("an array without dimensions has no rows", where=name)
    row_bytes = dtype.itemsize * math.prod(shape[1:])
    return ArrayHead(shape, is_fortran and len(shape) > 1, dtype, row_bytes)


def _head_keys(file: IO[bytes]) -> dict[str, str]:
    """The keys of the head, with their values as they are written.

    Raises:
        ValueError: it is not a .npy, or the head is damaged.
    """
    magic = file.read(len(_MAGIC) + 2)
    if not magic.startswith(_MAGIC) or len(magic) < len(_MAGIC) + 2 or magic[6] not in (1, 2, 3):
        raise ValueError("its first bytes are wrong")
    size_bytes = 2 if magic[6] == 1 else 4
    size = int.from_bytes(file.read(size_bytes), "little")
    text = file.read(size).decode("latin-1") if size <= _MAX_HEAD_BYTES else ""
    # Numpy evaluates the head as a Python literal; matching a pattern is safer.
    if not _HEAD.fullmatch(text):
        raise ValueError("its header is damaged")
    keys: dict[str, str] = {}
    for found in _KEY.finditer(text):
        key, value = (group for group in found.groups() if group is not None)
        keys[key] = value
    if len(keys) != 3:
        raise ValueError("its header is damaged")
    return keys


def _dtype_of(descr: str, name: str, label: str) -> np.dtype[Any]:
    """The dtype that a head names, if a Document can hold its values."""
    if not _DTYPE.fullmatch(descr):
        raise InputError("an array with several values per element", where=name)
    try:
        dtype = np.dtype(descr)
    except TypeError as err:
        raise ValueError(f"its dtype is {descr}") from err
    if dtype.hasobject:
        raise InputError(
            "an array of objects, which only pickle can read, and jina never uses pickle",
            where=name,
            hint="save numbers: numpy.save(path, array.astype('float32'))",
        )
    is_carried = dtype.newbyteorder("<").str in ITEM_BYTES
    if not is_carried and not (dtype.kind == _TEXT and label != "blob"):
        raise InputError(f"an array of {dtype}, which Documents cannot hold", where=name)
    return dtype
