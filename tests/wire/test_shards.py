"""The bodies of several shards: each line has one outcome, whatever became of it in which shard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.wire.body import Body, read_body, reduced, without_failed, write_body
from jina.wire.maps import Call, Failure, LineFailures, Part


def answered(lines: str, lost: list[set[int]], node: str = "s") -> Body:
    """What the tail reads where each shard got all lines, and lost some of them to errors."""
    parts, frames = [], []
    for shard, gone in enumerate(lost):
        docs = [Document(id=id_) for n, id_ in enumerate(lines) if n not in gone]
        errors = [Failure(n, lines[n], "E", "no", node) for n in sorted(gone)]
        failures = LineFailures(len(lines), errors) if errors else None
        own, its = write_body(DocumentArray(docs), None, failures)
        parts += [Part(p.kind, p.role, p.frames, p.rows, p.failed, shard) for p in own]
        frames += its
    return read_body(parts, frames, len(lost), Call(), 1)


def left(body: Body) -> list[str]:
    return ["".join(doc.id for doc in array) for array in without_failed(body)]


def test_what_failed_in_one_shard_is_dropped_in_the_others() -> None:
    assert left(answered("abc", [set(), {1}, set()])) == ["ac", "ac", "ac"]
    assert left(answered("ab", [set(), {0, 1}])) == ["", ""]


def test_of_an_id_that_stands_twice_as_many_are_dropped_as_failed() -> None:
    assert left(answered("aab", [set(), {0}])) == ["ab", "ab"]
    assert left(answered("aab", [{0}, {0}])) == ["ab", "ab"]
    assert left(answered("aab", [{0}, {1}])) == ["b", "b"]


def test_a_document_that_failed_before_its_request_came_here_is_missing_in_each_branch() -> None:
    assert left(answered("ab", [{0}, {0}], "t")) == ["b", "b"]


def test_lines_that_could_not_be_read_drop_nothing() -> None:
    assert left(answered("ab", [{0}, set()], "")) == ["b", "ab"]
    assert left(answered("ab", [set(), set()])) == ["ab", "ab"]


@given(
    lines=st.text("abc", max_size=6),
    lost=st.lists(st.sets(st.integers(0, 5)), min_size=2, max_size=4),
)
def test_each_line_has_one_outcome(lines: str, lost: list[set[int]]) -> None:
    lost = [{n for n in gone if n < len(lines)} for gone in lost]
    body = answered(lines, lost)
    failed = [failure.place for failure in body.failures.failures] if body.failures else []
    assert failed == sorted(set().union(*lost))
    whole = reduced(without_failed(body))
    assert sorted([doc.id for doc in whole] + [lines[n] for n in failed]) == sorted(lines)
