"""Words, stems and query weights of the text encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def words(catalogue: Any) -> Any:
    return catalogue("HashedTextEncoder/words.py")


@pytest.mark.parametrize(
    "forms",
    [
        ["slice", "slices", "sliced", "slicing", "slicings"],
        ["iterate", "iterates", "iterated", "iterating", "iterator"],
        ["dictionary", "dictionaries"],
        ["stop", "stops", "stopped", "stopping"],
        ["class", "classes"],
        ["operator", "operators", "operated", "operating"],
        ["convert", "converted", "converting", "converter"],
        ["sequence", "sequences"],
    ],
)
def test_forms_of_a_word_share_a_stem(words: Any, forms: list[str]) -> None:
    assert len({words.stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("string", "strip"), ("this", "thing"), ("int", "in"), ("pass", "past")]
)
def test_other_words_keep_apart(words: Any, one: str, other: str) -> None:
    assert words.stem(one) != words.stem(other)


def test_words_are_letters_and_digits_of_any_script(words: Any) -> None:
    assert words.words('Call "__init__()": Straße, 3.11!') == [
        "call",
        "init",
        "straße",
        "3",
        "11",
    ]


def test_a_passage_loses_its_stop_words_only(words: Any) -> None:
    assert words.stems("How to use the lists") == ["use", "list"]


def test_a_query_loses_the_words_that_only_ask(words: Any) -> None:
    weights = words.query_weights("How do I use a list?", words.Synonyms(), 0.5)
    assert weights == {"list": 1.0}


def test_a_query_of_asking_words_alone_keeps_them(words: Any) -> None:
    assert words.query_weights("use", words.Synonyms(), 0.5) == {"use": 1.0}
    assert words.query_weights("how do I", words.Synonyms(), 0.5) == {}


def test_synonyms_count_less_and_never_replace_a_word_of_the_query(
    words: Any, tmp_path: Path
) -> None:
    file = tmp_path / "groups.txt"
    file.write_text("# comment\nremove delete drop # more\n\ndelete erase\n")
    synonyms = words.Synonyms.read(file)
    found = words.query_weights("delete and drop", synonyms, 0.5)
    assert found == {words.stem("delete"): 1.0, "drop": 1.0, "remov": 0.5, words.stem("erase"): 0.5}
    assert words.query_weights("delete", synonyms, 0.0) == {words.stem("delete"): 1.0}
