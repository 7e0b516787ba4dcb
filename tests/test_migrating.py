"""docs/migrating.md decides each argument of Jina 2 and 3, and the program decides it alike.

`tests/data/published_arguments.json` has the arguments that 2.0.24, 2.6.4 and 3.34 document or
parse, and in which of them each stands.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jina.client.older_arguments import IGNORED as IGNORED_CLIENT
from jina.client.older_arguments import REFUSED as REFUSED_CLIENT
from jina.config.older_keys import (
    IGNORED_NODE,
    IGNORED_OPTIONS,
    REFUSED_NODE,
    REFUSED_OPTIONS,
)
from jina.config.schema import (
    FlowOptions,
    NodeModel,
)
from jina.config.validation import known_keys

ROOT = Path(__file__).parents[1]
PUBLISHED = json.loads((ROOT / "tests" / "data" / "published_arguments.json").read_text())
PAGE = (ROOT / "docs" / "migrating.md").read_text()
DECIDED = {
    "Flow": (set(known_keys(FlowOptions)), IGNORED_OPTIONS, set(REFUSED_OPTIONS)),
    "add": (set(known_keys(NodeModel)), IGNORED_NODE, set(REFUSED_NODE)),
    "Client": ({"host", "port"}, IGNORED_CLIENT, set(REFUSED_CLIENT)),
}
HEADINGS = {
    "Flow": "## Arguments of `Flow`, ",
    "add": "## Arguments of `Flow.add`, ",
    "Client": "## Arguments of `Client`",
}


def told(kind: str) -> dict[str, str]:
    """Argument -> "works", "ignored" or "refused", as the page has it."""
    section = PAGE.partition(HEADINGS[kind])[2].partition("\n## ")[0]
    found: dict[str, str] = {}
    for line in section.splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) != 5 or "`" not in cells[1]:
            continue
        meaning = cells[3].strip()
        word = "refused" if meaning.startswith("**refused**") else meaning.partition(":")[0]
        word = word if word in ("refused", "ignored") else "works"
        for name in re.findall(r"`(\w+)`", cells[1]):
            assert name not in found, f"{name} stands twice"
            found[name] = word
    return found


@pytest.mark.parametrize("kind", sorted(DECIDED))
def test_every_argument_is_decided_on_the_page(kind: str) -> None:
    assert PUBLISHED[kind].keys() <= told(kind).keys()


@pytest.mark.parametrize("kind", sorted(DECIDED))
def test_the_page_says_what_the_program_does(kind: str) -> None:
    works, ignored, refused = DECIDED[kind]
    for name, word in told(kind).items():
        assert (name in works, name in ignored, name in refused) == (
            word == "works",
            word == "ignored",
            word == "refused",
        ), name
