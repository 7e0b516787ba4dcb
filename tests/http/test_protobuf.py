"""Messages of protobuf, against the library that Jina uses."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from jina.http.protobuf import BadMessage, Schema, decode, encode
from jina.http.protos import REQUEST_2, REQUEST_3
from tests.http.protos import message_of

_RELEASES: list[tuple[str, str, Schema]] = [
    ("2.0", "jina.RequestProto", REQUEST_2),
    ("3", "jina.DataRequestProto", REQUEST_3),
]
_TEXT = st.text(max_size=8)
_FLOAT = st.floats(width=32, allow_nan=False, allow_infinity=False)
_UINT = st.integers(0, 2**32 - 1)
_PLAIN: Any = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_TENSOR = st.fixed_dictionaries(
    {"dense": st.fixed_dictionaries({"buffer": st.binary(min_size=1), "dtype": st.just("<f4")})}
)
_DOC = st.fixed_dictionaries(
    {"id": _TEXT.filter(bool)},
    optional={
        "buffer": st.binary(min_size=1),
        "weight": _FLOAT.filter(bool),
        "tags": st.dictionaries(_TEXT, _PLAIN, max_size=3),
        "granularity": _UINT.filter(bool),
        "embedding": _TENSOR,
        "scores": st.dictionaries(
            _TEXT, st.fixed_dictionaries({"value": _FLOAT.filter(bool)}), max_size=2
        ),
        "location": st.lists(st.integers(1, 1000), min_size=1, max_size=3),
        "chunks": st.just([{"id": "c"}, {"id": "d"}]),
    },
)


@given(st.lists(_DOC, max_size=4), st.dictionaries(_TEXT, _PLAIN, max_size=3))
def test_what_is_written_is_read_by_both(docs: list[Any], parameters: dict[str, Any]) -> None:
    for release, name, schema in _RELEASES:
        data: Any = {"docs": docs} if release == "2.0" else {"docs": {"docs": docs}}
        written = encode(schema, {"data": data, "parameters": parameters})
        theirs = message_of(release, name, written)
        found = list(theirs.data.docs if release == "2.0" else theirs.data.docs.docs)
        assert [doc.id for doc in found] == [doc["id"] for doc in docs]
        assert [list(doc.location) for doc in found] == [doc.get("location", []) for doc in docs]
        assert json_format.MessageToDict(theirs.parameters) == parameters
        ours = decode(schema, theirs.SerializeToString())
        read = ours["data"].get("docs", []) if release == "2.0" else ours["data"]["docs"]
        read = read if release == "2.0" else read.get("docs", [])
        assert read == [without_empty(doc) for doc in docs]
        assert ours.get("parameters", {}) == parameters


def without_empty(doc: dict[str, Any]) -> dict[str, Any]:
    """Maps without entries are nothing on the wire."""
    return {key: value for key, value in doc.items() if value != {}}


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read(data: bytes) -> None:
    for _, _, schema in _RELEASES:
        with contextlib.suppress(BadMessage):
            decode(schema, data)


def test_a_message_cut_anywhere_is_refused_or_read() -> None:
    whole = encode(REQUEST_2, {"request_id": "r", "data": {"docs": [{"id": "a", "text": "b"}]}})
    for size in range(len(whole)):
        with contextlib.suppress(BadMessage):
            decode(REQUEST_2, whole[:size])
    assert decode(REQUEST_2, whole)["request_id"] == "r"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x1a" + b"\x05" + b"\x0a\x03ab", "a field ends behind its message"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "a number does not end"),
        (b"\x0b", "a field of wire type 3"),
        (b"\x08\x01", "`request_id` has wire type 0"),
        (b"\x0a\x01\xff", "text that is not UTF-8"),
        (b"\x78\x01" * 200_001, "a message of more than 200,000 fields"),
        (b"\x00\x01", "a field without a number"),
    ],
)
def test_bad_messages(data: bytes, message: str) -> None:
    with pytest.raises(BadMessage, match=message):
        decode(REQUEST_2, data)


def test_deep_nesting_is_refused() -> None:
    message = b""
    for _ in range(200):
        message = b"\x22" + _size(message) + message
    message = b"\x0a" + _size(message) + message
    with pytest.raises(BadMessage, match="nested too deeply"):
        decode(REQUEST_2, b"\x1a" + _size(message) + message)


def _size(data: bytes) -> bytes:
    size, found = len(data), bytearray()
    while size > 127:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes(found + bytes([size]))


def test_unknown_fields_are_skipped() -> None:
    extra = b"\x7a\x03abc" + b"\x7d" + bytes(4) + b"\x79" + bytes(8)
    assert decode(REQUEST_2, extra + b"\x0a\x01r") == {"request_id": "r"}
