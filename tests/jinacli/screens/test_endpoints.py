"""The table of endpoints, and what stands below its rows."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from jina.wire.described import Parameter
from jinacli.screens import columns, endpoints
from jinacli.screens.endpoints import Row, endpoints_table, in_words

ROWS = [
    Row(
        "/search",
        "indexer",
        "Indexer.search",
        "indexer.py:12",
        "Find what is near.\n\nMore of it.",
        (Parameter("top_k", 10, "int"), Parameter("key", is_required=True)),
        "Keeps\nvectors.",
    ),
    Row("/bare", "tail"),
]


def test_each_row_has_its_details_below() -> None:
    assert endpoints_table(ROWS) == (
        "ENDPOINT  EXECUTOR  METHOD          WRITTEN AT\n"
        "/search   indexer   Indexer.search  indexer.py:12\n"
        "    Find what is near.\n"
        "    parameters: top_k: int = 10, key (required)\n"
        "/bare     tail\n"
        "\n"
        "indexer: Keeps vectors."
    )


def test_where_it_does_not_fit_everything_stands_below_the_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (columns, endpoints):
        monkeypatch.setattr(module, "screen_width", lambda stream=None: 30)
    told = endpoints_table(ROWS)
    assert told.splitlines()[4:] == [
        "/search",
        "  indexer",
        "  Indexer.search",
        "  indexer.py:12",
        "  Find what is near.",
        "  parameters: top_k: int = 10,",
        "  key (required)",
        "/bare",
        "  tail",
        "",
        "indexer: Keeps vectors.",
    ]


def test_what_comes_from_others_steers_no_terminal() -> None:
    told = endpoints_table([Row("/x", "a", doc="\x1b[31mred", about="\x1b]0;title")])
    assert "\x1b" not in told
    assert "red" in told


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (Parameter("x"), "x"),
        (Parameter("x", None), "x = null"),
        (Parameter("x", "all", "str"), 'x: str = "all"'),
        (Parameter("x", UNSET, "int", True), "x: int (required)"),
        (Parameter("x", "long " * 30), f'x = "{("long " * 30)[:59]}…'),
    ],
)
def test_a_parameter_in_words(parameter: Parameter, words: str) -> None:
    assert in_words(parameter) == words
