"""Which known name somebody may have meant: the logic behind every "did you mean".

It finds the name. The wording is up to the code that found the mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from os.path import splitext

MAX_LETTERS = 100  # of a name that `near_name` compares; the cost grows with the square of it


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """The known name that is most like a word; empty when none is near.

    Args:
        word: what was written.
        known: what could have been meant; where several are equally near, the greatest is taken.
        cutoff: how much must be alike, from 0 to 1.
    """
    return _nearest(word, tuple(known), cutoff)


def near_name(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Like `nearest`, for files that may hold thousands of mistakes: long names are left out."""
    if len(word) > MAX_LETTERS:
        return ""
    return nearest(word, (name for name in known if len(name) <= MAX_LETTERS), cutoff=cutoff)


@lru_cache(maxsize=256)
def _nearest(word: str, names: tuple[str, ...], cutoff: float) -> str:
    # Late: only an error path compares names.
    import difflib

    close = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    return close[0] if close else ""


def near_file(wanted: str, names: Iterable[str]) -> str:
    """The file name that is most like the one wanted; empty when none is near.

    Only the part before the ending is compared: most files in a folder end alike, and `foo.yml` is
    not a misspelt `all.yml`.

    Args:
        wanted: a file name without its folder.
        names: the files that exist.
    """
    stems: dict[str, str] = {}
    for name in sorted(names):
        stems.setdefault(splitext(name)[0].lower(), name)
        if name.lower() == wanted.lower():
            return name
    stem = splitext(wanted)[0].lower()
    if stem in stems:
        return stems[stem]
    off_by_one = (known for known in stems if _is_a_letter_off(stem, known))
    close = nearest(stem, stems, cutoff=0.75) or next(off_by_one, "")
    return stems[close] if close else ""


def _is_a_letter_off(one: str, other: str) -> bool:
    """Whether two short names differ in one letter: there, a share of alike letters says little."""
    if min(len(one), len(other)) < 2:
        return False
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))
