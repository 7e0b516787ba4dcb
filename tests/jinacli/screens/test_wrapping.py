"""Text in the columns of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinacli.screens.columns import terminal_width, width_of, wrapped


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("漢字", 4), ("e\u0301", 1), ("a\u200bb", 2), ("😀", 2)],
)
def test_how_wide_text_is(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("one two thr", ["one two", "thr"]),
        ("wonderfully x", ["wonderfu", "lly x"]),
        ("漢字漢字漢字 x", ["漢字漢字", "漢字 x"]),
        ("né two three", ["né two", "three"]),
    ],
)
def test_where_lines_are_broken(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8) == lines


@given(
    words=st.lists(st.text("ab漢é", min_size=1, max_size=12), max_size=9), width=st.integers(2, 9)
)
def test_lines_fit_and_nothing_is_lost(words: list[str], width: int) -> None:
    lines = wrapped(" ".join(words), width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(words)


@pytest.mark.parametrize(("columns", "width"), [("100", 100), ("3", 20), ("999", 200)])
def test_the_environment_says_the_width(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_width() == width
