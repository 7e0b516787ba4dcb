"""Which known name may have been meant by an unknown one.

A file with thousands of mistakes is told about as quickly as one with a few: long names are not
compared, and what was compared once is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

MAX_LETTERS = 100  # of a name that is compared; to compare long ones costs the square of it


def near_name(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The nearest of the known names; empty where none is near.

    Args:
        word: what was written.
        known: what could have been meant; of equally near ones the first is taken.
        cutoff: how much must be alike, from 0 to 1.
    """
    if len(word) > MAX_LETTERS:
        return ""
    return _nearest(word, tuple(name for name in known if len(name) <= MAX_LETTERS), cutoff)


@lru_cache(maxsize=256)
def _nearest(word: str, names: tuple[str, ...], cutoff: float) -> str:
    # Late: only an error path compares names.
    import difflib

    close = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    return close[0] if close else ""
