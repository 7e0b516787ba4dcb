"""What a terminal shows of results."""

from __future__ import annotations

import msgspec

from jinacli.screens.documents import DocumentScreen


def test_what_an_error_says_in_lines_is_shown_in_lines() -> None:
    error = {"type": "ValueError", "message": "no embedding\nhelp: is an encoder before it?"}
    line = msgspec.json.encode({"id": "a", "error": error})
    assert DocumentScreen(colored=False).written(line).decode() == (
        "failed a\n  ValueError: no embedding\n  help: is an encoder before it?\n\n"
    )
