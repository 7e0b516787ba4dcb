"""What is reported of a process that ended: the last lines of an output without end."""

from __future__ import annotations

from jina.launch.ending import Tail


def test_only_the_last_lines_are_kept_and_the_others_come_back_in_order() -> None:
    tail = Tail(3, 1000)
    assert tail.add(["a", "b"]) == []
    assert tail.add(["c", "d", "e"]) == ["a", "b"]
    assert list(tail.lines) == ["c", "d", "e"]
    assert tail.dropped == 2


def test_the_characters_are_bounded_too() -> None:
    tail = Tail(1000, 10)
    gone = tail.add([f"{n:04}" for n in range(100)])
    assert list(tail.lines) == ["0098", "0099"]
    assert [*gone, *tail.lines] == [f"{n:04}" for n in range(100)]


def test_the_last_line_is_kept_however_long_it_is() -> None:
    tail = Tail(10, 10)
    assert tail.add(["short", "x" * 100]) == ["short"]
    assert list(tail.lines) == ["x" * 100]
    assert tail.add(["next"]) == ["x" * 100]


def test_what_is_taken_counts_as_dropped() -> None:
    tail = Tail(10, 10)
    tail.add(["a", "b"])
    assert tail.take() == ["a", "b"]
    assert (list(tail.lines), tail.dropped) == ([], 2)
    tail.add(["12345678"])
    assert list(tail.lines) == ["12345678"]  # the characters before do not count any more
