"""Which name was meant."""

from __future__ import annotations

import pytest

from jina.suggest import MAX_LETTERS, near_file, near_name, nearest


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


def test_a_long_name_is_compared_where_it_stands_alone() -> None:
    assert nearest("a" * MAX_LETTERS, ["a" * (MAX_LETTERS + 1)]) == "a" * (MAX_LETTERS + 1)


@pytest.mark.parametrize(
    ("wanted", "names", "near"),
    [
        ("confg.yml", ["config.yml", "flow.yml"], "config.yml"),
        ("dta.jsonl", ["data.jsonl", "more.jsonl"], "data.jsonl"),
        ("mi.yml", ["my.yml"], "my.yml"),
        ("executr.py", ["executor.py"], "executor.py"),
        ("My.yml", ["my.yml"], "my.yml"),
        ("flow.yaml", ["flow.yml"], "flow.yml"),
        ("flow", ["flow.yml"], "flow.yml"),
        # A common ending is no likeness.
        ("foo.yml", ["t.yml", "all.yml", "flow.yml"], ""),
        ("model.yml", ["NoSelf.yml"], ""),
        ("encoder.py", ["vec.py"], ""),
        ("a.yml", ["b.yml"], ""),
        ("data.jsonl", ["x.jsonl"], ""),
        ("x.yml", [], ""),
    ],
)
def test_only_a_near_name_is_offered(wanted: str, names: list[str], near: str) -> None:
    assert near_file(wanted, names) == near
