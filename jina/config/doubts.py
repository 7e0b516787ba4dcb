"""Which parts of a described Executor may not be all that was meant.

Where something is wrong, the rest is still looked at; but nothing is said that may only follow from
it: with a misspelt `with`, nobody knows which arguments are missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from jina.config.messages import near_key
from jina.config.tree import DataPath, Tree

# What the parser leaves out is not known. A list as a key can mean no section.
_LEFT_OUT = {
    "yaml-key": {"with", "metas", "requests"},
    "yaml-merge": {"with", "metas", "requests", "modules"},
    "duplicate-key": {"with", "metas", "requests", "modules"},
}


def doubts(tree: Tree, wrong: Iterable[DataPath], known: Iterable[str]) -> set[str]:
    """The doubtful parts of a map.

    Args:
        tree: where it stands.
        wrong: the keys in it that cannot be used, as paths from the map on.
        known: the keys that it may have.

    Returns:
        some of "with", "metas" and "requests"; "modules" where more may have to be imported;
        "class" where the class itself may be another one.
    """
    known = list(known)
    found: set[str] = set()
    for code, sections in _LEFT_OUT.items():
        found |= sections if code in tree.codes else set()
    for path in wrong:
        key = str(path[0])
        meant = key if key in known else near_key(key, known)
        section = meant.removeprefix("uses_").removeprefix("override_")
        is_whole = len(path) == 1
        if section in ("metas", "requests") or (section == "with" and is_whole):
            found.add(section)
        if section == "py_modules" or (
            section == "metas" and (is_whole or path[1] == "py_modules")
        ):
            found.add("modules")
        if meant in ("jtype", "uses") and is_whole:
            found.add("class")
    return found
