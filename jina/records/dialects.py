"""JSON lines of Documents in the words of the gateways of Jina 2.0, 2.6 and 3, for HTTP.

A line is decoded into a struct whose values stay JSON, and written from another one with other
names. What a release does not know is left out: its clients refuse answers with an unknown key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from jina.excepts import DocumentError
from jina.records.tensors import Cell, from_json, to_json

JINA_20 = "2.0"
JINA_26 = "2.6"
JINA_3 = "3"
WITH_UNSET = "+"
"""Behind a release of Jina 2: an embedding that is not set is null, as in answers of /post; else it
is left out."""

_NULL = msgspec.Raw(b"null")
_TEXT = msgspec.Raw(b'""')
_ZERO = msgspec.Raw(b"0")
_FLOAT = msgspec.Raw(b"0.0")
_LIST = msgspec.Raw(b"[]")
_OBJECT = msgspec.Raw(b"{}")
_MAX_FULL = 1 << 22  # numbers of a sparse matrix that is written in full

if TYPE_CHECKING:
    _Json = Any
    _JsonOrUnset = Any
    _Children2 = Any
    _Children3 = Any
else:
    _Json = msgspec.Raw
    _JsonOrUnset = msgspec.Raw | msgspec.UnsetType
    _Children2 = "list[_Line2] | msgspec.Raw"
    _Children3 = "list[_Line3] | msgspec.Raw"


class _Line2(msgspec.Struct, gc=False):
    """A line; a field that it does not have is written as its default here."""

    id: _Json = _TEXT
    granularity: _Json = _ZERO
    adjacency: _Json = _ZERO
    parent_id: _Json = _TEXT
    text: _JsonOrUnset = UNSET
    buffer: _JsonOrUnset = UNSET
    blob: _JsonOrUnset = UNSET
    chunks: _Children2 = _LIST
    weight: _Json = _FLOAT
    matches: _Children2 = _LIST
    uri: _Json = _TEXT
    mime_type: _Json = _TEXT
    tags: _Json = _OBJECT
    location: _Json = _LIST
    offset: _Json = _ZERO
    embedding: _JsonOrUnset = UNSET
    scores: _Json = _OBJECT
    modality: _Json = _TEXT
    evaluations: _Json = _OBJECT


class _Line3(msgspec.Struct, gc=False, rename={"blob": "buffer", "tensor": "blob"}):
    """A line, by the names of Jina 3."""

    id: _Json = _NULL
    parent_id: _Json = _NULL
    granularity: _Json = _NULL
    adjacency: _Json = _NULL
    blob: _Json = _NULL
    tensor: _Json = _NULL
    mime_type: _Json = _NULL
    text: _Json = _NULL
    weight: _Json = _NULL
    uri: _Json = _NULL
    tags: _Json = _NULL
    offset: _Json = _NULL
    location: _Json = _NULL
    embedding: _Json = _NULL
    modality: _Json = _NULL
    evaluations: _Json = _NULL
    scores: _Json = _NULL
    chunks: _Children3 = _NULL
    matches: _Children3 = _NULL


# What is written has the same fields in the same order.
_Doc2: Any = msgspec.defstruct(
    "_Doc2", [(name, Any) for name in _Line2.__struct_fields__], rename="camel", gc=False
)
_Doc3: Any = msgspec.defstruct(
    "_Doc3", [(name, Any) for name in _Line3.__struct_fields__], gc=False
)


class _Score2(msgspec.Struct):
    value: _Json = _FLOAT
    op_name: _Json = _TEXT
    description: _Json = _TEXT
    operands: list[_Score2] = []
    ref_id: _Json = _TEXT


class _Score3(msgspec.Struct):
    value: _Json = _FLOAT
    op_name: _Json = _NULL
    description: _Json = _NULL
    ref_id: _Json = _NULL


class _Tensor(msgspec.Struct, forbid_unknown_fields=True):
    dtype: _Json
    shape: _Json
    data: _Json


_lines_2 = msgspec.json.Decoder(_Line2).decode_lines
_lines_3 = msgspec.json.Decoder(_Line3).decode_lines
_scores_2 = msgspec.json.Decoder(dict[str, _Score2]).decode
_scores_3 = msgspec.json.Decoder(dict[str, _Score3]).decode
_tensor = msgspec.json.Decoder(_Tensor).decode
_decode = msgspec.json.Decoder().decode
_encode_lines = msgspec.json.Encoder().encode_lines


def rewritten(lines: bytes | memoryview, words: str) -> bytes:
    """JSON lines of Documents in the words of another release.

    Args:
        lines: in ours, one Document each; tensors as base64 for 2.0, else as lists.
        words: JINA_20, JINA_26 (either may have WITH_UNSET behind it) or JINA_3.

    Raises:
        DocumentError: a sparse matrix that would be too large.
    """
    if words == JINA_3:
        return _encode_lines(_documents_3(_lines_3(lines)))
    tensor = _dense if words.startswith(JINA_20) else _listed_2
    return _encode_lines(_documents_2(_lines_2(lines), tensor, words.endswith(WITH_UNSET)))


def _documents_2(
    lines: list[_Line2], tensor: Callable[[msgspec.Raw], Any], is_full: bool
) -> list[Any]:
    for line in lines:
        if line.chunks is not _LIST:
            line.chunks = _documents_2(line.chunks, tensor, is_full)
        if line.matches is not _LIST:
            line.matches = _documents_2(line.matches, tensor, is_full)
        if line.scores is not _OBJECT:
            line.scores = _renamed(line.scores)
        if line.evaluations is not _OBJECT:
            line.evaluations = _renamed(line.evaluations)
        if line.blob is not UNSET:
            line.blob = tensor(line.blob)
        if line.embedding is not UNSET:
            line.embedding = tensor(line.embedding)
        elif is_full:
            line.embedding = _NULL
    return [_Doc2(*astuple(line)) for line in lines]


def _documents_3(lines: list[_Line3]) -> list[Any]:
    for line in lines:
        if line.chunks is not _NULL:
            line.chunks = _documents_3(line.chunks)
        if line.matches is not _NULL:
            line.matches = _documents_3(line.matches)
        if line.scores is not _NULL:
            line.scores = _scores_3(line.scores)
        if line.evaluations is not _NULL:
            line.evaluations = _scores_3(line.evaluations)
        if line.tensor is not _NULL:
            line.tensor = _listed_3(line.tensor)
        if line.embedding is not _NULL:
            line.embedding = _listed_3(line.embedding)
    return [_Doc3(*astuple(line)) for line in lines]


def _renamed(scores: msgspec.Raw) -> dict[str, Any]:
    return {name: _score(score) for name, score in _scores_2(scores).items()}


def _score(score: _Score2) -> dict[str, Any]:
    return {
        "value": score.value,
        "opName": score.op_name,
        "description": score.description,
        "operands": [_score(operand) for operand in score.operands],
        "refId": score.ref_id,
    }


# --- tensors ---


def _listed_3(tensor: msgspec.Raw) -> Any:
    """A tensor as lists; one that lists cannot carry, such as one with NaN, stays as it is."""
    return to_json(_unpacked(tensor), "list") if _begins(tensor, b'{"format":') else tensor


def _listed_2(tensor: msgspec.Raw) -> Any:
    """Likewise for 2.6, which has a message for those that lists cannot carry."""
    listed = _listed_3(tensor)
    if listed is tensor and _begins(tensor, b'{"dtype":'):
        packed = _tensor(tensor)
        return _message(packed.dtype, packed.shape, packed.data)
    return _message(**listed) if isinstance(listed, dict) else listed


def _dense(tensor: msgspec.Raw) -> dict[str, Any]:
    """A tensor as the message NdArrayProto of 2.0."""
    if _begins(tensor, b'{"format":'):
        message = _message(**to_json(_unpacked(tensor), "base64"))
    else:
        packed = _tensor(tensor)
        message = _message(packed.dtype, packed.shape, packed.data)
    message["dense"] |= _NOT_QUANTIZED
    return message


_NOT_QUANTIZED = {
    "quantization": 0,
    "maxVal": 0.0,
    "minVal": 0.0,
    "scale": 0.0,
    "originalDtype": "",
}


def _message(dtype: Any, shape: Any, data: Any) -> dict[str, Any]:
    return {"dense": {"buffer": data, "shape": shape, "dtype": dtype}}


def _begins(tensor: msgspec.Raw, text: bytes) -> bool:
    return bytes(memoryview(tensor)[: len(text)]) == text


def _unpacked(tensor: msgspec.Raw) -> Any:
    """The array with all numbers of a sparse matrix.

    Raises:
        DocumentError: it would be too large.
    """
    packed = _decode(tensor)
    rows, columns = packed["shape"]
    if rows * columns > _MAX_FULL:
        raise DocumentError(f"a sparse matrix of {rows} x {columns} is too large for JSON")
    matrix = from_json(packed)
    return (matrix.get() if isinstance(matrix, Cell) else matrix).toarray()
