"""Turn English text into word stems, and a query into weighted stems.

It knows nothing of vectors. The lists are about English and the way people phrase questions, not
about any particular collection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_WORD = re.compile(r"[^\W_]+")

# Words that hold a sentence together. They are in every passage, so they tell none apart.
STOP_WORDS = frozenset(
    _WORD.findall("""
    a an and are as at be been being but by can could did do does doing for from had has have having
    how i in into is it its itself me my of on or our should so some such than that the their them
    then there these they this those to too was we were what when where which who whom whose why
    will with would you your
    """)
)

# Words that ask, rather than name a subject. They are left out only of queries: a passage may be
# about "use" or "write".
QUESTION_WORDS = frozenset(
    _WORD.findall("""
    difference example explain get gets happen happens help kind make makes made mean means need
    please possible python run show something sure tell thing use used uses using want way work
    works write written
    """)
)

_VOWEL = re.compile(r"[aeiouy]")
_DERIVED = ("ational", "ate"), ("ization", "ize"), ("fulness", "ful"), ("ousness", "ous")
_INFLECTED = "ing", "ed"
_ENDINGS = (
    "ation",
    "ition",
    "ment",
    "ness",
    "ance",
    "ence",
    "able",
    "ible",
    "ion",
    "er",
    "or",
    "al",
    "ly",
    "ive",
    "ous",
)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case: runs of letters and digits of any script."""
    return _WORD.findall(text.lower())


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Cut a lower-case word down to what its forms share: "slicing" and "slices" become "slic".

    A light form of Porter's rules: first plural, -ing and -ed, then one derivational ending, then a
    final e or y. Words of up to three letters stay as they are.
    """
    if len(word) <= 3:
        return word
    for ending, shorter in _DERIVED:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + shorter
            break
    word = _singular(word)
    for ending in _INFLECTED:
        start = word[: -len(ending)]
        if word.endswith(ending) and len(start) >= 3 and _VOWEL.search(start):
            is_doubled = len(start) > 3 and start[-1] == start[-2] and start[-1] not in "lsz"
            word = start[:-1] if is_doubled else start
            break
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(text: str) -> list[str]:
    """Return the stems of a passage in order, without stop words."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


class Synonyms:
    """Words that may replace one another in queries.

    Args:
        groups: words with about the same meaning; a word may be in several groups.
    """

    def __init__(self, groups: Iterable[Iterable[str]] = ()) -> None:
        self._others: defaultdict[str, set[str]] = defaultdict(set)
        for group in groups:
            found = {stem(word) for word in group}
            for one in found:
                self._others[one] |= found - {one}

    @classmethod
    def read(cls, path: Path) -> Synonyms:
        """Read a file with one group of words per line; `#` starts a comment."""
        lines = (line.split("#", 1)[0] for line in path.read_text(encoding="utf-8").splitlines())
        return cls(words(line) for line in lines)

    def of(self, word: str) -> frozenset[str]:
        """Return the other stems that may replace this stem."""
        return frozenset(self._others.get(word, ()))


def query_weights(text: str, synonyms: Synonyms, synonym_weight: float) -> dict[str, float]:
    """Return stem -> weight for a query: 1 for its own words, `synonym_weight` for their synonyms.

    Words that only phrase the question are left out, unless nothing else remains.
    """
    kept = [word for word in words(text) if word not in STOP_WORDS]
    kept = [word for word in kept if word not in QUESTION_WORDS] or kept
    weights = dict.fromkeys((stem(word) for word in kept), 1.0)
    if synonym_weight > 0:
        for word in list(weights):
            for other in synonyms.of(word):
                weights.setdefault(other, synonym_weight)
    return weights
