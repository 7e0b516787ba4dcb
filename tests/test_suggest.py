"""Near names."""

from __future__ import annotations

import pytest

from jina.suggest import MAX_LETTERS, near_name


@pytest.mark.parametrize(
    ("word", "near"),
    [("wiht", "with"), ("metsa", "metas"), ("quite another", ""), ("", "")],
)
def test_the_nearest_name_is_found(word: str, near: str) -> None:
    assert near_name(word, ["jtype", "with", "metas"]) == near


def test_names_beyond_the_limit_are_not_compared() -> None:
    assert near_name("a" * MAX_LETTERS, ["a" * (MAX_LETTERS + 1)]) == ""
    assert near_name("a" * (MAX_LETTERS + 1), ["a" * MAX_LETTERS]) == ""
    assert near_name("a" * (MAX_LETTERS - 1), ["a" * MAX_LETTERS]) == "a" * MAX_LETTERS
