"""The scores of a Document, and what is checked before they are sent."""

from __future__ import annotations

from typing import Any, NoReturn

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


class _Missing:
    """Stands for a score that does not exist; setting one of its fields creates it."""

    __slots__ = ("_name", "_scores")
    _name: str
    _scores: Scores

    def __init__(self, scores: Scores, name: str) -> None:
        object.__setattr__(self, "_scores", scores)
        object.__setattr__(self, "_name", name)

    def __getattr__(self, field: str) -> NoReturn:
        raise KeyError(self._name)

    def __setattr__(self, field: str, value: Any) -> None:
        score = self._scores.setdefault(self._name, NamedScore())
        setattr(score, field, value)


class Scores(dict[str, NamedScore]):
    """Scores by name. A plain number that is assigned becomes a NamedScore.

    As in Jina 2, `scores["a"].value = 3` works even if there is no "a". Reading creates nothing: a
    misspelt name is a KeyError, not a score of 0.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> _Missing:
        return _Missing(self, name)

    def __setitem__(self, name: str, score: Any) -> None:
        """Store a score, given as a NamedScore, as a mapping of its fields or as a number."""
        if not isinstance(name, str):
            raise TypeError(f"a score has a name, not {name!r}")
        super().__setitem__(name, as_score(score))

    def update(self, *others: Any, **scores: Any) -> None:
        """Store several scores."""
        for name, score in dict(*others, **scores).items():
            self[name] = score

    def setdefault(self, name: str, score: Any = 0.0) -> NamedScore:
        """Return a score; if it is missing, store `score` first."""
        if name not in self:
            self[name] = score
        return self[name]

    def __ior__(self, others: Any) -> Scores:  # type: ignore[override, misc] # numbers are taken
        """Store several scores."""
        self.update(others)
        return self


def as_score(value: Any) -> NamedScore:
    """Return `value` as a NamedScore.

    Raises:
        TypeError: neither a NamedScore, a mapping of its fields, nor a number.
    """
    if isinstance(value, NamedScore):
        return value
    if isinstance(value, dict):
        return msgspec.convert(_renamed(value), NamedScore)
    return NamedScore(_number(value))


_CAMEL = {"opName": "op_name", "refId": "ref_id"}  # as the JSON of Jina 2 has them


def _renamed(value: dict[Any, Any]) -> dict[Any, Any]:
    if _CAMEL.keys().isdisjoint(value):
        return value
    renamed = {_CAMEL.get(key, key): item for key, item in value.items()}
    if isinstance(operands := renamed.get("operands"), list):
        renamed["operands"] = [
            _renamed(each) if isinstance(each, dict) else each for each in operands
        ]
    return renamed


def _number(value: Any) -> float:
    try:
        if not isinstance(value, (str, bytes, bytearray)):
            return float(value)
    except (TypeError, ValueError):
        pass
    except OverflowError as err:
        raise TypeError("a score is a number in the range of float64") from err
    raise TypeError(f"a score is a number or a NamedScore, not {type(value).__name__}")


def checked(scores: dict[str, NamedScore]) -> dict[str, NamedScore]:
    """Return scores that users may have changed in a form that can be sent.

    Returns:
        The same dict if nothing has to change. Numbers of other types become floats.

    Raises:
        TypeError: a value that is not a score.
    """
    for name, score in scores.items():
        if type(name) is not str or not _is_valid(score):
            return {str(name): _valid(score) for name, score in scores.items()}
    return scores


def _is_valid(score: Any) -> bool:
    return (
        type(score) is NamedScore
        and type(score.value) is float
        and type(score.op_name) is type(score.description) is type(score.ref_id) is str
        and (not score.operands or all(map(_is_valid, score.operands)))
    )


def _valid(score: Any) -> NamedScore:
    score = as_score(score)
    for name in ("op_name", "description", "ref_id"):
        value = getattr(score, name)
        if not isinstance(value, str):
            raise TypeError(f"the `{name}` of a score is text, not {type(value).__name__}")
    return NamedScore(
        _number(score.value),
        str(score.op_name),
        str(score.description),
        str(score.ref_id),
        list(map(_valid, score.operands)),
    )


# Pickles name the public path of these classes. msgspec resolves annotations in the module that a
# class names, so it has to do that before the name changes.
msgspec.json.Decoder(NamedScore)
NamedScore.__module__ = Scores.__module__ = "jina.types.score"
# That module may not be loaded when others resolve them, so the class that they name is here.
NamedScore.__annotations__["operands"] = list[NamedScore]
