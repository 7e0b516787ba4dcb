"""What people read is plain English: no string and no page has a phrase that nobody says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each with what to write instead; a page or a message is read aloud before it goes in here.
PHRASES = {
    r"(?<!\bthere )\b(is|are|was|were) no "
    r"(?!(longer|more|less|limit|faster|slower)\b)": "is not a …",
    r"\bstands? (?!for\b|out\b)": "is in …, is here, appears",
    r"\bso many (seconds|lines|Documents)\b": "after SECONDS, N lines",
    r"\b(goes|go) on where\b": "resumes",
    r"\b(begins?|made|makes?) anew\b": "start over",
    r"\bfor ever\b": "forever",
    r"\bwhom?ever\b": "name who it is",
    r"\b(laid|lays|lay) over\b": "overrides, is merged into",
    r"\bstrung together\b": "concatenated",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bmeans nothing\b": "has no effect",
    r"\bknown are\b": "known: …",
    r"\bonce more (to|ends)\b": "again to",
    r"\bbe charged with\b": "be charged",
}
FOUND = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.IGNORECASE)


def python_strings(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module; its docstrings only where they are the help of commands."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and (id(node) not in alone or path.parent.name == "commands"):
            yield node.lineno, " ".join(node.value.split())


def page_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The paragraphs of a page, so that a phrase is found across the end of a line."""
    number = 1
    for paragraph in path.read_text("utf-8").split("\n\n"):
        yield number, " ".join(paragraph.split())
        number += paragraph.count("\n") + 2


def phrases_in(path: Path) -> list[str]:
    strings = python_strings(path) if path.suffix == ".py" else page_lines(path)
    return [
        f"{path.relative_to(ROOT)}:{line}: …{text[max(0, at.start() - 40) : at.end() + 20]}…"
        for line, text in strings
        for at in FOUND.finditer(text)
    ]


def read_by_people() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("executors/*/*.md")]
    files = [file for folder in ("jina", "jinacli") for file in (ROOT / folder).rglob("*.py")]
    return sorted([*pages, *files, ROOT / "flows" / "README.md"])


def test_no_page_and_no_string_has_a_phrase_that_nobody_says() -> None:
    found = [each for path in read_by_people() for each in phrases_in(path)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("byte 0xff is no UTF-8", True),
        ("there is no such file", False),
        ("it is no longer there", False),
        ("the key stands twice", True),
        ("what the letters stand for", False),
    ],
)
def test_what_is_found(text: str, is_found: bool) -> None:
    assert bool(FOUND.search(text)) == is_found
