"""Turn bytes and numbers into tensors. This file loads numpy, so it is imported late."""

from __future__ import annotations

from typing import Any

import numpy as np

from jina.excepts import DocumentError
from jina.records.tensors import as_tensor

Array = np.ndarray[Any, Any]


def of_buffer(buffer: bytes, id: str, dtype: Any, count: int, offset: int, shape: Any) -> Array:
    """Return the numbers in a buffer; see `Document.convert_buffer_to_blob`.

    Raises:
        DocumentError: an unknown dtype, or a shape or count that does not fit; the id is named.
    """
    try:
        numbers: Array = np.frombuffer(buffer, dtype=dtype or float, count=count, offset=offset)
        # Here and not in the setter, so that the error for a dtype without numbers names the id.
        tensor: Array = as_tensor(numbers if shape is None else numbers.reshape(shape))
        return tensor
    except (TypeError, ValueError) as err:
        raise DocumentError(f"`buffer` of Document {id!r}: {err}") from err


def of_numbers(numbers: list[int], dtype: str) -> Array:
    """Return whole numbers as a tensor of one dimension."""
    return np.array(numbers, dtype=dtype)
