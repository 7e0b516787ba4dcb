"""What plain YAML values mean."""

from __future__ import annotations

import math

import pytest

from jina.config.scalars import kind, plain_value, suspicion


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", True),
        ("No", False),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("-3", -3),
        ("+5", 5),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e5", 100000.0),
        ("-1E-2", -0.01),
        ("017", "017"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2026-11-23", "2026-11-23"),
        ("0b11", "0b11"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
        ("None", "None"),
        ("1e", "1e"),
        ("٣", "٣"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_a_plain_value_is_read_as_yaml_1_2_with_two_differences(text: str, value: object) -> None:
    found = plain_value(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read() -> None:
    found = plain_value(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_a_number_of_thousands_of_digits_is_text() -> None:
    """Python itself refuses to convert it."""
    assert plain_value("9" * 5000) == "9" * 5000


@pytest.mark.parametrize("text", ["yes", "NO", "017", "1_000", "12:30:00", "2026-11-23", "0b11"])
def test_what_other_readers_see_otherwise_is_suspicious(text: str) -> None:
    assert suspicion(text)[0]


@pytest.mark.parametrize("text", ["true", "on", "17", "1.5", "name", "1e5", "a:b", ""])
def test_what_all_readers_agree_on_is_not(text: str) -> None:
    assert suspicion(text) == ("", "")


def test_values_are_named_in_words() -> None:
    assert kind(None) == "nothing"
    assert kind(True) == "the boolean true"
    assert kind(3) == "the number 3"
    assert kind("x" * 99) == f"the text {'x' * 40!r}"
    assert (kind({}), kind([]), kind(object)) == ("a map", "a list", "a type")
    assert kind(object()) == "an object"
