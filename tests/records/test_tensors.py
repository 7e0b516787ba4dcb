"""Tensors as JSON and back, and what is taken for a tensor."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from jina.excepts import DocumentError
from jina.records import tensors

MATRIX = np.arange(6, dtype="<f4").reshape(2, 3)


@pytest.mark.parametrize(
    "array",
    [
        MATRIX,
        np.array(1.5),
        np.zeros((2, 0)),
        np.array([1, 2], ">i4"),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.array([np.nan, np.inf]),
        MATRIX.T,
    ],
    ids=["matrix", "scalar", "empty", "big_endian", "booleans", "complex", "not_finite", "strided"],
)
def test_base64_gives_back_every_bit(array: np.ndarray) -> None:
    back = tensors.from_json(tensors.to_json(array, "base64"))
    assert back.dtype == array.dtype.newbyteorder("<")
    assert back.tobytes() == array.astype(back.dtype).tobytes()
    assert back.shape == array.shape


def test_lists_give_back_the_numbers() -> None:
    assert tensors.to_json(MATRIX, "list") == [[0, 1, 2], [3, 4, 5]]
    assert tensors.same(tensors.as_tensor([[0, 1, 2], [3, 4, 5]]).astype("<f4"), MATRIX)


def test_the_message_of_jina_2_is_read() -> None:
    dense = {"buffer": "AACAPwAAAEA=", "shape": [2], "dtype": "<f4", "quantization": 0}
    back = tensors.from_json({"dense": dense})
    assert (back.tolist(), back.dtype.str, back.flags.writeable) == ([1.0, 2.0], "<f4", True)
    assert tensors.from_json({"dense": {"shape": [0, 3], "dtype": "<f8"}}).shape == (0, 3)


def test_numbers_that_json_lacks_turn_lists_into_base64() -> None:
    assert set(tensors.to_json(np.array([np.nan]), "list")) == {"dtype", "shape", "data"}


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "coo", "dia", "lil", "dok"])
def test_a_sparse_matrix_comes_back_in_its_format(kind: str) -> None:
    matrix = scipy.sparse.coo_matrix(MATRIX).asformat(kind)
    back = tensors.from_json(tensors.to_json(matrix, "base64"))
    if isinstance(back, tensors.Cell):  # dok is a dict, which msgspec would write as one
        back = back.get()
    assert back.format == kind
    assert tensors.same(back, matrix)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"dtype": "|O", "shape": [1], "data": ""}, (ValueError, KeyError)),
        ({"dtype": "<f4", "shape": [2], "data": "AAAAAA=="}, (ValueError, KeyError)),
        ({"dtype": "<f4", "shape": [-1], "data": ""}, (ValueError, KeyError)),
        ({"dtype": "<f4", "shape": [1]}, (ValueError, KeyError)),
        ({"format": "xyz_matrix", "shape": [1, 1], "parts": {}}, (ValueError, KeyError)),
        ({"dense": {"dtype": "<f4", "shape": [2], "buffer": "AAAAAA=="}}, (ValueError, KeyError)),
        ({"dense": {"buffer": 5}}, (ValueError, KeyError)),
        ({"dense": {"dtype": "<f4", "shape": [0], "quantization": 1}}, (ValueError, KeyError)),
        ({"dense": {}, "sparse": {}}, (ValueError, KeyError)),
    ],
    ids=[
        *("objects", "too_short", "negative", "no_data", "unknown_format"),
        *("dense_too_short", "dense_number", "quantized", "dense_and_sparse"),
    ],
)
def test_json_that_is_not_a_tensor_is_refused(
    value: dict[str, object], error: tuple[type[Exception], ...]
) -> None:
    with pytest.raises(error):
        tensors.from_json(value)


@pytest.mark.parametrize("value", ["text", {1}, [1, "a"], np.array(["a"]), np.array([object()])])
def test_what_holds_no_numbers_is_not_a_tensor(value: object) -> None:
    with pytest.raises((TypeError, DocumentError)):
        tensors.as_tensor(value)


def test_equal_bits_are_the_same_and_equal_numbers_of_another_type_are_not() -> None:
    assert tensors.same(np.array([np.nan]), np.array([np.nan]))
    assert not tensors.same(np.array([1.0]), np.array([1]))
    assert not tensors.same(np.array([1.0]), np.array([[1.0]]))
    assert not tensors.same(np.array([1.0]), None)


def test_whole_numbers_beyond_63_bits_stay_exact_beside_smaller_ones() -> None:
    large = [[11749869230777074271, 1], [4976686463289251617, 0]]
    found = tensors.as_tensor(large)
    assert (found.dtype, found.tolist()) == (np.uint64, large)
    for floats in ([1.0, 1e19], [2**63, 0.5], [2**63, -1]):
        assert tensors.as_tensor(floats).dtype == np.float64
