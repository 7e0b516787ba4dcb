"""Rows in columns, or one below the other."""

from __future__ import annotations

import pytest

from jinacli.screens.columns import in_columns

ROWS = [("name", "place"), ("UpperCase", "in capitals, all of it")]


@pytest.mark.parametrize("columns", [None, 33])
def test_columns_are_aligned_where_they_fit(columns: int | None) -> None:
    lines = in_columns(ROWS, columns).splitlines()
    assert lines == ["name       place", "UpperCase  in capitals, all of it"]


def test_elsewhere_cells_stand_one_below_the_other() -> None:
    assert in_columns(ROWS, 16).splitlines() == [
        "name",
        "  place",
        "UpperCase",
        "  in capitals,",
        "  all of it",
    ]


def test_a_word_is_never_cut() -> None:
    assert in_columns([("a", "/a/long/path.py:3")], 8) == "a\n  /a/long/path.py:3"
