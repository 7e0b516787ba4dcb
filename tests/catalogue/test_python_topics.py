"""The passages about Python: how they are cut, and that the committed file is what is cut."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "flows" / "data"
# Of the topics as sorted JSON: later releases of 3.11 and distributions change a sentence or two.
TOPICS_SHA256 = "37b51a0283fe86090af40650ef680bba22b90f74777f29909eceb83e57cc7ff1"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("cutter", FOLDER / "make_python_topics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cutter"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def cut(script: Any, text: str) -> list[tuple[str, str]]:
    """Section and text of each passage."""
    found = script.passages("topic", dedent(text).strip("\n"))
    return [(passage.section, "\n\n".join(passage.parts)) for passage in found]


def test_headings_become_title_and_section(script: Any) -> None:
    text = """
        The title
        *********

        A paragraph of
        two lines.


        A section
        =========

        Another one.
    """
    (first, second) = script.passages("topic", dedent(text).strip("\n"))
    assert (first.title, first.section) == ("The title", "")
    assert first.parts == ["A paragraph of\ntwo lines."]
    assert (second.title, second.section) == ("The title", "A section")


def test_code_belongs_to_the_sentence_before_it_and_the_sentence_goes_on(script: Any) -> None:
    text = """
        This is as if

           del x

        was translated to

           remove(x)

        A new sentence.
    """
    assert cut(script, text) == [
        ("", "This is as if\n\n   del x\n\nwas translated to\n\n   remove(x)"),
        ("", "A new sentence."),
    ]


def test_a_method_goes_with_its_first_paragraph_and_names_the_section_of_all(script: Any) -> None:
    text = """
        str.upper()

           Return a copy in capitals.

           Some letters have none of them.

        After the method.
    """
    assert cut(script, text) == [
        ("str.upper()", "str.upper()\n\nReturn a copy in capitals."),
        ("str.upper()", "Some letters have none of them."),
        ("", "After the method."),
    ]


def test_each_row_of_a_table_stands_alone(script: Any) -> None:
    text = """
        The operations are these.

        +---------+----------------+
        | Name    | Meaning        |
        |=========|================|
        | "a"     | the first of   |
        |         | them           |
        +---------+----------------+
        | "b"     |                |
        +---------+----------------+
    """
    assert cut(script, text) == [
        ("", "The operations are these."),
        ("", '"a": the first of them'),
        ("", '"b"'),
    ]


def test_short_items_and_version_notes_join_what_is_before_them(script: Any) -> None:
    text = """
        These are the kinds:

        * red

        * an item that is long enough to say something by itself

        New in version 3.5.
    """
    assert cut(script, text) == [
        ("", "These are the kinds:\n\n* red"),
        ("", "* an item that is long enough to say something by itself\n\nNew in version 3.5."),
    ]


def test_the_committed_file_is_well_formed() -> None:
    documents = [
        json.loads(line)
        for line in (FOLDER / "python-topics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len({document["id"] for document in documents}) == len(documents) == 1848
    assert len({document["tags"]["topic"] for document in documents}) == 79
    assert all(document["text"].strip() for document in documents)


def test_the_committed_file_is_what_the_script_writes(script: Any) -> None:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the file is cut from CPython 3.11's topics; other versions have other words")
    from pydoc_data.topics import topics

    if hashlib.sha256(json.dumps(topics, sort_keys=True).encode()).hexdigest() != TOPICS_SHA256:
        pytest.skip("the topics of this Python differ from those of CPython 3.11.7")
    written = script.OUTPUT.read_text(encoding="utf-8")
    assert "".join(script.lines(topics)) == written
