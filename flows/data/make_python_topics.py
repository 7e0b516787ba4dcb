"""Cut the language topics of CPython's own help into passages, one JSON object a line.

Run it with CPython 3.11 (`python flows/data/make_python_topics.py`): it reads `pydoc_data.topics`,
which comes with Python, and writes `python-topics.jsonl` beside itself. Nothing is downloaded.

A passage is a paragraph as a reader sees it. A code block belongs to the sentence that introduces
it, the name of a method or command to the first paragraph about it, and each row of a table stands
alone. Headings are no passages: they become the tags `title` and `section` of what is below them.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OUTPUT = Path(__file__).with_name("python-topics.jsonl")

SHORT_CHARACTERS = 48  # below this, a list item or a version note says nothing by itself

# Sphinx draws a heading as a title with a line of one of these below it.
_UNDERLINE = re.compile(r'([*=\-~^"])\1{2,}')
# The end of a sentence, a list or a lead-in: what the name of a method never ends with.
_STOP = (".", ":", ";", ",", "?", "!")


@dataclass
class Block:
    """Lines between two blank lines."""

    lines: list[str]

    @property
    def indent(self) -> int:
        """Columns before the first character of the least indented line."""
        return min(len(line) - len(line.lstrip()) for line in self.lines)

    @property
    def text(self) -> str:
        """The lines as they stand, without their common indent."""
        indent = self.indent
        return "\n".join(line[indent:].rstrip() for line in self.lines)


@dataclass
class Passage:
    """A paragraph and what belongs to it."""

    topic: str
    title: str
    section: str
    parts: list[str]

    def as_line(self, number: int) -> str:
        """Return the passage as a line of JSON, a Document of its own; its id counts from 1."""
        tags = {"topic": self.topic, "title": self.title}
        if self.section:
            tags["section"] = self.section
        document = {
            "id": f"{self.topic}-{number:03d}",
            "text": "\n\n".join(self.parts),
            "tags": tags,
        }
        return json.dumps(document, ensure_ascii=False) + "\n"


def blocks(text: str) -> list[Block]:
    """Cut a text at its blank lines."""
    found: list[Block] = []
    current: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.strip():
            current.append(line)
        elif current:
            if re.search(r"\w", "".join(current)):  # else it is a drawn line
                found.append(Block(current))
            current = []
    return found


def heading(block: Block) -> str:
    """Return the title when the block is a heading, else an empty string."""
    if block.text == "-[ Footnotes ]-":
        return "Footnotes"
    if len(block.lines) == 2 and _UNDERLINE.fullmatch(block.lines[1].strip()):
        return block.lines[0].strip()
    return ""


def is_prose(block: Block) -> bool:
    """Say whether the block reads as a sentence or a list item, rather than as code or grammar."""
    first = block.text.split("\n", 1)[0]
    if re.match(r"(\* |\d+\. |\[\d+\] )", first):
        return True
    if re.search(r"::=|\) -> |^[\w.]+ = ", first):
        return False
    return re.match(r'[A-Z"*\u2018\u201c(]', first) is not None and len(block.text.split()) >= 3


def is_term(block: Block, following: Block | None) -> bool:
    """Say whether the block names a method, attribute or command that the next block describes."""
    if following is not None and re.fullmatch(r"\w+( \w+)?( \w+)?:", block.text):
        return True  # "Note:", "Some examples:"
    if following is None or following.indent <= block.indent:
        return False
    if len({len(line) - len(line.lstrip()) for line in block.lines}) > 1:
        return False  # a list item or code, not a plain name
    text = block.text
    if text.endswith(_STOP) or text.startswith(("*", "+", ">>>")):
        return False
    # "This is as if" introduces code; "str.lower()" is described by prose.
    return is_prose(following)


def table_rows(block: Block) -> list[str]:
    """Return the rows of a drawn table, its cells joined by a colon; empty when it is no table.

    The heading row is left out: it says "Operation" and "Result", which answers nothing.
    """
    lines = block.text.split("\n")
    if not re.fullmatch(r"\+(-+\+)+", lines[0]):
        return []
    borders = [at for at, character in enumerate(lines[0]) if character == "+"]
    columns = list(itertools.pairwise(borders))
    rows: list[str] = []
    cells = [""] * len(columns)
    for line in lines[1:]:
        if line.startswith("|="):
            cells = [""] * len(columns)
        elif line.startswith("+"):
            rows.append(": ".join(cell for cell in cells if cell))  # an empty cell has no colon
            cells = [""] * len(columns)
        else:
            pieces = [line[start + 1 : end].strip() for start, end in columns]
            cells = [f"{cell} {piece}".strip() for cell, piece in zip(cells, pieces, strict=True)]
    return [row for row in rows if row]


def belongs(block: Block, last: Passage, last_indent: int) -> bool:
    """Say whether the block is no passage of its own but the end of the one before it.

    That is code below the sentence that introduces it, the rest of a sentence that code
    interrupted, a short item of a list, and a bare "New in version 3.5.".
    """
    if block.indent > last_indent and not is_prose(block) and not table_rows(block):
        return True
    if len(block.text) < SHORT_CHARACTERS and block.text.startswith(("* ", "New in ", "Changed ")):
        return True
    return block.indent == last_indent and re.match(r"[a-z]+ [a-z]", block.text) is not None


def passages(topic: str, text: str) -> Iterator[Passage]:
    """Yield the passages of one topic in reading order."""
    title = section = ""
    terms: list[tuple[int, str]] = []  # names of methods or commands that we are below, by indent
    pending: list[str] = []  # names that wait for their first paragraph
    last: Passage | None = None
    last_indent = 0
    found = blocks(text)
    for block, following in zip(found, [*found[1:], None], strict=True):
        name = heading(block)
        if last is not None and not name and belongs(block, last, last_indent):
            shift = " " * max(0, block.indent - last_indent)
            last.parts.append("\n".join(shift + line for line in block.text.split("\n")))
            continue
        if last is not None:
            yield last
            last = None
        if name:
            title, section = title or name, name
            terms, pending = [], []
            continue
        terms = [term for term in terms if term[0] < block.indent]
        if is_term(block, following):
            if not block.text.endswith(":"):
                terms.append((block.indent, " ".join(block.text.split())))
            pending.append(block.text)
            continue
        where = terms[-1][1] if terms else ("" if section == title else section)
        for row in table_rows(block):
            yield Passage(topic, title, where, [*pending, row])
            pending = []
        if not table_rows(block):
            last, last_indent = Passage(topic, title, where, [*pending, block.text]), block.indent
            pending = []
    if last is not None:
        yield last


def lines(topics: Mapping[str, str]) -> Iterator[str]:
    """Yield the JSON lines of all topics, in the order of their names."""
    for topic in sorted(topics):
        for number, passage in enumerate(passages(topic, topics[topic]), start=1):
            yield passage.as_line(number)


def main() -> int:
    """Write the file; refuse on another minor version, whose text differs."""
    if sys.version_info[:2] != (3, 11):
        print("make_python_topics.py: run it with CPython 3.11", file=sys.stderr)
        return 1
    # Late: the text is half a megabyte, and the tests of the functions above do without it.
    from pydoc_data.topics import topics

    OUTPUT.write_text("".join(lines(topics)), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
