"""Arrays as nested lists of numbers, and back.

In JSON, each number has as few digits as its own type needs. That is up to nine for a float32;
written as the float64 of the same value, it has seventeen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from jina.excepts import DocumentError


def encoded(array: np.ndarray[Any, Any]) -> bytes | None:
    """Nested JSON lists with the numbers of an array; a number alone if it has no dimensions.

    Read as numbers and rounded to the array's dtype, they are the same values.

    Args:
        array: of booleans, integers or floats, with at least one element.

    Returns:
        the text; None if a number is NaN or infinite, which JSON does not have.
    """
    text = _text_of(array)
    return None if b"n" in text else text  # of "null"; neither numbers nor booleans have an n


def _text_of(array: np.ndarray[Any, Any]) -> bytes:
    if array.dtype.char == "e":
        array = _decimals()[np.ascontiguousarray(array, np.float16).view(np.uint16)].reshape(
            array.shape
        )
    try:
        return orjson.dumps(array, None, orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # a subclass, not contiguous, without dimensions, the other byte order
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        text = orjson.dumps(plain, None, orjson.OPT_SERIALIZE_NUMPY)
        return text if array.ndim else text[1:-1]


@lru_cache(maxsize=1)
def _decimals() -> np.ndarray[Any, Any]:
    """For the bits of each float16: the float32 that has the same shortest digits."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return halves.astype(str).astype(np.float32)


def plain(array: np.ndarray[Any, Any]) -> Any:
    """Nested lists with the numbers of an array; None if one is NaN or infinite."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return None
    return array.tolist()


def typed(given: np.ndarray[Any, Any], name: str, dtype: str, shape: Any) -> np.ndarray[Any, Any]:
    """The array of a dtype with the numbers of lists.

    Args:
        given: the lists, as they were read.
        name: of the dtype, as it was given.
        dtype: such as "<f4"; not of complex numbers.
        shape: that was given; None if there was none.

    Raises:
        DocumentError: numbers that the dtype does not hold, or another shape.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        array: np.ndarray[Any, Any] = given.astype(dtype)
    fits = np.isfinite(array) if array.dtype.kind == "f" else array == given
    if not fits.all():
        raise DocumentError(f"a number that {name} does not hold: {given[~fits].flat[0]}")
    if shape is not None and list(array.shape) != shape:
        raise DocumentError(f"lists of shape {list(array.shape)} are not a tensor of shape {shape}")
    return array
