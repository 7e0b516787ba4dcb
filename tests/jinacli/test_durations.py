"""Durations on the command line."""

from __future__ import annotations

import pytest
import typer

from jinacli.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("500ms", 0.5),
        ("2m", 120),
        ("2min", 120),
        ("1h", 3600),
        ("1.5s", 1.5),
        (".5", 0.5),
        ("7", 7),
        (" 3 S ", 3),
    ],
)
def test_units(text: str, seconds: float) -> None:
    assert seconds_of(text, "--x") == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "soon", "1d", "-1", "1e9", "nan", "inf", "0", "0.1ms", "9999999h", "1s2", "٣s"],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds_of(text, "--x")


def test_none_stays_none() -> None:
    assert seconds_of(None, "--x") is None
