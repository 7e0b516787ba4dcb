"""Structs between processes: as msgspec writes them, and with text that is not valid UTF-8."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.runtime.structs import decode_json, decode_msgpack, encode_json, encode_msgpack

# What Python makes of the names of files: UTF-8, and other bytes as lone surrogates.
NAMES = st.binary(max_size=20).map(lambda name: name.decode("utf-8", "surrogateescape"))


class Inner(msgspec.Struct, frozen=True, omit_defaults=True):
    path: str = ""


class Outer(msgspec.Struct, tag=True):
    names: list[str]
    inner: Inner
    env: dict[str, str]
    numbers: dict[int, int]
    data: bytes
    anything: dict[str, Any] = {}


class Other(msgspec.Struct, tag=True):
    name: str


OUTERS = st.builds(
    Outer,
    st.lists(NAMES, max_size=3),
    st.builds(Inner, NAMES),
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.dictionaries(st.integers(-(2**40), 2**40), st.integers(0, 9), max_size=3),
    st.binary(max_size=20),
    st.dictionaries(NAMES, st.none() | st.integers() | st.lists(NAMES), max_size=3),
)
DECODER: msgspec.json.Decoder[Outer | Other] = msgspec.json.Decoder(Outer | Other)


@given(OUTERS)
def test_what_is_written_is_read(value: Outer) -> None:
    line = encode_json(value)
    assert b"\n" not in line
    assert decode_json(line, DECODER) == value
    assert decode_msgpack(encode_msgpack(value), Outer) == value


def test_what_is_utf8_goes_the_short_way() -> None:
    other = Other("\u00e9\n")
    assert encode_json(other) == msgspec.json.encode(other)
    assert encode_msgpack(other) == msgspec.msgpack.encode(other)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"5", b'{"type":"Other"}', b'{"type":"Other","name":5}', b"\xff"]
)
def test_what_nobody_wrote_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(data, DECODER)
