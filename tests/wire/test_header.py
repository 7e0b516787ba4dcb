"""The header frame: what goes in comes out, and nothing else does."""

from __future__ import annotations

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.defaults import MAX_CALL_BYTES, MAX_FRAMES, MAX_FRAMES_FROM_GATEWAY, MAX_ROUTE_BYTES
from jina.excepts import WireError
from jina.wire.header import KINDS, PREFIX_BYTES, REQUEST, Header, pack_header, unpack_header
from tests.wire.mutations import mutations, truncations

HEADERS = st.builds(
    Header,
    st.sampled_from(sorted(KINDS)),
    st.integers(0, MAX_FRAMES),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=200),
    st.binary(max_size=200),
)


def packed(header: Header) -> bytes:
    return pack_header(
        header.kind,
        frames=header.frames,
        number=header.number,
        rows=header.rows,
        base=header.base,
        route=header.route,
        call=header.call,
    )


@given(HEADERS)
def test_a_header_comes_out_as_it_went_in(header: Header) -> None:
    assert unpack_header(packed(header)) == header


def test_the_bytes_are_those_of_the_layout() -> None:
    frame = pack_header(REQUEST, frames=2, number=7, rows=100, base=901, route=b"R", call=b"CC")
    assert frame.hex(" ") == (
        "4a 32 01 03 02 00 01 00"  # J2, version 1, kind 3, 2 frames, 1 byte of route map
        " 07 00 00 00 00 00 00 00"
        " 64 00 00 00 00 00 00 00"
        " 85 03 00 00 00 00 00 00"
        " 52 43 43"
    )
    assert PREFIX_BYTES == 32


@given(HEADERS)
def test_every_truncation_is_refused_or_lacks_only_its_call_map(header: Header) -> None:
    whole = packed(header)
    for frame in truncations(whole):
        try:
            found = unpack_header(frame)
        except WireError:
            continue
        assert found == msgspec.structs.replace(header, call=found.call)
        assert header.call.startswith(found.call)


def test_damaged_headers_are_a_header_or_a_wire_error() -> None:
    originals = [
        packed(Header(REQUEST, 3, 2**40, 100, 1, b"route map", b"call map")),
        packed(Header(6, 0, 0, 0, 0, b"", b"")),
        packed(Header(4, MAX_FRAMES, 2**64 - 1, 2**32 - 1, 2**64 - 1, b"\xff" * 300, b"")),
    ]
    read = 0
    for frame in mutations(originals, seed=1):
        try:
            header = unpack_header(frame)
        except WireError:
            continue
        read += 1
        assert header.kind in KINDS
        assert header.frames <= MAX_FRAMES_FROM_GATEWAY
        assert len(header.route) < MAX_ROUTE_BYTES
        assert len(header.call) <= MAX_CALL_BYTES
    assert read  # otherwise the damage was too heavy to tell anything


def altered(offset: int, value: bytes) -> bytes:
    frame = bytearray(pack_header(REQUEST, route=b"route"))
    frame[offset : offset + len(value)] = value
    return bytes(frame)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b"", "a header of 0 bytes, shorter than 32"),
        (b"J2" + bytes(29), "a header of 31 bytes, shorter than 32"),
        (
            b"HTTP/1.1 400 Bad Request, said the other",
            "a message that begins with b'HT', not b'J2'",
        ),
        (
            altered(2, b"\x02"),
            "a message of protocol version 2, this is version 1\n"
            "help: use the same jina release on both sides",
        ),
        (altered(3, b"\x00"), "a message of unknown kind 0"),
        (altered(3, b"\xee"), "a message of unknown kind 238"),
        (altered(6, b"\x06"), "a header that ends within its route map"),
        (altered(4, struct.pack("<H", MAX_FRAMES_FROM_GATEWAY + 1)), "a header over its limits"),
        (pack_header(REQUEST) + bytes(MAX_CALL_BYTES + 1), "a header over its limits"),
    ],
)
def test_what_is_no_header_says_why(frame: bytes, message: str) -> None:
    with pytest.raises(WireError) as caught:
        unpack_header(frame)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"call": bytes(MAX_CALL_BYTES + 1)},
            "the parameters of a request take 65537 bytes, more than 65536\n"
            "help: send large values as Documents instead",
        ),
        (
            {"route": bytes(MAX_ROUTE_BYTES)},
            "the route map of a request take 65536 bytes, more than 65535\n"
            "help: send large values as Documents instead",
        ),
        ({"frames": MAX_FRAMES + 1}, "a message of 65 frames, more than 64"),
        ({"rows": 2**32}, "a message of 4294967296 rows, more than 4294967295"),
    ],
)
def test_what_no_header_can_hold_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(WireError) as caught:
        pack_header(REQUEST, **fields)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_the_largest_header_is_carried() -> None:
    header = Header(REQUEST, MAX_FRAMES, 0, 0, 0, bytes(MAX_ROUTE_BYTES - 1), bytes(MAX_CALL_BYTES))
    assert unpack_header(packed(header)) == header
