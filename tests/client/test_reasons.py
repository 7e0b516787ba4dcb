"""The first reasons of what failed: each once, whatever it is about."""

from __future__ import annotations

import json

import pytest

from jina.client.reasons import note_reasons


def line(message: str, **more: str) -> bytes:
    return (
        json.dumps({**more, "error": {"type": "ValueError", "message": message}}).encode() + b"\n"
    )


@pytest.mark.parametrize(
    "lines",
    [
        [line("3 is too small"), line("-12.5 is too small"), line("1e-07 is too small")],
        [line("ab-cd-ef has no text", id="ab-cd-ef"), line("x-yz-abc has no text", id="x-yz-abc")],
        [line("a bad mood", id="bad"), line("a bad mood", id="mood")],
        [line("a.png: no image", uri="a.png"), line("b.png: no image", uri="b.png")],
    ],
)
def test_reasons_that_differ_in_what_they_are_about_are_one(lines: list[bytes]) -> None:
    reasons: dict[str, str] = {}
    note_reasons(reasons, b"".join(lines))
    first = json.loads(lines[0])["error"]["message"]
    assert list(reasons.values()) == [f"ValueError: {first}"]


def test_other_reasons_are_kept_up_to_three() -> None:
    reasons: dict[str, str] = {}
    note_reasons(reasons, b"".join(line(f"no {name}") for name in "abcde"))
    assert list(reasons.values()) == [f"ValueError: no {name}" for name in "abc"]
