"""What a client is told of the calls of its request, however many there were."""

from __future__ import annotations

from jina.runtime.journey import Journey
from jina.runtime.steps import Submitted
from jina.wire.maps import ErrorInfo, Times, pack_map

TIMES = Times(1.0, 2.0)


def test_thousands_of_calls_that_raised_leave_room_for_the_others() -> None:
    asked = Submitted(b"client", 1, "/x", None, 1, 0, b"", [], is_timed=True, arrived=0.5)
    journey = Journey(asked)
    error = ErrorInfo("my.module.Busy", "no, " * 500, "a", traceback="deep")
    for _ in range(5000):
        journey.note_call("a", 0, 1, 0.5, TIMES, error)
    journey.note_call("a", 0, 1, 0.5, TIMES)
    journey.note_call("b", 0, 1, 2.0, TIMES)
    way = journey.way(["b"])
    assert [(leg.node, leg.error) for leg in way.legs[-2:]] == [("a", None), ("b", None)]
    assert 10 < len(way.legs) < 100
    assert len(pack_map(way)) < 48 * 1024
