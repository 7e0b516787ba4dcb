"""The header frame: what goes in comes out, and nothing else does."""

from __future__ import annotations

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.defaults import MAX_CALL_BYTES, MAX_FRAMES, MAX_INLINE_BYTES, MAX_ROUTE_BYTES
from jina.excepts import WireError
from jina.wire.header import KINDS, PREFIX_BYTES, REQUEST, Header, pack_message, unpack_message
from tests.wire.mutations import mutations, truncations

HEADERS = st.builds(
    Header,
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.lists(st.binary(max_size=200), max_size=MAX_FRAMES).map(tuple),
)


def packed(header: Header) -> list[bytes]:
    return pack_message(
        header.kind,
        header.frames,
        number=header.number,
        rows=header.rows,
        base=header.base,
        route=header.route,
        call=header.call,
    )


def unpacked(message: list[bytes]) -> Header:
    return unpack_message(message[0], tuple(message[1:]))


@given(HEADERS)
def test_a_message_comes_out_as_it_went_in(header: Header) -> None:
    assert unpacked(packed(header)) == header


@pytest.mark.parametrize(
    ("sizes", "behind"),
    [
        ([], []),
        ([0], [0]),
        ([1], []),
        ([MAX_INLINE_BYTES], []),
        ([MAX_INLINE_BYTES + 1], [MAX_INLINE_BYTES + 1]),
        ([1, 1], [1, 1]),
    ],
)
def test_a_single_small_frame_stands_in_the_header_frame(
    sizes: list[int], behind: list[int]
) -> None:
    message = pack_message(REQUEST, [b"x" * size for size in sizes], route=b"R", call=b"C")
    assert [len(frame) for frame in message[1:]] == behind
    header = unpacked(message)
    assert [len(frame) for frame in header.frames] == sizes
    assert (header.route, header.call) == (b"R", b"C")


def test_the_bytes_are_those_of_the_layout() -> None:
    message = pack_message(
        REQUEST, [b"1", b"2"], number=7, rows=100, base=901, route=b"R", call=b"CC"
    )
    assert message[1:] == [b"1", b"2"]
    assert message[0].hex(" ") == (
        "4a 32 01 03 02 00 01 00"  # J2, version 1, kind 3, 2 frames, 1 byte of route map
        " 07 00 00 00 00 00 00 00"
        " 64 00 00 00 00 00 00 00"
        " 85 03 00 00 00 00 00 00"
        " 52 43 43"
    )
    assert PREFIX_BYTES == 32


def test_the_bytes_of_a_message_in_one_frame_are_those_of_the_layout() -> None:
    (frame,) = pack_message(REQUEST, [b"{}\n"], number=7, rows=1, route=b"R", call=b"CC")
    assert frame.hex(" ") == (
        "4a 32 01 03 00 00 01 00"  # no frames follow
        " 07 00 00 00 00 00 00 00"
        " 01 00 00 00 03 00 00 00"  # the last 3 bytes are the payload
        " 00 00 00 00 00 00 00 00"
        " 52 43 43 7b 7d 0a"
    )


@given(HEADERS)
def test_every_truncation_is_refused_or_lacks_only_its_call_map(header: Header) -> None:
    whole, *behind = packed(header)
    for frame in truncations(whole):
        try:
            found = unpack_message(frame, tuple(behind))
        except WireError:
            continue
        inline = b"" if behind else b"".join(header.frames)
        assert found == msgspec.structs.replace(header, call=found.call, frames=found.frames)
        assert (header.call + inline).startswith(
            found.call + b"".join(found.frames[:1] if inline else ())
        )
        assert [len(one) for one in found.frames] == [len(one) for one in header.frames]


def test_damaged_headers_are_a_header_or_a_wire_error() -> None:
    originals = [
        packed(header)[0]
        for header in (
            Header(REQUEST, 2**40, 100, 1, b"route map", b"call map", (b"", b"", b"")),
            Header(REQUEST, 2**40, 100, 1, b"route map", b"call map", (b"payload",)),
            Header(6, 0, 0, 0, b"", b""),
            Header(4, 2**64 - 1, 2**32 - 1, 2**64 - 1, b"\xff" * 300, b"", (b"",) * MAX_FRAMES),
        )
    ]
    read = 0
    for frame in mutations(originals, seed=1):
        try:
            header = unpack_message(frame, (b"",) * int.from_bytes(frame[4:6], "little"))
        except WireError:
            continue
        read += 1
        assert header.kind in KINDS
        assert sum(map(len, header.frames)) <= MAX_INLINE_BYTES
        assert len(header.route) < MAX_ROUTE_BYTES
        assert len(header.call) <= MAX_CALL_BYTES
    assert read  # otherwise the damage was too heavy to tell anything


def altered(offset: int, value: bytes) -> bytes:
    frame = bytearray(pack_message(REQUEST, route=b"route")[0])
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
            "help: use the same jina version on both sides",
        ),
        (altered(3, b"\x00"), "a message of unknown kind 0"),
        (altered(3, b"\xee"), "a message of unknown kind 238"),
        (altered(6, b"\x06"), "a header that ends within its route map or its payload"),
        (altered(20, b"\x01"), "a header that ends within its route map or its payload"),
        (altered(4, b"\x02"), "a message of 0 frames, its header names 2"),
        (pack_message(REQUEST)[0] + bytes(MAX_CALL_BYTES + 1), "a header over its limits"),
        (
            altered(20, struct.pack("<I", MAX_INLINE_BYTES + 1)) + bytes(MAX_INLINE_BYTES + 1),
            "a header over its limits",
        ),
    ],
)
def test_what_is_no_header_says_why(frame: bytes, message: str) -> None:
    with pytest.raises(WireError) as caught:
        unpack_message(frame)
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
        ({"frames": [b""] * (MAX_FRAMES + 1)}, "a message of 65 frames, more than 64"),
        ({"rows": 2**32}, "a message of 4294967296 rows, more than 4294967295"),
    ],
)
def test_what_no_header_can_hold_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(WireError) as caught:
        pack_message(REQUEST, **fields)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_the_largest_header_is_carried() -> None:
    route, call = bytes(MAX_ROUTE_BYTES - 1), bytes(MAX_CALL_BYTES)
    for frames in ((b"",) * MAX_FRAMES, (bytes(MAX_INLINE_BYTES),)):
        header = Header(REQUEST, 0, 0, 0, route, call, frames)
        assert unpacked(packed(header)) == header


def test_a_payload_both_in_the_header_and_behind_it_is_refused() -> None:
    frame = altered(20, b"\x01") + b"x"
    with pytest.raises(WireError, match="both in its header and behind it"):
        unpack_message(frame[:4] + b"\x01" + frame[5:], [b"y"])
