"""The words of a text: counted, turned into numbers, and back into a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def counted(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each word occurs in the texts, in the order in which they first do."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in _words(text):
            counts[word] = counts.get(word, 0) + 1
    return counts


def numbers(text: str, vocab: dict[str, int], max_length: int | None) -> list[int]:
    """Return the number of each word; 1 for other words, 0 in front up to the length."""
    found = [vocab.get(word, 1) for word in _words(text)]
    if max_length is None:
        return found
    return [0] * (max_length - len(found)) + found[:max_length]


def joined(numbers: Iterable[Any], vocab: dict[str, int], delimiter: str) -> str:
    """Return the words that have these numbers as a text; numbers without a word are left out."""
    words = {number: word for word, number in vocab.items()}
    found = [words.get(int(number), "") for number in numbers]
    return delimiter.join(word for word in found if word)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
