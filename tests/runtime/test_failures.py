"""Failures are counted by place and told one line each, up to a rate."""

from __future__ import annotations

import msgspec

from jina.runtime import control
from jina.runtime.failures import Failures, ids_of
from jina.runtime.steps import Answer, AnswerError, Dispatch, Piece, Unheard
from jina.wire.maps import DOCS, FAILURES, LINES, ErrorInfo, Failure, LineFailures, Part, Way

CLIENT = b"\x00one"
RAISED = ErrorInfo(
    "ValueError", "no\n  good", "encoder", 1, "Traceback", None, ["ValueError"], ["a", "b"]
)
DIED = ErrorInfo("jina.excepts.WorkerDied", "a worker died", "encoder")


class Told:
    """What the supervisor is told, and a clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.messages: list[control.RequestFailed] = []
        self.failures = Failures(
            self.messages.append, {CLIENT: "process 7 on host"}, clock=lambda: self.now
        )

    @property
    def lines(self) -> list[tuple[str, str, int]]:
        return [(each.worker, each.text, each.left_out) for each in self.messages]


def failed(error: ErrorInfo = RAISED, client: bytes = CLIENT) -> AnswerError:
    return AnswerError(client, 1, error, None, "/x")


def test_a_line_says_where_what_which_and_who() -> None:
    told = Told()
    told.failures.take(failed())
    told.failures.take(failed(DIED, b"\xff"))
    assert told.lines == [
        ("encoder/1", "/x failed: ValueError: no good (ids a, b; from process 7 on host)", 0),
        ("encoder", "/x failed: jina.excepts.WorkerDied: a worker died (from client ff)", 0),
    ]


def test_failures_are_counted_by_node_and_by_worker() -> None:
    told = Told()
    for error in (RAISED, RAISED, DIED):
        told.failures.take(failed(error))
    assert told.failures.total.count == 3
    assert told.failures.of_node("encoder").count == 3
    assert told.failures.of_worker("encoder", 1, None).count == 2
    assert told.failures.of_worker("encoder", 0, None).count == 0
    assert told.failures.of_node("encoder").error.startswith("encoder: /x failed: jina.excepts")
    assert told.failures.total.at == told.now


def test_what_is_more_than_anybody_reads_is_counted() -> None:
    told = Told()
    for _ in range(120):
        told.failures.take(failed())
    assert len(told.lines) == 20
    assert told.failures.left_out == 100
    told.now += 0.5
    told.failures.tell_left_out()
    assert len(told.lines) == 20  # others may follow at once
    told.failures.take(failed())
    assert told.lines[-1][2] == 100
    assert told.failures.left_out == 0
    for _ in range(10):
        told.failures.take(failed())
    told.now += 60
    told.failures.tell_left_out()
    assert told.lines[-1] == ("", "", 9)
    assert told.failures.total.count == 131


def test_requests_that_went_on_are_told_too() -> None:
    told = Told()
    told.failures.take(Answer(CLIENT, 1, [], 1, Way([RAISED]), "/x"))
    (line,) = told.lines
    assert line[1].endswith("(ids a, b; from process 7 on host; the request went on)")


def test_what_nobody_waits_for_is_only_counted() -> None:
    """It is printed with its traceback."""
    told = Told()
    told.failures.take(Unheard(CLIENT, 1, RAISED, "/x"))
    assert told.lines == []
    assert told.failures.total.count == 1


def test_a_document_that_is_blamed_is_told_with_its_id() -> None:
    told = Told()
    task = Dispatch(b"e/0", 9, "/x", 1, 1, b"", [], 1, True, blame=DIED, client=CLIENT)
    told.failures.blame(task)
    assert told.failures.is_waiting
    line = b'{"id":"q","error":{"type":"x"}}\n'
    told.failures.replied(8, [Piece(Part(LINES, DOCS, 1, 1, 1), [line])])
    assert told.lines == []
    told.failures.replied(9, [Piece(Part(LINES, DOCS, 1, 1, 1), [line])])
    assert "(ids q; from process 7 on host)" in told.lines[0][1]
    assert not told.failures.is_waiting


def test_ids_are_read_from_lines_and_from_failures() -> None:
    many = [Failure(n, f"d{n}", "ValueError", "no") for n in range(5)]
    packed = msgspec.msgpack.encode(LineFailures(5, many))
    assert ids_of([Piece(Part(FAILURES, DOCS, 1, 5), [packed])]) == ["d0", "d1", "d2"]
    lines = b'{"id":"good"}\n{"id":"bad","error":{}}\n'
    assert ids_of([Piece(Part(LINES, DOCS, 1, 2, 1), [lines])]) == ["bad"]
    assert ids_of([Piece(Part(LINES, DOCS, 1, 2, 1), [b'{"error" broken'])]) == []
    assert ids_of([Piece(Part(LINES, DOCS, 1, 2, 0), [lines])]) == []
