"""ZeroMQ's protocol: what is packed is found again, however it is cut, and nonsense is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from jina.defaults import MAX_FRAME_BYTES, MAX_FRAMES_FROM_GATEWAY
from jina.excepts import WireError
from jina.transport import zmtp
from jina.transport.zmtp import GREETING, READY, Frames, check_greeting, packed

MESSAGES = some.lists(some.lists(some.binary(max_size=300), min_size=1, max_size=4), max_size=4)


def ready() -> Frames:
    frames = Frames()
    assert frames.feed(READY) == []
    assert frames.is_ready
    return frames


@given(MESSAGES, some.lists(some.integers(1, 400), max_size=8))
def test_messages_are_found_wherever_the_bytes_are_cut(
    messages: list[list[bytes]], cuts: list[int]
) -> None:
    data = b"".join(piece for message in messages for piece in packed(message))
    frames = ready()
    found: list[list[bytes]] = []
    for size in cuts:
        found += frames.feed(data[:size])
        data = data[size:]
    found += frames.feed(data)
    assert found == messages


def test_one_byte_at_a_time_is_enough() -> None:
    message = [b"a", b"", b"x" * 256, b"y" * 70_000]
    frames, found = Frames(), []
    for byte in READY + b"".join(packed(message)):
        found += frames.feed(bytes((byte,)))
    assert found == [message]


def test_frames_are_not_copied_into_what_is_written() -> None:
    frame = memoryview(b"x" * 100_000)
    pieces = packed([b"head", frame])
    assert pieces[-1] is frame
    assert pieces[0] == b"\x01\x04"  # more follow, 4 bytes
    assert pieces[2] == b"\x02" + (100_000).to_bytes(8, "big")  # the last one, a long one


class Large(bytes):
    """As long as no frame may be, without the bytes."""

    def __len__(self) -> int:
        return MAX_FRAME_BYTES + 1


def test_a_frame_over_the_limit_is_not_packed() -> None:
    with pytest.raises(WireError, match="67,108,865 bytes are too many for one message"):
        packed([Large()])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x00\x01a", "a message before READY"),
        (READY + b"\x80\x00", "a frame with the flags 0x80"),
        (READY + b"\x02" + (1 << 40).to_bytes(8, "big"), "more than 67108864"),
        (READY + b"\x01\x00" * (MAX_FRAMES_FROM_GATEWAY + 1), "a message of more than 1024 frames"),
        (b"\x04\x0a\x05ERROR\x03bad", "the other side refuses: bad"),
    ],
)
def test_what_is_not_of_the_protocol_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(WireError, match=said):
        Frames().feed(data)


def test_commands_that_nobody_needs_are_passed_over() -> None:
    ping = b"\x04\x07\x04PING\x00\x00"
    assert ready().feed(ping + b"\x00\x01a") == [[b"a"]]


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"HTTP/1.1 400 Bad Request".ljust(64), "does not speak ZMTP 3"),
        (GREETING[:10] + b"\x01" + GREETING[11:], "does not speak ZMTP 3"),
        (GREETING[:12] + b"CURVE".ljust(20, b"\0") + GREETING[32:], "asks for keys"),
    ],
)
def test_a_greeting_of_somebody_else_is_refused(greeting: bytes, said: str) -> None:
    assert len(greeting) == len(zmtp.GREETING)
    with pytest.raises(WireError, match=said):
        check_greeting(greeting)
