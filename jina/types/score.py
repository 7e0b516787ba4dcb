"""One score of a Document, with the words that explain it."""

from __future__ import annotations

from typing import Any

import msgspec


class NamedScore(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A number that says how well something fits.

    Args:
        value: the score itself; float64.
        op_name: how it was computed, such as `cosine`.
        description: free text.
        ref_id: id of the Document that this score refers to.
        operands: the scores that this one was computed from.
    """

    value: float = 0.0
    op_name: str = ""
    description: str = ""
    ref_id: str = ""
    operands: list[NamedScore] = []


class Scores(dict[str, NamedScore]):
    """Scores by name. A plain number that is assigned becomes a NamedScore."""

    __slots__ = ()

    def __setitem__(self, name: str, score: Any) -> None:
        """Store a NamedScore as it is, a mapping by its fields, a number as its value."""
        super().__setitem__(name, as_score(score))


def as_score(value: Any) -> NamedScore:
    """Return `value` as a NamedScore.

    Raises:
        TypeError: neither a NamedScore, a mapping of its fields, nor a number.
    """
    if isinstance(value, NamedScore):
        return value
    if isinstance(value, dict):
        return msgspec.convert(value, NamedScore)
    try:
        return NamedScore(float(value))
    except (TypeError, ValueError) as err:
        raise TypeError(f"a score is a number or a NamedScore, not {type(value).__name__}") from err
