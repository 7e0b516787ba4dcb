"""Text of others on a terminal: it can be read, and does nothing."""

from __future__ import annotations

import pytest

from jina.launch.events import Output
from jina.terminal_text import cell, escaped, one_line, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 漢字 👩‍🚀", "plain ü 漢字 👩‍🚀"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        ("\x9b2J", "\\x9b2J"),
        ("a\rb\bc\x00\x7f", "a\\x0db\\x08c\\x00\\x7f"),
        ("exe\u202efdp.txt\u2066\u2028", "exe\\u202efdp.txt\\u2066\\u2028"),
        ("byte\udcff.yml", "byte\\udcff.yml"),
        # Colours of a user's own logs stay, and end with the text.
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[1;38;5;9mred", "\x1b[1;38;5;9mred\x1b[0m"),
        ("\x1b[31mred\x1b[6n", "\x1b[31mred\\x1b[6n\x1b[0m"),
    ],
)
def test_controls_are_shown_and_colours_stay(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_bar_that_is_drawn_over_shows_its_last_state() -> None:
    assert Output(worker="a/0", text="  1%\r 50%\r100%").as_text() == "a/0 | 100%"


@pytest.mark.parametrize(
    ("text", "drawn", "quotation", "in_a_table"),
    [
        ("plain ü 漢字", "plain ü 漢字", "plain ü 漢字", "plain ü 漢字"),
        ("a\tb\nc", "a\\tb\\nc", "a b\\nc", "a b c"),
        ("a\xa0b", "a\\xa0b", "a b", "a\ufffdb"),
        ("\x1b[2J", "\\x1b[2J", "\\x1b[2J", "\ufffd[2J"),
        ("\u202e", "\\u202e", "\\x202e", "\ufffd"),
        ("two  spaces ", "two  spaces ", "two  spaces ", "two spaces"),
    ],
)
def test_a_name_a_line_of_a_file_and_a_value_each_have_their_form(
    text: str, drawn: str, quotation: str, in_a_table: str
) -> None:
    assert one_line(text) == drawn
    assert quoted(text) == quotation
    assert cell(text) == in_a_table
