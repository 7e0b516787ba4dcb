"""Which file of a folder may have been meant by a name that is none of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from os.path import splitext


def near_file(wanted: str, names: Iterable[str]) -> str:
    """The nearest name, or empty where none is near.

    What stands before the ending is compared: most files of a folder end alike, and `foo.yml` is
    no slip for `all.yml`.

    Args:
        wanted: without its folder.
        names: of the files that there are.
    """
    stems: dict[str, str] = {}
    for name in sorted(names):
        stems.setdefault(splitext(name)[0].lower(), name)
        if name.lower() == wanted.lower():
            return name
    stem = splitext(wanted)[0].lower()
    if stem in stems:
        return stems[stem]
    close = difflib.get_close_matches(stem, stems, n=1, cutoff=0.75)
    close = close or [known for known in stems if _is_a_letter_off(stem, known)]
    return stems[close[0]] if close else ""


def _is_a_letter_off(one: str, other: str) -> bool:
    """Whether two short names differ in one letter: for those, a share says little."""
    if min(len(one), len(other)) < 2:
        return False
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return any(longer[:n] + longer[n + 1 :] == shorter for n in range(len(longer)))
