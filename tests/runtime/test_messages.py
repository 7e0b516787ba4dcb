"""Steps of the router become messages and come back as what they were."""

from __future__ import annotations

import math
import time

import msgspec
import pytest

from jina.defaults import MAX_FRAMES_FROM_GATEWAY
from jina.excepts import WireError
from jina.runtime.messages import (
    answer_message,
    error_message,
    pieces_of,
    raised,
    refusal_message,
    replied,
    submitted,
    task_message,
)
from jina.runtime.steps import Answer, AnswerError, Dispatch, Piece
from jina.wire import header as wire
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import (
    DOCS,
    LINES,
    ErrorInfo,
    Leg,
    Part,
    Route,
    Times,
    Way,
    pack_map,
    unpack_map,
)
from tests.runtime.tables import body, post, reply

ERROR = ErrorInfo("ValueError", "no", "a", 1, "trace")


def unpacked(message: list[bytes]) -> Header:
    return unpack_message(message[0], message[1:])


def test_a_clients_request_is_submitted() -> None:
    asked = post(4, "lines", targets=["a"])
    route = Route(asked.endpoint, ["a"], [piece.part for piece in asked.pieces])
    message = pack_message(
        wire.REQUEST,
        [b"lines"],
        number=4,
        rows=asked.rows,
        base=asked.base,
        route=pack_map(route),
        call=asked.call,
    )
    found = submitted(asked.client, unpacked(message))
    assert [[*piece.frames] for piece in found.pieces] == [[b"lines"]]
    assert msgspec.structs.replace(found, pieces=asked.pieces, arrived=0.0) == asked


@pytest.mark.parametrize("texts", [["one"], ["one", "two"]])
def test_what_a_worker_gave_is_its_reply_and_becomes_the_answer(texts: list[str]) -> None:
    message = answer_message(Answer(b"c", 7, body(*texts), served=2))
    header = unpacked(message)
    assert (header.kind, header.number) == (wire.REPLY, 7)
    assert unpack_map(Route, header.route).served == 2
    found = replied(b"a/0", header)
    assert (found.worker, found.task) == (b"a/0", 7)
    assert [b"".join(piece.frames) for piece in found.pieces] == [text.encode() for text in texts]
    assert [each.part for each in found.pieces] == [
        each.part for each in reply("a/0", 7, *texts).pieces
    ]


def test_a_task_says_all_that_a_worker_has_to_know() -> None:
    task = Dispatch(b"a/0", 9, "/x", 100, 901, b"call", body("one", "two"), 2, True, 3, 4, ERROR)
    header = unpacked(task_message(task))
    assert (header.kind, header.number, header.rows, header.base) == (wire.REQUEST, 9, 100, 901)
    assert header.call == b"call"
    parts = [piece.part for piece in task.pieces]
    assert unpack_map(Route, header.route) == Route("/x", None, parts, 2, True, 0, 3, 4, ERROR)
    assert header.frames == [b"one", b"two"]


def test_an_error_arrives_as_it_was_raised() -> None:
    header = unpacked(error_message(AnswerError(b"c", 5, ERROR)))
    assert (header.kind, header.number) == (wire.ERROR, 5)
    assert raised(b"a/0", header).error == ERROR
    with pytest.raises(WireError, match="an error without its description"):
        raised(b"a/0", unpacked(pack_message(wire.ERROR)))


@pytest.mark.parametrize(
    ("kind", "expected"), [((), "jina.excepts.BadServer"), (("some.Error",), "some.Error")]
)
def test_a_refusal_says_why(kind: tuple[str, ...], expected: str) -> None:
    header = unpacked(refusal_message(5, "too much", *kind))
    assert (header.kind, header.number) == (wire.REFUSED, 5)
    assert unpack_map(ErrorInfo, header.frames[0]) == ErrorInfo(expected, "too much")


def part(frames: int, rows: int = 1) -> Part:
    return Part(LINES, DOCS, frames, rows)


def test_each_part_gets_its_frames() -> None:
    assert pieces_of([part(1), part(0), part(2)], ["a", "b", "c"]) == [
        Piece(part(1), ["a"]),
        Piece(part(0), []),
        Piece(part(2), ["b", "c"]),
    ]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([part(3)], "a route map that names more frames than came"),
        ([part(1), part(-1), part(2)], "a route map that names more frames than came"),
        ([part(2, -1)], "a route map that names more frames than came"),
        ([part(1)], "more frames than the route map names"),
        ([], "more frames than the route map names"),
    ],
)
def test_parts_that_do_not_fit_the_frames_are_an_error(parts: list[Part], words: str) -> None:
    with pytest.raises(WireError, match=f"^{words}$"):
        pieces_of(parts, ["a", "b"])


def test_what_fits_no_message_is_an_error() -> None:
    frames = [b"x"] * (MAX_FRAMES_FROM_GATEWAY + 1)
    with pytest.raises(WireError, match="a message of 1025 frames, more than 1024"):
        answer_message(Answer(b"c", 1, [Piece(part(len(frames)), frames)], served=1))


def test_the_tasks_of_a_lot_say_so() -> None:
    tasks = [
        Dispatch(b"a/0", number, "/x", 1, 1, b"call", body("text"), 1, True, lot=9)
        for number in (7, 9)
    ]
    headers = [unpacked(task_message(task)) for task in tasks]
    assert [header.number for header in headers] == [7, 9]
    assert [unpack_map(Route, header.route).lot for header in headers] == [9, 9]


def asked_for(**route: object) -> bytes:
    return pack_map(Route("/x", None, [], **route))  # type: ignore[arg-type]


def test_a_request_may_have_a_time_and_be_timed() -> None:
    now, moment = time.time(), time.monotonic()
    route = asked_for(deadline=5.0, is_timed=True)
    found = submitted(b"c", unpacked(pack_message(wire.REQUEST, [], route=route)))
    assert (found.timeout_s, found.is_timed) == (5.0, True)
    assert now <= found.arrived <= time.time()
    assert found.deadline is not None
    assert moment + 5 <= found.deadline <= time.monotonic() + 5


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, 1e10])
def test_a_time_that_no_clock_can_count_is_refused(seconds: float) -> None:
    message = pack_message(wire.REQUEST, [], route=asked_for(deadline=seconds))
    with pytest.raises(WireError, match="a request that may take"):
        submitted(b"c", unpacked(message))


def test_what_a_call_took_comes_beside_its_outcome() -> None:
    times = Times(1.0, 2.0)
    empty = pack_map(Route("", None, []))
    reply = pack_message(wire.REPLY, [], number=3, route=empty, call=pack_map(times))
    assert replied(b"a/0", unpacked(reply)).times == times
    error = pack_message(wire.ERROR, [pack_map(ERROR)], number=3, call=pack_map(times))
    assert raised(b"a/0", unpacked(error)).times == times


def test_the_way_of_a_request_comes_beside_its_answer() -> None:
    way = Way([ERROR], True, [Leg("a", 1, 5, 1.0, 2.0, 3.0)], arrived=0.5)
    for message in (
        answer_message(Answer(b"c", 7, body("x"), 1, way)),
        error_message(AnswerError(b"c", 7, ERROR, way)),
    ):
        found = unpack_map(Way, unpacked(message).call)
        assert found.left > 1e9
        assert msgspec.structs.replace(found, left=0.0) == way
    untimed = Way([ERROR])
    message = answer_message(Answer(b"c", 7, body("x"), 1, untimed))
    assert unpack_map(Way, unpacked(message).call) == untimed
