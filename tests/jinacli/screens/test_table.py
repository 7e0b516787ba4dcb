"""Lists fit the screen, whatever its width, and nothing is cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jinacli.screens.numbers import rough_duration, size
from jinacli.screens.table import Column, lines_of

COLUMNS = (Column("name"), Column("pid", is_number=True), Column("file", may_break=True))
ROWS = [("encoder/0", "4711", "a/b/c/flow.yml"), ("", "5", "")]


def test_a_table_that_fits() -> None:
    assert lines_of(COLUMNS, ROWS, 80) == [
        "name        pid  file",
        "encoder/0  4711  a/b/c/flow.yml",
        "              5",
    ]


def test_a_long_cell_goes_on_below() -> None:
    rows = [("encoder/0", "4711", "folder/" * 6)]
    assert lines_of(COLUMNS, rows, 40) == [
        "name        pid  file",
        "encoder/0  4711  folder/folder/folder/fo",
        "                 lder/folder/folder/",
    ]


def test_what_is_too_wide_becomes_blocks() -> None:
    assert lines_of(COLUMNS, ROWS, 24) == [
        "encoder/0",
        "  pid   4711",
        "  file  a/b/c/flow.yml",
        "5",
    ]


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=12), st.text(max_size=90))),
    st.integers(40, 200),
)
def test_no_line_is_wider_than_the_screen(rows: list[tuple[str, str, str]], width: int) -> None:
    from rich.cells import cell_len

    lines = lines_of(COLUMNS, rows, width)
    assert all(cell_len(line) <= width for line in lines)


def test_amounts() -> None:
    assert [rough_duration(seconds) for seconds in (0.04, 9.96, 42, 119, 7200, 2e6)] == [
        *("0.0 s", "10.0 s", "42 s", "119 s", "2 h", "23 d"),
    ]
    assert [size(number) for number in (0, 5, 2000, 25 << 20, 1.5 * (1 << 40), 1 << 60)] == [
        *("", "5 B", "2.0 KiB", "25 MiB", "1.5 TiB", "1048576 TiB"),
    ]
