"""Cutting bytes into runs of lines gives the same lines from blocks of any size."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jina.readers.lines import CutLines, LineCutter

BOM = b"\xef\xbb\xbf"
ANY = 1_000_000


def cut(
    blocks: list[bytes], *, max_lines: int = ANY, max_bytes: int = ANY, max_line_bytes: int = ANY
) -> list[CutLines]:
    cutter = LineCutter(max_line_bytes)
    runs = []
    for block in blocks:
        cutter.feed(block)
        while (run := cutter.take(max_lines, max_bytes)) is not None:
            runs.append(run)
    cutter.finish()
    while (run := cutter.take(max_lines, max_bytes)) is not None:
        runs.append(run)
    return runs


def model(content: bytes, max_line_bytes: int) -> tuple[list[bytes], list[tuple[int, int]]]:
    """The lines, and (line number, size) of those over the limit, the slow and obvious way."""
    if content == BOM:
        return [], []
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    over = [
        (number, len(line)) for number, line in enumerate(lines, 1) if len(line) > max_line_bytes
    ]
    lines = [b"" if len(line) > max_line_bytes else line for line in lines]
    if lines and lines[0].startswith(BOM):
        lines[0] = lines[0][3:]
    return lines, over


@given(
    content=st.lists(
        st.sampled_from([b"a", b"bc", b"\n", b"\n", b"\r\n", BOM, b"{}", b"\xff", b"wxyz"]),
        max_size=40,
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 200), max_size=12),
    max_lines=st.integers(1, 5),
    max_bytes=st.integers(1, 12),
    max_line_bytes=st.integers(6, 12),
)
def test_any_bytes_in_any_blocks_give_the_same_lines(
    content: bytes, cuts: list[int], max_lines: int, max_bytes: int, max_line_bytes: int
) -> None:
    edges = sorted({min(edge, len(content)) for edge in cuts} | {0, len(content)})
    blocks = []
    for start, end in pairwise(edges):
        blocks += [
            content[at : min(at + max_line_bytes, end)] for at in range(start, end, max_line_bytes)
        ]
    lines, over = model(content, max_line_bytes)

    runs = cut(blocks, max_lines=max_lines, max_bytes=max_bytes, max_line_bytes=max_line_bytes)

    assert b"".join(run.data for run in runs) == b"".join(line + b"\n" for line in lines)
    assert [(number, size) for run in runs for _, number, size in run.oversize] == over
    number = 1
    for run in runs:
        assert run.first_line == number
        assert run.lines == run.data.count(b"\n") <= max_lines
        assert run.lines == 1 or len(run.data) <= max_bytes
        for row, line_number, _ in run.oversize:
            assert line_number == number + row
            assert run.data.split(b"\n")[row] == b""
        number += run.lines


def test_a_run_is_full_at_max_lines() -> None:
    runs = cut([b"1\n2\n3\n4\n5\n"], max_lines=2)
    assert [run.data for run in runs] == [b"1\n2\n", b"3\n4\n", b"5\n"]
    assert [run.first_line for run in runs] == [1, 3, 5]


def test_a_run_is_full_before_max_bytes_are_passed() -> None:
    runs = cut([b"aaa\nbbb\ncc", b"c\nd\n"], max_bytes=9)
    assert [run.data for run in runs] == [b"aaa\nbbb\n", b"ccc\nd\n"]


def test_a_line_longer_than_max_bytes_goes_alone() -> None:
    runs = cut([b"a\nbbbbbbbbbb\nc\n"], max_bytes=4)
    assert [run.data for run in runs] == [b"a\n", b"bbbbbbbbbb\n", b"c\n"]


def test_a_smaller_limit_holds_from_the_next_take_on() -> None:
    cutter = LineCutter()
    cutter.feed(b"1\n2\n3\n")
    assert cutter.take(10, ANY) is None
    assert cutter.take(2, ANY) == CutLines([b"1\n", b"2\n"], 2, 1, ())
    assert cutter.take(2, ANY) is None


def test_a_partial_take_gives_whole_lines_only() -> None:
    cutter = LineCutter()
    cutter.feed(b"1\n2\nhal")
    assert cutter.take(10, ANY) is None
    assert cutter.take(10, ANY, partial=True) == CutLines([b"1\n", b"2\n"], 2, 1, ())
    assert cutter.take(10, ANY, partial=True) is None
    cutter.feed(b"f\n")
    assert cutter.take(10, ANY, partial=True) == CutLines([b"half\n"], 1, 3, ())


def test_a_line_over_the_limit_leaves_an_empty_line_and_its_true_size() -> None:
    blocks = [b"one\nxxxxxx", *[b"x" * 10] * 5, b"xx\nthree\n"]
    (run,) = cut(blocks, max_line_bytes=10)
    assert run.data == b"one\n\nthree\n"
    assert run.oversize == ((1, 2, 58),)


def test_a_line_over_the_limit_may_be_the_last_without_a_newline() -> None:
    (run,) = cut([b"x" * 8, b"x" * 8], max_line_bytes=8)
    assert (run.data, run.lines, run.oversize) == (b"\n", 1, ((0, 1, 16),))


def test_a_mark_at_the_start_is_cut_and_later_ones_stay() -> None:
    (run,) = cut([BOM[:1], BOM[1:] + b"{}\n" + BOM + b"{}"])
    assert run.data == b"{}\n" + BOM + b"{}\n"
    first, second = cut([BOM + b"{}\n" + BOM + b"{}"], max_lines=1)
    assert (first.data, second.data) == (b"{}\n", BOM + b"{}\n")


def test_a_file_of_nothing_but_the_mark_has_no_lines() -> None:
    assert cut([BOM[:2], BOM[2:]]) == []


def test_no_bytes_give_no_lines() -> None:
    assert cut([]) == []
