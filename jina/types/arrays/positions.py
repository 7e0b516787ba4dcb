"""Find the Documents of a key: a position, an id, a list of them or a mask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jina.excepts import BadDocType
from jina.records.mapping import kind_of


def is_position(key: Any) -> bool:
    """Whether this is a single whole number; arrays of them and booleans are not."""
    if not hasattr(key, "__index__") or isinstance(key, bool):
        return False
    if not hasattr(key, "__len__"):
        return True
    # A numpy array without dimensions has a `__len__` that raises.
    kind = getattr(getattr(key, "dtype", None), "kind", "")
    return kind in ("i", "u") and getattr(key, "ndim", 1) == 0


def is_iterable(value: Any) -> bool:
    """Whether this can be iterated over; an array without dimensions only looks as if it could."""
    return hasattr(value, "__iter__") and getattr(value, "ndim", 1) > 0


def find_positions(key: Any, count: int, of_id: Callable[[str], int]) -> list[int]:
    """Return the positions that a list or a boolean mask selects.

    Args:
        key: positions or ids in any iterable, or one boolean for each Document.
        count: how many Documents there are.
        of_id: returns the position of an id.

    Raises:
        IndexError: no such position, a mask of another length, or something else.
        KeyError: no such id.
    """
    is_row = is_iterable(key) and getattr(key, "ndim", 1) == 1
    if isinstance(key, (bool, float, bytes)) or not is_row:
        raise IndexError(f"use a position, an id or a slice, not {key!r}")
    items = list(key)
    if not _is_mask(items):
        return [
            of_id(item) if isinstance(item, str) else find_position(item, count) for item in items
        ]
    if len(items) != count:
        raise IndexError(f"a mask of {len(items)} values for {count} Documents")
    return [i for i, item in enumerate(items) if item]


def _is_mask(items: list[Any]) -> bool:
    kinds = {getattr(getattr(item, "dtype", None), "kind", "") for item in items}
    return bool(items) and (all(isinstance(item, bool) for item in items) or kinds == {"b"})


def find_position(key: Any, count: int) -> int:
    """Return a position as counted from the start.

    Raises:
        IndexError: no such position, or something else.
    """
    if not is_position(key):
        raise IndexError(f"use a position, an id or a slice, not {key!r}")
    try:
        return range(count)[int(key)]
    except IndexError:
        raise IndexError(f"position {key} is out of range: there are {count} Documents") from None


def several(docs: Any) -> Any:
    """Check that this can be iterated over as Documents can, and return it.

    Raises:
        BadDocType: it is one Document, or cannot be iterated over.
    """
    if not is_iterable(docs):
        raise BadDocType(
            f"{kind_of(docs)} where several Documents are expected",
            hint="put it in a list: [...]",
        )
    return docs


def check_elements(docs: list[Any], kind: type) -> None:
    """Refuse anything but Documents, or the records under them.

    Raises:
        BadDocType: names the first such element.
    """
    for position, doc in enumerate(docs):
        if not isinstance(doc, kind):
            raise BadDocType(
                f"element {position} is {kind_of(doc)}, no Document",
                hint="wrap it: Document(...)",
            )
