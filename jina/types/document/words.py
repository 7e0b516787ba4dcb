"""Count the words of a text, turn them into numbers, and numbers into a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def counted(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each word occurs in the texts, in the order in which they first occur."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in _words(text):
            counts[word] = counts.get(word, 0) + 1
    return counts


def numbers(text: str, vocab: dict[str, int], max_length: int | None) -> list[int]:
    """Return the number of each word, 1 for other words, and 0 in front as padding."""
    known = [vocab.get(word, 1) for word in _words(text)]
    if max_length is None:
        return known
    return [0] * (max_length - len(known)) + known[:max_length]


def joined(numbers: Iterable[Any], vocab: dict[str, int], delimiter: str) -> str:
    """Return the words that have these numbers as a text; numbers without a word are left out."""
    words = {number: word for word, number in vocab.items()}
    chosen = [words.get(int(number), "") for number in numbers]
    return delimiter.join(word for word in chosen if word)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
