"""Tensor columns: their bytes on the wire, and the arrays behind them.

The numbers lie in frames of their own, never in the body. A large column has a frame to itself and
is used in place; small ones share a frame, one after the other at multiples of 16 bytes.

    dense   [dtype, [rows, …shape of a row], offset]; the frame is in the directory
    cells   per row nil, or [dtype, shape, frame, offset],
            or [class, shape, 0, 0, {part: [dtype, shape, frame, offset]}] for scipy's matrices
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from jina.defaults import INLINE_TENSOR_BYTES, MAX_FRAME_BYTES, MAX_NDIM
from jina.excepts import DocumentError, WireError
from jina.records.tensors import (
    ITEM_BYTES,
    MAX_DIM,
    MAX_LIL_ROWS,
    SPARSE_PARTS,
    Cell,
    is_sparse,
    little_endian,
    sparse_from,
    sparse_parts,
)

if TYPE_CHECKING:
    import numpy as np

Buffer = bytes | bytearray | memoryview

_BYTES = (bytearray, bytes)

# How many columns of a batch get a frame to themselves. The limit of a message leaves room for
# shared frames and for other batches.
_OWN_FRAMES = 12
_ALIGN = 16

_Length = Annotated[int, msgspec.Meta(ge=0, le=MAX_DIM)]
_Shape = Annotated[list[_Length], msgspec.Meta(max_length=MAX_NDIM)]


class _Place(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    dtype: str
    shape: _Shape
    frame: int = 0
    offset: _Length = 0


class _Spec(_Place, array_like=True, forbid_unknown_fields=True):
    parts: dict[str, _Place] | None = None


class _DenseSpec(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    dtype: str
    shape: _Shape
    offset: _Length


_dense_spec = msgspec.msgpack.Decoder(_DenseSpec)
_specs = msgspec.msgpack.Decoder(list[_Spec | None])
_encode = msgspec.msgpack.Encoder().encode

# Two threads that read the same row for the first time must get the same memory.
_publish = threading.Lock()


class FrameWriter:
    """Puts tensors into the frames of the message that is being written."""

    def __init__(self) -> None:
        self.frames: list[Buffer] = []
        self._shared: bytearray | None = None
        self._shared_at = 0

    def add_whole(self, frame: Buffer) -> int | None:
        """Add a frame as it came and return its index; None if its data must share a frame."""
        frames = self.frames
        if len(frame) < INLINE_TENSOR_BYTES or len(frames) >= _OWN_FRAMES:
            return None
        frames.append(frame)
        return len(frames) - 1

    def add(self, data: Any) -> tuple[int, int]:
        """Add contiguous bytes; return the frame's index and the offset in it.

        A frame is sent some time after it was written. So what somebody can still write to, such as
        an array that an Executor uses for all its results, is copied.

        Raises:
            DocumentError: more bytes than a frame holds.
        """
        view = memoryview(data)
        size = view.nbytes
        if size > MAX_FRAME_BYTES:
            raise DocumentError(
                f"a tensor of {size} bytes; a message frame holds at most {MAX_FRAME_BYTES}",
                hint="send fewer Documents per request, or smaller tensors",
            )
        if size >= INLINE_TENSOR_BYTES and len(self.frames) < _OWN_FRAMES:
            flat = view.cast("B")
            self.frames.append(flat if view.readonly else bytes(flat))
            return len(self.frames) - 1, 0
        shared = self._shared
        if shared is None or len(shared) + size + _ALIGN > MAX_FRAME_BYTES:
            shared = self._shared = bytearray()
            self._shared_at = len(self.frames)
            self.frames.append(shared)
        shared.extend(bytes(-len(shared) % _ALIGN))
        offset = len(shared)
        if size:
            shared += view.cast("B")
        return self._shared_at, offset


class DenseColumn:
    """A column whose rows all have the same dtype and shape, held as one matrix."""

    __slots__ = ("_data", "_form", "_matrix", "_origin", "dtype", "shape")

    def __init__(
        self,
        dtype: str,
        shape: Sequence[int],
        data: Any,
        matrix: Any = None,
        origin: tuple[Buffer, memoryview] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape  # rows first
        self._data = data
        self._matrix = matrix
        self._origin = origin  # frame and description, of a column that has a frame to itself
        self._form: Any = None  # dtype and shape of the matrix when it was made from the frame

    @classmethod
    def of(cls, matrix: np.ndarray[Any, Any]) -> DenseColumn:
        """Wrap a matrix whose first dimension counts rows."""
        return cls("", [], None, matrix)

    @classmethod
    def parse(
        cls, data: memoryview, frame: int, rows: int, frames: Sequence[Buffer]
    ) -> DenseColumn:
        """Read a column's description and find its bytes.

        Raises:
            WireError: a description that does not fit its rows or its frame.
        """
        try:
            spec = _dense_spec.decode(data)
            if not spec.shape or spec.shape[0] != rows:
                raise WireError(f"a tensor column of shape {spec.shape} for {rows} rows")
            size = _item_bytes(spec.dtype) * prod(spec.shape)
            if (
                size >= INLINE_TENSOR_BYTES
                and 0 <= frame < len(frames)
                and type(whole := frames[frame]) in _BYTES
                and len(whole) == size
                and not spec.offset
            ):
                return cls(spec.dtype, spec.shape, whole, None, (whole, data))
            view = _bytes_at(frames, frame, spec.offset, size)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            raise WireError(f"a tensor column cannot be decoded: {err}") from err
        except ValueError as err:
            raise err if isinstance(err, WireError) else WireError(str(err)) from err
        return cls(spec.dtype, spec.shape, view)

    @property
    def matrix(self) -> np.ndarray[Any, Any]:
        """The whole column, shape (rows, …), writable; the same memory each time."""
        matrix: np.ndarray[Any, Any] | None = self._matrix
        if matrix is None:
            with _publish:
                matrix = self._matrix
                if matrix is None:
                    matrix = _writable(self._data, self.dtype, self.shape)
                    if matrix.base is None:
                        self._origin = None  # a copy: what is written into it is not in the frame
                    self._form = matrix.dtype, matrix.shape
                    self._matrix = matrix
        return matrix

    def is_matrix(self, matrix: Any, rows: int) -> bool:
        """Whether this is the very matrix that was handed out, and has `rows` rows."""
        return matrix is self._matrix and matrix is not None and len(matrix) == rows

    def get(self, index: int) -> Any:
        """Return one row, as a view of the matrix."""
        row = self.matrix[index]
        # An element of a vector is a number, but a row must be a tensor, here without axes.
        return row if self.matrix.ndim > 1 else self.matrix[index : index + 1].reshape(())

    def cells(self) -> list[Any]:
        """Return a Cell per row."""
        return [Cell(self, i) for i in range(len(self))]

    def __len__(self) -> int:
        return self.shape[0] if self._matrix is None else len(self._matrix)

    def _has_shape(self) -> bool:
        """Whether the matrix still has the shape and dtype that it came with."""
        matrix = self._matrix
        return matrix is None or (matrix.dtype, matrix.shape) == self._form

    def emit(self, writer: FrameWriter) -> tuple[bool, int, Buffer]:
        """Add the data to the message; return True for dense, the frame and the description."""
        if self._origin is not None and self._has_shape():
            index = writer.add_whole(self._origin[0])
            if index is not None:
                return True, index, self._origin[1]
        if self._matrix is None:
            dtype, shape, data = self.dtype, self.shape, self._data
        else:
            flat = little_endian(self._matrix)
            # msgpack writes the shape, a tuple, like a list.
            dtype, shape, data = flat.dtype.str, flat.shape, flat.data if flat.size else b""
        frame, offset = writer.add(data)
        return True, frame, _encode([dtype, shape, offset])


class CellColumn:
    """A column whose rows have any dtypes and shapes, or None; dense and sparse may mix."""

    __slots__ = ("_frames", "_specs", "_values", "rows")

    def __init__(
        self, rows: int, specs: list[Any] | None, frames: Sequence[Buffer], values: list[Any]
    ) -> None:
        self.rows = rows
        self._specs = specs
        self._frames = frames
        self._values = values  # Ellipsis for a row that is not decoded yet

    @classmethod
    def of(cls, values: list[Any]) -> CellColumn:
        """Wrap one tensor (or Cell, or None) per row."""
        return cls(len(values), None, (), values)

    @classmethod
    def parse(cls, data: memoryview, rows: int, frames: Sequence[Buffer]) -> CellColumn:
        """Read the rows' descriptions.

        Raises:
            WireError: descriptions that do not fit their rows or their frames.
        """
        if data.nbytes > max(1 << 20, 512 * rows):
            raise WireError("a tensor column with longer descriptions than its rows explain")
        try:
            specs = _specs.decode(data)
            if len(specs) != rows:
                raise WireError(f"a tensor column does not have {rows} rows")
            lil_rows = sum(
                spec.shape[0]
                for spec in specs
                if spec is not None and spec.dtype[:3] == "lil" and spec.shape
            )
            if lil_rows > MAX_LIL_ROWS:
                raise WireError(f"lil matrices of {lil_rows} rows; at most {MAX_LIL_ROWS}")
            # Rows that overlap would let a small message ask for much memory.
            claimed = sum(
                _item_bytes(place.dtype) * prod(place.shape)
                for spec in specs
                for place in _places(spec)
            )
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            raise WireError(f"a tensor column cannot be decoded: {err}") from err
        except ValueError as err:
            raise err if isinstance(err, WireError) else WireError(str(err)) from err
        if claimed > sum(memoryview(frame).nbytes for frame in frames):
            raise WireError("a tensor column claims more bytes than the message has")
        return cls(rows, specs, frames, [...] * rows)

    def get(self, index: int) -> Any:
        """Return one row's tensor, writable and the same each time; None if it has none.

        Raises:
            WireError: its description does not fit its bytes.
        """
        value = self._values[index]
        if value is ...:
            value = self._read(index)
        return value.get() if type(value) is Cell else value

    def _read(self, index: int) -> Any:
        specs: list[Any] = self._specs or []
        spec = specs[index]
        with _publish:
            value = self._values[index]
            if value is ...:
                value = None if spec is None else self._tensor(spec)
                self._values[index] = value
        return value

    def _tensor(self, spec: _Spec) -> Any:
        try:
            if spec.parts is None:
                return self._array(spec)
            parts = {name: self._array(place) for name, place in spec.parts.items()}
            return sparse_from(spec.dtype, spec.shape, parts)
        except ValueError as err:
            raise err if isinstance(err, WireError) else WireError(str(err)) from err

    def _array(self, place: _Place) -> Any:
        size = _item_bytes(place.dtype) * prod(place.shape)
        view = _bytes_at(self._frames, place.frame, place.offset, size)
        return _writable(view, place.dtype, place.shape)

    def cells(self) -> list[Any]:
        """Return a Cell per row, None for rows without a tensor."""
        if self._specs is None:
            return list(self._values)
        return [None if spec is None else Cell(self, i) for i, spec in enumerate(self._specs)]

    def __len__(self) -> int:
        return self.rows

    def emit(self, writer: FrameWriter) -> tuple[bool, int, Buffer]:
        """Add the data to the message; return False for not dense, 0 and the descriptions."""
        return False, 0, _encode([_emit_one(self.get(i), writer) for i in range(self.rows)])


def _item_bytes(dtype: str) -> int:
    """Return the size of one number in bytes; the decoders' types check the shapes."""
    size = ITEM_BYTES.get(dtype)
    if size is None:
        raise WireError(f"the dtype {dtype!r} is not one of {', '.join(ITEM_BYTES)}")
    return size


def _places(spec: _Spec | None) -> Iterator[_Place]:
    if spec is None:
        return
    if spec.parts is None:
        yield spec
        return
    if spec.dtype[:3] not in SPARSE_PARTS:
        raise WireError(f"{spec.dtype!r} is not a class of sparse matrices")
    yield from spec.parts.values()


def _emit_one(value: Any, writer: FrameWriter) -> Any:
    if value is None:
        return None
    if is_sparse(value):
        name, shape, parts = sparse_parts(value)
        return [name, shape, 0, 0, {key: _emit_one(part, writer) for key, part in parts.items()}]
    flat = little_endian(value)
    frame, offset = writer.add(flat.data if flat.size else b"")
    return [flat.dtype.str, list(flat.shape), frame, offset]


def _bytes_at(frames: Sequence[Buffer], frame: int, offset: int, size: int) -> memoryview:
    if not 0 <= frame < len(frames):
        raise WireError(f"a tensor lies in frame {frame}, but there are {len(frames)}")
    view = memoryview(frames[frame])
    if view.format != "B" or view.ndim != 1:
        view = view.cast("B")
    if offset + size > len(view):
        raise WireError(f"a tensor reaches beyond its frame of {len(view)} bytes")
    return view[offset : offset + size]


def _writable(view: Buffer, dtype: str, shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """Return the array in these bytes: in place if it is large, aligned and writable."""
    import numpy as np  # late: a process that sees only text never loads it

    # Dtype, shape and length were checked when the description was read.
    try:
        array: np.ndarray[Any, Any] = np.ndarray(shape, dtype, view)
    except (ValueError, TypeError) as err:
        raise WireError(str(err)) from err
    flags = array.flags
    is_large = array.nbytes >= INLINE_TENSOR_BYTES
    return array if is_large and flags.writeable and flags.aligned else array.copy()


def tensor_column(values: Sequence[Any]) -> DenseColumn | CellColumn:
    """Return a column with one tensor, Cell or None per row.

    If the values are exactly the Cells of one column, in order, that column is returned.
    """
    first = values[0]
    if type(first) is Cell:
        column = first.column
        if len(column) == len(values) and all(
            type(cell) is Cell and cell.column is column and cell.index == i
            for i, cell in enumerate(values)
        ):
            known: DenseColumn | CellColumn = column
            return known
    tensors = [value.get() if type(value) is Cell else value for value in values]
    is_dense = type(None) not in set(map(type, tensors)) and not any(map(is_sparse, tensors))
    if (
        is_dense
        and tensors[0].nbytes * len(tensors) <= MAX_FRAME_BYTES
        and tensors[0].ndim < MAX_NDIM
        and len({tensor.shape for tensor in tensors}) == 1
        and len({tensor.dtype for tensor in tensors}) == 1
    ):
        return _stack(tensors)
    return CellColumn.of(tensors)


def fixed_column(block: np.ndarray[Any, Any]) -> DenseColumn | None:
    """A column of the rows of an array that nobody can write to, which are sent as they are.

    What an Executor changes is a copy, made when it first asks for a row. None for an array that
    can be written to, or is no column as it is.
    """
    flags = block.flags
    if (
        flags.writeable
        or not flags.c_contiguous
        or not 0 < block.nbytes <= MAX_FRAME_BYTES
        or block.dtype.str not in ITEM_BYTES
    ):
        return None
    data = block.reshape(-1).view("u1").data  # a view of every type as bytes
    return DenseColumn(block.dtype.str, list(block.shape), data)


def _stack(tensors: list[Any]) -> DenseColumn:
    """Make a dense column of rows of one dtype and shape; faster than numpy's stack."""
    first = little_endian(tensors[0])
    if len(tensors) == 1:
        data: Any = first.data if first.size else b""
    elif first.size == 0:
        data = b""
    else:
        try:
            if first is not tensors[0]:
                raise ValueError
            data = b"".join(tensors)
        except (ValueError, BufferError):
            # One of them is not contiguous, or all have another byte order.
            data = b"".join([little_endian(tensor).data for tensor in tensors])
    return DenseColumn(first.dtype.str, [len(tensors), *first.shape], memoryview(data))
