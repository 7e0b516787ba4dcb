"""Tensors: what is accepted as one, its JSON form, and arrays made from bytes.

numpy is imported inside the functions, so that a worker that sees only text never loads it.
"""

from __future__ import annotations

import contextlib
import math
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from jina.defaults import MAX_NDIM
from jina.excepts import BadDocType, DocumentError, MissingExtra

if TYPE_CHECKING:
    import numpy as np

# Little endian, and nothing that numpy would have to interpret: never object, text or void.
ITEM_BYTES = {
    "|b1": 1,
    "|i1": 1,
    "|u1": 1,
    "<i2": 2,
    "<u2": 2,
    "<i4": 4,
    "<u4": 4,
    "<i8": 8,
    "<u8": 8,
    "<f2": 2,
    "<f4": 4,
    "<f8": 8,
    "<c8": 8,
    "<c16": 16,
}
# Those that lists of numbers carry, also by the names that numpy gives them.
_NAMES = {
    "bool": "|b1",
    **{f"int{8 * size}": f"{'|' if size == 1 else '<'}i{size}" for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}": f"{'|' if size == 1 else '<'}u{size}" for size in (1, 2, 4, 8)},
    **{f"float{8 * size}": f"<f{size}" for size in (2, 4, 8)},
}
_LISTED = {**_NAMES, **{dtype: dtype for dtype in _NAMES.values()}}
MAX_DIM = 1 << 47  # length of one dimension; a process cannot address more

MAX_LIL_ROWS = 1 << 16  # scipy makes two lists for each row of a lil matrix, also of an empty one

JsonForm = Literal["list", "typed", "base64"]
"""How a tensor stands in JSON: nested lists, or {dtype, shape, data} with lists or base64."""

# The arrays that make up each scipy format; lil and dok travel as coo and are turned back.
SPARSE_PARTS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
    "lil": ("data", "row", "col"),
    "dok": ("data", "row", "col"),
}


class Cell:
    """One row's tensor in a column, not read yet."""

    __slots__ = ("column", "index")

    def __init__(self, column: Any, index: int) -> None:
        self.column = column
        self.index = index

    def get(self) -> Any:
        """Return the row's tensor, writable; None if it has none."""
        return self.column.get(self.index)


class _Box:
    """A column with a single tensor."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self, index: int) -> Any:
        return self.value

    def __len__(self) -> int:
        return 0  # so that it is not taken for the column of a batch


def boxed(value: Any) -> Any:
    """Return what a record holds for a tensor: itself, or a Cell for scipy's dok matrices.

    Those are dicts too, and encoders would write them as dicts.
    """
    return Cell(_Box(value), 0) if isinstance(value, dict) else value


def as_tensor(value: Any) -> Any:
    """Return `value` as a writable ndarray, or as the scipy sparse matrix that it is.

    Args:
        value: ndarray, scipy sparse matrix or array, nested lists of numbers, a number, or an
            array of another library (torch, tensorflow, paddle, mindspore, …). An ndarray
            that is writable is kept, not copied.

    Raises:
        DocumentError: not numbers (text, objects), ragged lists, or more than 16 dimensions.
    """
    if (
        type(value) in _ndarray
        and value.dtype in _carried
        and value.ndim <= MAX_NDIM
        and value.flags.writeable
    ):
        return value
    if is_sparse(value):
        _check_dtype(value.dtype)
        return boxed(value)
    np = _numpy()
    if isinstance(value, np.ma.MaskedArray):
        raise BadDocType("a masked array would lose its mask", hint="fill it: array.filled(…)")
    if isinstance(value, (str, bytes, bytearray, dict, set)) or value is None:
        raise BadDocType(f"a tensor is made of numbers, not of {type(value).__name__}")
    try:
        array = np.asarray(_unwrapped(value))
    except (ValueError, TypeError, OverflowError, RuntimeError) as err:
        if isinstance(value, list) and (uneven := _unevenness(value)):
            raise BadDocType(uneven) from err
        raise BadDocType(f"this {type(value).__name__} is not a tensor: {err}") from err
    # Of whole numbers below and above 2**63, numpy makes floats, which round them.
    if array.dtype == np.float64 and array.size and array.max() >= 1 << 63 and _is_whole(value):
        with contextlib.suppress(OverflowError):  # some are negative, or too large
            array = np.array(value, np.uint64)
    return _checked(array)


def _is_whole(value: Any) -> bool:
    """Whether nested lists hold whole numbers only."""
    return all(map(_is_whole, value)) if isinstance(value, list) else type(value) is int


def _unevenness(rows: list[Any]) -> str:
    """In which way nested lists are not those of an array; empty if not by their lengths."""
    while rows and any(isinstance(row, list) for row in rows):
        if not all(isinstance(row, list) for row in rows):
            return "this list has numbers beside lists"
        if len({len(row) for row in rows}) > 1:
            return "the rows of this list have different lengths"
        rows = [item for row in rows for item in row]
    return ""


def _unwrapped(value: Any) -> Any:
    """Return the array inside a tensor of another library, else the value itself."""
    for step in ("detach", "cpu", "numpy", "asnumpy"):
        method = getattr(value, step, None)
        if callable(method) and not isinstance(value, type):
            value = method()
    return value


# What `as_tensor` has accepted once, so that it need not be checked again: numpy's class, unknown
# until numpy is loaded, and the dtypes that are carried as they are.
_ndarray: set[type] = set()
_carried: set[Any] = set()


def _checked(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    _check_dtype(array.dtype)
    if array.ndim > MAX_NDIM:
        raise DocumentError(
            f"a tensor of {array.ndim} dimensions; at most {MAX_NDIM} are supported"
        )
    if array.dtype.str not in ITEM_BYTES:
        return array.astype(array.dtype.newbyteorder("<"))
    _ndarray.add(type(array))
    _carried.add(array.dtype)
    return array if array.flags.writeable else array.copy()


def _check_dtype(dtype: Any) -> None:
    if dtype.newbyteorder("<").str not in ITEM_BYTES:
        raise BadDocType(
            f"a tensor of dtype {dtype}, which is not supported",
            hint="use booleans, integers, floats up to 64 bits, or complex numbers",
        )


def _numpy() -> Any:
    import numpy  # late: a process that sees only text never loads it

    return numpy


def is_sparse(value: Any) -> bool:
    """Whether `value` is a scipy sparse matrix or array; scipy is not imported for that."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(value))


def little_endian(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array in contiguous little-endian memory; it is copied only if it has to be."""
    if array.dtype.str in ITEM_BYTES and array.flags.c_contiguous:
        return array
    return array.astype(array.dtype.newbyteorder("<"), order="C", subok=False)


def same(left: Any, right: Any) -> bool:
    """Whether two tensors (or None) have the same kind, dtype, shape and values; NaN is NaN."""
    if left is None or right is None:
        return left is right
    if is_sparse(left) or is_sparse(right):
        if type(left) is not type(right) or left.shape != right.shape or left.dtype != right.dtype:
            return False
        return bool((left != right).nnz == 0)
    np = _numpy()
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return bool(np.array_equal(left, right, equal_nan=left.dtype.kind in "fc"))


def shape_bytes(dtype: Any, shape: Any) -> int:
    """Return how many bytes an array of this dtype and shape has.

    Args:
        dtype: one of the strings in ITEM_BYTES.
        shape: a list of lengths.

    Raises:
        ValueError: an unknown dtype, an invalid length, or too many dimensions.
    """
    size = ITEM_BYTES.get(dtype) if isinstance(dtype, str) else None
    if size is None:
        raise ValueError(f"the dtype {dtype!r} is not one of {', '.join(ITEM_BYTES)}")
    if not isinstance(shape, (list, tuple)) or len(shape) > MAX_NDIM:
        raise ValueError(f"a shape is a list of at most {MAX_NDIM} lengths")
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_DIM:
            raise ValueError(f"{length!r} is not the length of a dimension")
    return size * math.prod(shape)


def array_from(data: Any, dtype: str, shape: list[int]) -> np.ndarray[Any, Any]:
    """Return the array in these bytes, as a view of them.

    Raises:
        ValueError: what `shape_bytes` refuses, or a number of bytes that does not fit.
    """
    size = memoryview(data).nbytes
    if shape_bytes(dtype, shape) != size:
        raise ValueError(f"{size} bytes do not make a {dtype} tensor of shape {tuple(shape)}")
    array: np.ndarray[Any, Any] = _numpy().frombuffer(data, dtype=dtype).reshape(shape)
    return array


# --- JSON ---------------------------------------------------------------------------------------


def to_json(value: Any, form: JsonForm) -> Any:
    """Return a tensor in its JSON form.

    Args:
        value: ndarray or scipy sparse matrix.
        form: "list" for nested lists, "typed" for {dtype, shape, data} with lists as its data,
            "base64" for {dtype, shape, data} with text. A tensor that lists cannot carry (NaN,
            infinity, complex numbers, no elements) is always base64.
    """
    return _in_json(value, form, _as_list)


def to_json_text(value: Any, form: JsonForm) -> Any:
    """Like `to_json`, for an encoder of JSON: numbers are text already (msgspec.Raw).

    A float32 has the digits that it needs, not those of a float64 with its value.
    """
    return _in_json(value, form, _encoded_list)


def _in_json(value: Any, form: JsonForm, as_list: Callable[[Any], Any]) -> Any:
    if is_sparse(value):
        name, shape, parts = sparse_parts(value)
        return {
            "format": name,
            "shape": shape,
            "parts": {key: to_json(part, "base64") for key, part in parts.items()},
        }
    listed = None
    if form != "base64" and value.size and value.dtype.kind != "c":
        listed = as_list(value)
    if listed is not None and form == "list":
        return listed
    flat = little_endian(value)
    if listed is None:
        listed = b64encode(flat.data if flat.size else b"").decode("ascii")
    return {"dtype": flat.dtype.str, "shape": list(value.shape), "data": listed}


def _as_list(value: np.ndarray[Any, Any]) -> Any:
    """Nested lists; None if there is a number that JSON does not have."""
    return _number_lists().plain(value)


def _encoded_list(value: np.ndarray[Any, Any]) -> msgspec.Raw | None:
    """Likewise, as JSON."""
    text = _number_lists().encoded(value)
    return None if text is None else msgspec.Raw(text)


@lru_cache(maxsize=1)
def _number_lists() -> Any:
    from jina.records import number_lists  # late: it loads numpy

    return number_lists


def from_json(value: Any) -> Any:
    """Return the tensor whose JSON form this is.

    Args:
        value: one of the forms of `to_json`, or {dense: {buffer, shape, dtype}} of Jina 2.

    Raises:
        ValueError: neither.
    """
    if not isinstance(value, dict):
        return as_tensor(value)
    if isinstance(value.get("data"), str) and set(value) == {"dtype", "shape", "data"}:
        return array_from(_bytes(value["data"]), value["dtype"], value["shape"]).copy()
    if {"dtype", "data"} <= set(value) <= {"dtype", "shape", "data"}:
        return _typed(value["data"], value["dtype"], value.get("shape"))
    if set(value) == {"format", "shape", "parts"} and isinstance(value["parts"], dict):
        parts = {key: from_json(part) for key, part in value["parts"].items()}
        return boxed(sparse_from(value["format"], value["shape"], parts))
    if set(value) == {"dense"} and isinstance(value["dense"], dict):
        return _dense(value["dense"])
    raise DocumentError("a tensor is nested lists of numbers, or {dtype, shape, data}")


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)


def _dense(value: dict[str, Any]) -> Any:
    """The array in the JSON of Jina 2's DenseNdArrayProto, where what is unset is left out."""
    if value.get("quantization"):
        raise DocumentError("a quantized tensor; send its numbers as they are")
    data, shape = value.get("buffer", ""), value.get("shape", [])
    if not isinstance(data, str):
        raise DocumentError("the `buffer` of a dense tensor is base64 text")
    return array_from(_bytes(data), value.get("dtype", ""), shape).copy()


def _typed(data: Any, name: Any, shape: Any) -> Any:
    """The array of this dtype in nested lists.

    Raises:
        ValueError: an unknown dtype, numbers that it does not hold, or another shape.
    """
    dtype = _LISTED.get(name) if isinstance(name, str) else None
    if dtype is None:
        raise DocumentError(f"lists have no numbers of dtype {name!r}; use {', '.join(_NAMES)}")
    if not isinstance(data, (list, int, float)):
        raise DocumentError("the `data` of a tensor is base64 text, or nested lists of numbers")
    return _number_lists().typed(as_tensor(data), name, dtype, shape)


# --- sparse -------------------------------------------------------------------------------------


def sparse_parts(value: Any) -> tuple[str, list[int], dict[str, np.ndarray[Any, Any]]]:
    """Take a scipy sparse matrix apart.

    Returns:
        The name of its class (csr_matrix, coo_array, …), its shape, and its arrays by name.

    Raises:
        DocumentError: a class that is not scipy's, not two dimensions, or too many rows for lil.
    """
    name = type(value).__name__
    parts = SPARSE_PARTS.get(value.format)
    if parts is None or name not in (f"{value.format}_matrix", f"{value.format}_array"):
        raise DocumentError(f"sparse matrices of class {name} are not supported")
    if len(value.shape) != 2:
        raise DocumentError("sparse arrays must have two dimensions")
    if value.format == "lil" and value.shape[0] > MAX_LIL_ROWS:
        raise DocumentError(
            f"a {name} of {value.shape[0]} rows; at most {MAX_LIL_ROWS} are supported",
            hint="convert it to another format: matrix.tocsr()",
        )
    source = value.tocoo() if value.format in ("lil", "dok") else value
    return name, [int(n) for n in value.shape], {part: getattr(source, part) for part in parts}


def sparse_from(name: Any, shape: Any, parts: dict[str, Any]) -> Any:
    """Put a scipy sparse matrix together; the opposite of `sparse_parts`.

    Raises:
        ValueError: an unknown class, parts that do not fit each other, indices out of range.
        MissingExtra: scipy is not installed.
    """
    kind = name[:3] if isinstance(name, str) else ""
    if kind not in SPARSE_PARTS or name not in (f"{kind}_matrix", f"{kind}_array"):
        raise ValueError(f"{name!r} is not a class of sparse matrices")
    if set(parts) != set(SPARSE_PARTS[kind]):
        raise ValueError(f"a {kind} matrix has the parts {', '.join(SPARSE_PARTS[kind])}")
    if shape_bytes("|u1", shape) < 0 or len(shape) != 2:
        raise ValueError("the shape of a sparse matrix is two lengths")
    if kind == "lil" and shape[0] > MAX_LIL_ROWS:
        raise ValueError(f"a {name} of {shape[0]} rows; at most {MAX_LIL_ROWS} are supported")
    sparse = _scipy_sparse()
    for part, array in parts.items():
        if part != "data" and (array.dtype.str not in ("<i4", "<i8") or array.ndim != 1):
            raise ValueError(f"the {part} of a sparse matrix are integers in one dimension")
    try:
        if kind in ("coo", "lil", "dok"):
            for part, limit in (("row", shape[0]), ("col", shape[1])):
                index = parts[part]
                if index.size and not 0 <= int(index.min()) <= int(index.max()) < limit:
                    raise ValueError(f"a {part} lies outside the matrix")
            suffix = name[4:]
            coo = getattr(sparse, f"coo_{suffix}")
            whole = coo((parts["data"], (parts["row"], parts["col"])), shape=tuple(shape))
            return whole.asformat(kind)
        matrix = getattr(sparse, name)(
            tuple(parts[part] for part in SPARSE_PARTS[kind]), shape=tuple(shape)
        )
        if kind != "dia":
            matrix.check_format(full_check=True)
    except (TypeError, IndexError, OverflowError) as err:
        raise ValueError(f"the parts do not make a {name}: {err}") from err
    return matrix


def _scipy_sparse() -> Any:
    try:
        import scipy.sparse  # late: optional
    except ImportError as err:
        raise MissingExtra(
            "sparse matrices need scipy", hint="pip install 'jinacli[sparse]'"
        ) from err
    return scipy.sparse
