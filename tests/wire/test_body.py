"""Bodies: every line becomes a Document or a failure, and each failure keeps its place."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.defaults import MAX_REQUEST_DOCS
from jina.excepts import WireError
from jina.types import codec
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.body import (
    Body,
    concatenated,
    cut,
    error_line,
    failures_part,
    read_body,
    read_lines,
    write_body,
    write_lines,
)
from jina.wire.maps import (
    BATCH,
    DOCS,
    ERRORS,
    FAILURES,
    GROUNDTRUTHS,
    LINES,
    Call,
    ErrorInfo,
    Failure,
    LineFailures,
    Part,
    Route,
    pack_map,
)
from tests.wire.mutations import mutations

CALL = Call({}, "data.jsonl", "key", True)


def lines_part(rows: int = 1, branch: int = 0) -> Part:
    return Part(LINES, DOCS, 1, rows, 0, branch)


def rendered(body: Body, call: Call = CALL) -> list[dict[str, Any]]:
    """The outcomes of a body, as a client would print them."""
    parts, frames = write_lines(concatenated(body.docs), body.failures, "/x", call)
    outcomes = [msgspec.json.decode(line) for line in frames[0].splitlines()]
    (part,) = parts
    assert (part.kind, part.role, part.frames) == (LINES, DOCS, 1)
    assert part.rows == len(outcomes)
    assert part.failed == sum("error" in outcome for outcome in outcomes)
    return outcomes


# --- lines that go wrong -----------------------------------------------------------------------


def places(chunk: bytes, base: int = 1, call: Call = CALL) -> list[str]:
    """The outcomes of a chunk: the id of a Document, `!id` of a failure."""
    return [
        ("!" if "error" in outcome else "") + outcome["id"]
        for outcome in rendered(read_lines(chunk, call, base))
    ]


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (b"", []),
        (b"\n \n\t\r\n", []),
        (b'{"id": "a"}\n{"id": "b"}\n', ["a", "b"]),
        (b"{}\n{}\n", ["key-1", "key-2"]),
        (b"\n{}\n\n{}", ["key-2", "key-4"]),
        (b"no\n", ["!key-1"]),
        (b'{"id": "a"}\nno\n{"id": "c"}\n', ["a", "!key-2", "c"]),
        (b'no\n{"id": "b"}\n[]\n', ["!key-1", "b", "!key-3"]),
        (b'\nno\n\n{"id": "d"}\n\n\nnull\n', ["!key-2", "d", "!key-7"]),
        (b'{"id": "a"}\r\nno\r\n', ["a", "!key-2"]),
        (b'{"id": "a"}\n{"id": "b", "text": 5}\n', ["a", "!b"]),
        (b'{"id": "a"}\n"\xff"\n', ["a", "!key-2"]),
        (b"no\n" * 3, ["!key-1", "!key-2", "!key-3"]),
    ],
)
def test_each_line_that_is_not_blank_has_one_outcome_in_its_place(
    chunk: bytes, expected: list[str]
) -> None:
    assert places(chunk) == expected


@pytest.mark.parametrize(
    ("chunk", "oversize", "expected"),
    [
        (b"\n", [(0, 1, 99)], ["!key-1"]),
        (b'{"id": "a"}\n\n{"id": "c"}\n', [(1, 2, 99)], ["a", "!key-2", "c"]),
        (b'\n\n{"id": "c"}\n', [(1, 2, 99)], ["!key-2", "c"]),
        (b"\n\n\n\n", [(1, 2, 99), (3, 4, 99)], ["!key-2", "!key-4"]),
        (b'\nno\n\n{"id": "d"}\n', [(0, 1, 99), (2, 3, 99)], ["!key-1", "!key-2", "!key-3", "d"]),
    ],
)
def test_a_line_too_long_to_be_carried_has_its_outcome_in_its_place(
    chunk: bytes, oversize: list[tuple[int, int, int]], expected: list[str]
) -> None:
    """The reader puts an empty line where it was, which is not a blank one."""
    assert places(chunk, call=Call({}, "data.jsonl", "key", oversize=oversize)) == expected


@given(st.lists(st.sampled_from(["good", "bad", "blank", "oversize"]), max_size=30))
def test_places_are_true_for_any_mixture(kinds: list[str]) -> None:
    texts = {"good": b"{}\n", "bad": b"]\n", "blank": b" \n", "oversize": b"\n"}
    numbered = list(enumerate(kinds, 500))
    call = Call(
        {},
        "data.jsonl",
        "key",
        oversize=[(number - 500, number, 9) for number, kind in numbered if kind == "oversize"],
    )
    chunk = b"".join(texts[kind] for kind in kinds)
    assert places(chunk, base=500, call=call) == [
        f"key-{number}" if kind == "good" else f"!key-{number}"
        for number, kind in numbered
        if kind != "blank"
    ]


@given(st.binary(max_size=200))
def test_any_bytes_have_an_outcome_for_each_line_that_is_not_blank(chunk: bytes) -> None:
    body = read_lines(chunk, CALL, 2)
    failed = body.failures.failures if body.failures else []
    assert len(body.docs[0]) + len(failed) == sum(bool(line.strip()) for line in chunk.split(b"\n"))


def test_failed_lines_travel_on_to_the_next_worker() -> None:
    """A place is a number on the wire, also the second one, which follows one outcome."""
    body = read_lines(b'{"id":"a"}\nnope\n{"id":"b"}\n', CALL, 1)
    parts, frames = write_body(body.docs[0], None, body.failures)
    again = read_body(parts, frames, 1, CALL, 1)
    assert again.failures == body.failures
    assert [type(failure.place) for failure in again.failures.failures] == [int]


def test_a_failure_says_where_and_why() -> None:
    call = Call({}, "data.jsonl", "key", oversize=[(1, 42, 50_000_000)])
    body = read_lines(b"[1]\n\n", call, 41)
    assert body.failures == LineFailures(
        2,
        [
            Failure(
                0,
                "key-41",
                "jina.excepts.BadLine",
                "data.jsonl:41: a JSON list, expected an object",
            ),
            Failure(
                1,
                "key-42",
                "jina.excepts.InputError",
                "data.jsonl:42: a line of more than 16 MiB (50000000 bytes seen), "
                "which is too long; put the content in a file, and its path in `uri`",
            ),
        ],
    )


def test_pairs_give_groundtruths() -> None:
    chunk = b'{"document": {"id": "a"}, "groundtruth": {"text": "truth"}}\n{"id": "b"}\n'
    body = read_lines(chunk, CALL, 1)
    assert [doc.id for doc in body.docs[0]] == ["a", "b"]
    (truths,) = body.groundtruths
    assert [doc.text for doc in truths] == ["truth", ""]


# --- where failures go once an Executor has worked ---------------------------------------------


FAILED = LineFailures(
    4,
    [
        Failure(1, "bad-1", "ValueError", "f:2: why"),
        Failure(3, "bad-3", "ValueError", "f:4: why"),
    ],
)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("ac", ["a", "bad-1", "c", "bad-3"]),
        ("", ["bad-1", "bad-3"]),
        ("a", ["a", "bad-1", "bad-3"]),
        ("abc", ["a", "b", "c", "bad-1", "bad-3"]),
    ],
)
def test_failures_stand_in_their_places_unless_the_number_of_documents_changed(
    ids: str, expected: list[str]
) -> None:
    docs = DocumentArray([Document(id=name) for name in ids])
    outcomes = rendered(Body([docs], [], FAILED))
    assert [outcome["id"] for outcome in outcomes] == expected


def test_texts_with_line_breaks_stay_one_line_each() -> None:
    separators = "a\nb\r\nc\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029d"
    docs = DocumentArray([Document(id="1", text=separators), Document(id="2", text=separators)])
    outcomes = rendered(Body([docs], [], FAILED))
    assert [outcome["id"] for outcome in outcomes] == ["1", "bad-1", "2", "bad-3"]
    assert outcomes[0]["text"] == separators


def test_a_failed_line_is_written_with_its_error() -> None:
    assert msgspec.json.decode(error_line("id", FAILED.failures[0], "/index")) == {
        "id": "id",
        "error": {
            "type": "ValueError",
            "message": "f:2: why",
            "executor": "",
            "endpoint": "/index",
        },
    }
    error = ErrorInfo("KeyError", "'k'", "encoder", 1, "Traceback: …")
    assert msgspec.json.decode(error_line("id", error, "/index"))["error"]["executor"] == "encoder"


# --- parts and frames --------------------------------------------------------------------------


def ids(docs: DocumentArray) -> list[str]:
    return [doc.id for doc in docs]


def test_a_body_comes_out_as_it_went_in() -> None:
    docs = DocumentArray([Document(id="a", text="A"), Document(id="b", text="B")])
    truths = DocumentArray([Document(id="a", text="truth"), Document(id="b")])
    parts, frames = write_body(docs, truths, FAILED)
    assert [(part.kind, part.role, part.rows, part.failed) for part in parts] == [
        (BATCH, DOCS, 2, 0),
        (BATCH, GROUNDTRUTHS, 2, 0),
        (FAILURES, ERRORS, 2, 2),
    ]
    body = read_body(parts, frames, 1, CALL, 1)
    assert body == Body([docs], [truths], FAILED)


def test_a_body_without_documents_has_one_empty_array() -> None:
    parts, frames = write_body(DocumentArray(), None, None)
    assert read_body(parts, frames, 1, CALL, 1) == Body([DocumentArray()], [], None)
    assert read_body([], [], 1, CALL, 1) == Body([DocumentArray()], [], None)


def test_an_array_that_nobody_looked_at_is_passed_on_undecoded() -> None:
    parts, frames = write_body(DocumentArray([Document(id="a", text="A")]), None, None)
    body = read_body(parts, frames, 1, CALL, 1)
    again, same = write_body(concatenated(body.docs), None, None)
    assert again == parts
    assert [bytes(frame) for frame in same] == [bytes(frame) for frame in frames]


def test_the_branches_of_a_join_stay_apart_and_in_order() -> None:
    batch = codec.encode(DocumentArray([Document(id="b")]))
    parts = [
        Part(BATCH, DOCS, len(batch), 1, 0, 1),
        lines_part(branch=0),
        lines_part(branch=1),
        lines_part(branch=2),
    ]
    frames = [*batch, b'{"id": "a"}', b'{"id": "c"}\nno\n', b"no"]
    body = read_body(parts, frames, 3, CALL, 1)
    assert [ids(docs) for docs in body.docs] == [["a"], ["b", "c"], []]
    assert body.failures is not None
    assert [failure.place for failure in body.failures.failures] == [0, 1]


def test_branches_that_parsed_the_same_lines_report_each_failure_once() -> None:
    parts = [lines_part(2, branch=0), lines_part(2, branch=1)]
    body = read_body(parts, [b"no\n{}\n", b"no\n{}\n"], 2, CALL, 1)
    assert body.failures is not None
    assert [failure.id for failure in body.failures.failures] == ["key-1"]
    assert body.failures.total == 2


BATCH_FRAMES = codec.encode(DocumentArray([Document(id="a", text="A" * 20, tags={"k": 1})]))


@pytest.mark.parametrize(
    ("parts", "frames"),
    [
        ([lines_part(branch=1)], [b"{}"]),
        ([lines_part(branch=-1)], [b"{}"]),
        ([lines_part()], []),
        ([lines_part(), lines_part()], [b"{}"]),
        ([Part(LINES, DOCS, 0, 1)], [b"{}"]),
        ([Part(LINES, DOCS, -1, 1)], [b"{}"]),
        ([Part(LINES, DOCS, 2**63, 1)], [b"{}"]),
        ([Part(9, DOCS, 1, 1)], [b"{}"]),
        ([Part(FAILURES, ERRORS, 1, 1)], [b"{}"]),
        ([Part(BATCH, DOCS, 1, 1)], [b"{}"]),
        ([Part(BATCH, DOCS, 1, 1)], [b""]),
    ],
)
def test_parts_that_do_not_fit_their_frames_are_a_wire_error(
    parts: list[Part], frames: list[bytes]
) -> None:
    with pytest.raises(WireError):
        read_body(parts, frames, 1, CALL, 1)


@pytest.mark.parametrize("kind", [LINES, BATCH])
def test_a_request_of_too_many_documents_is_a_wire_error(kind: int) -> None:
    count = MAX_REQUEST_DOCS + 1
    if kind == LINES:
        frames: list[Any] = [b"{}\n" * count]
    else:
        frames = codec.encode(DocumentArray([Document(id="a")] * count))
    with pytest.raises(WireError, match="a request of more than 10000 "):
        read_body([Part(kind, DOCS, len(frames), count)], frames, 1, CALL, 1)


def test_a_damaged_body_is_a_body_or_a_wire_error() -> None:
    failures = pack_map(FAILED)
    parts = [
        Part(BATCH, DOCS, len(BATCH_FRAMES), 1),
        Part(FAILURES, ERRORS, 1, 2, 2),
        lines_part(),
    ]
    whole = [*map(bytes, BATCH_FRAMES), failures, b'{"id": "a", "text": "A"}\n']
    assert failures_part(FAILED) == parts[1]
    read = 0
    for index, original in enumerate(whole):
        for damaged in mutations([original], seed=index):
            frames = [*whole[:index], damaged, *whole[index + 1 :]]
            try:
                body = read_body(parts, frames, 1, CALL, 1)
            except WireError:
                continue
            read += 1
            assert len(body.docs) == 1
    assert read


def test_a_failed_line_stands_between_lines_and_never_in_one() -> None:
    """A carriage return between the words of JSON is white space, also where it was not read."""
    chunk = b'{"id": "a", "tags": {\r"x": 1}}\nno\n{"id": "b"}\n'
    body = read_body([lines_part()], [chunk], 1, CALL, 1)
    assert [outcome["id"] for outcome in rendered(body)] == ["a", "key-2", "b"]


# --- some of the outcomes --------------------------------------------------------------------


def some(chunk: bytes, first: int, stop: int, **blame: ErrorInfo) -> list[str]:
    """The ids of a cut's outcomes; those of failures with a mark."""
    body = read_body([lines_part()], [chunk], 1, CALL, 1)
    docs, _, failures = cut(
        body.docs[0], None, body.failures, Route("/x", first=first, stop=stop, **blame), alone=True
    )
    parts, frames = write_lines(docs, failures, "/x", Call())
    outcomes = [msgspec.json.decode(line) for line in frames[0].splitlines()]
    assert parts[0].rows == len(outcomes)
    return [outcome["id"] + "!" * ("error" in outcome) for outcome in outcomes]


@given(st.lists(st.sampled_from([b'{"n": 1}\n', b"no\n", b"\n"]), max_size=9), st.data())
def test_cuts_put_together_are_the_whole(lines: list[bytes], data: st.DataObject) -> None:
    chunk = b"".join(lines)
    ends = data.draw(st.lists(st.integers(1, 12), max_size=3, unique=True).map(sorted))
    bounds = [0, *ends, 20]
    pieces = [name for pair in pairwise(bounds) for name in some(chunk, *pair)]
    assert pieces == some(chunk, 0, 20)
    assert len(some(chunk, 0, 20)) == sum(line != b"\n" for line in lines)


def test_the_blamed_outcome_is_an_error_under_its_id() -> None:
    chunk = b'{"id": "a"}\nno\n\n{"id": "b"}\n{"id": "c"}\n'
    blame = ErrorInfo("jina.excepts.WorkerDied", "it died", "node")
    assert some(chunk, 2, 3) == ["b"]
    assert some(chunk, 2, 3, blame=blame) == ["b!"]
    body = read_body([lines_part()], [chunk], 1, CALL, 1)
    route = Route("/x", first=2, stop=3, blame=blame)
    docs, _, failures = cut(body.docs[0], None, body.failures, route, alone=False)
    assert len(docs) == 0
    assert failures == LineFailures(
        4, [Failure(2, "b", "jina.excepts.WorkerDied", "it died", "node")]
    )


def test_cuts_of_a_batch_meet_again_at_the_next_reader() -> None:
    """As the parts of one reply: Documents in order, each failure at its place in the whole."""
    docs = DocumentArray([Document(id=name, text=name) for name in "abcdef"])
    truths = DocumentArray([Document(id=name) for name in "abcdef"])
    parts: list[Part] = []
    frames: list[Any] = []
    for first, stop, blame in ((0, 3, None), (3, 4, ErrorInfo("E", "m", "n")), (4, 6, None)):
        route = Route("/x", first=first, stop=stop, blame=blame)
        more_parts, more_frames = write_body(*cut(docs, truths, None, route, alone=False))
        parts += more_parts
        frames += more_frames
    body = read_body(parts, frames, 1, CALL, 1)
    assert [doc.id for doc in body.docs[0]] == ["a", "b", "c", "e", "f"]
    assert [doc.id for doc in body.groundtruths[0]] == ["a", "b", "c", "e", "f"]
    assert body.failures == LineFailures(6, [Failure(3, "d", "E", "m", "n")])
    assert [outcome["id"] for outcome in rendered(body)] == list("abcdef")


def test_a_line_that_was_too_long_stays_one_failure_when_a_request_is_cut() -> None:
    """Few Documents are written as lines, and must not be read as the input once more."""
    chunk = b'{"id": "a"}\n\n{"id": "b"}\n{"id": "c"}\n'
    call = Call(source="x.jsonl", key="k", oversize=[(1, 2, 99)])
    body = read_body([lines_part()], [chunk], 1, call, 1)
    parts: list[Part] = []
    frames: list[Any] = []
    for first, stop in ((0, 2), (2, 4)):
        route = Route("/x", first=first, stop=stop)
        some_of_it = cut(body.docs[0], None, body.failures, route, alone=False)
        more_parts, more_frames = write_body(*some_of_it)
        parts += more_parts
        frames += more_frames
    again = read_body(parts, frames, 1, call, 1)
    assert [doc.id for doc in again.docs[0]] == ["a", "b", "c"]
    assert again.failures == body.failures


def test_a_failed_line_stays_one_where_a_branch_that_dropped_documents_was_cut() -> None:
    """It keeps the place that the other branch knows."""
    chunk = b'{"id": "a"}\nno\n{"id": "b"}\n{"id": "c"}\n'
    body = read_body([lines_part()], [chunk], 1, CALL, 1)
    parts, frames = write_body(body.docs[0], None, body.failures)
    fewer = DocumentArray([doc for doc in body.docs[0] if doc.id != "a"])
    blame = ErrorInfo("E", "m", "n")
    for first, stop, at in ((0, 1, blame), (1, 3, None)):
        route = Route("/x", first=first, stop=stop, blame=at)
        some_of_it = cut(fewer, None, body.failures, route, alone=False)
        more_parts, more_frames = write_body(*some_of_it)
        parts += more_parts
        frames += more_frames
    joined = read_body(parts, frames, 1, CALL, 1)
    assert [doc.id for doc in joined.docs[0]] == ["a", "b", "c", "c"]
    assert joined.failures is not None
    assert [(failure.place, failure.id) for failure in joined.failures.failures] == [
        (1, f"{CALL.key}-2"),
        (4, "b"),
    ]


def test_failures_of_two_documents_at_one_place_are_two_outcomes() -> None:
    """Branches of which each dropped another Document blame others at the same place."""
    failures = [LineFailures(2, [Failure(1, name, "E", "m")]) for name in "ab"]
    frames: list[Any] = [pack_map(each) for each in failures]
    parts = [failures_part(each) for each in failures]
    body = read_body(parts, frames, 1, CALL, 1)
    assert body.failures is not None
    assert [failure.id for failure in body.failures.failures] == ["a", "b"]
    _, _, left = cut(DocumentArray(), None, body.failures, Route("/x", first=0, stop=2), alone=True)
    assert left is not None
    assert [failure.id for failure in left.failures] == ["a", "b"]
