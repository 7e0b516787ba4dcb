"""Which values are shown masked."""

from __future__ import annotations

import pytest

from jina.config.secrets import MASK, looks_secret, masked


@pytest.mark.parametrize(
    "name",
    ["token", "API_KEY", "dbPassword", "client-secret", "OPENAI_API_KEY", "apiKey", "key", "PWD"],
)
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["monkey", "keyboard", "batch", "tokenizer", "max_size", "author"])
def test_other_names(name: str) -> None:
    assert not looks_secret(name)


def test_values_are_hidden_and_what_says_nothing_is_not() -> None:
    data = {
        "token": "abc",
        "keys": ["a", 1],
        "password": None,
        "secret": "",
        "key": {"path": "x", "inner_key": 5},
        "url": "redis://me:pw@host/0",
        "list": [{"api_key": "x"}],
        "other": "shown",
    }
    assert masked(data, {("other",)}) == {
        "token": MASK,
        "keys": [MASK, MASK],
        "password": None,
        "secret": "",
        "key": {"path": "x", "inner_key": MASK},
        "url": f"redis://me:{MASK}@host/0",
        "list": [{"api_key": MASK}],
        "other": MASK,
    }
