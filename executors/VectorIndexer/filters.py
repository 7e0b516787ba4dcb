"""Turn the parameter `filter` of a search into SQL: the rows whose tags a match may have.

    {"lang": "en", "year": {"$gte": 2020}}          every key must hold
    {"$or": [{"lang": "en"}, {"lang": "de"}]}       $or, $and take a list, $not a filter
    {"author.name": {"$in": ["Ada", "Grace"]}}      a dot goes into a map

A list of tags fulfils a comparison if one of its items does. Numbers are compared with numbers and
texts with texts only. `$ne`, `$nin` and `{"$exists": false}` hold where the tag is missing, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tags import OTHER, typed

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_OPERATORS = ("$eq", "$ne", *_COMPARISONS, "$in", "$nin", "$exists")
_MOST = 500  # values, and
_DEEPEST = 20  # levels: far below the limits of SQLite


class Condition(NamedTuple):
    """A SELECT of the rows that fulfil it (some may come twice), and the values of its marks."""

    sql: str
    values: tuple[Any, ...]


class _Part(NamedTuple):
    """The rows of a condition or, of `is_not`, all others."""

    rows: Condition
    is_not: bool = False


_ALL = Condition("SELECT row FROM documents", ())


def condition_of(given: Any) -> Condition | None:
    """Read a filter.

    Args:
        given: the parameter; None for no filter.

    Raises:
        ValueError: it is no filter; the message says which part of it.
    """
    if given is None or given == {}:
        return None
    condition = _every(_parts(given, 0))
    if len(condition.values) > 3 * _MOST:
        raise ValueError(f"filter: more than {_MOST} values")
    return condition


def _parts(given: Any, depth: int) -> list[_Part]:
    """The parts of a filter, all of which must hold."""
    if not isinstance(given, Mapping):
        raise ValueError(f"filter: expected a map such as {{'lang': 'en'}}, got {given!r}")
    if depth > _DEEPEST:
        raise ValueError(f"filter: more than {_DEEPEST} levels deep")
    parts: list[_Part] = []
    for key, value in given.items():
        if key in ("$and", "$or"):
            if not isinstance(value, list | tuple) or not value:
                raise ValueError(f"filter: {key} takes a list of filters, got {value!r}")
            nested = [_every(_parts(each, depth + 1)) for each in value]
            parts += [_Part(_either(nested))] if key == "$or" else map(_Part, nested)
        elif key == "$not":
            parts.append(_Part(_every(_parts(value, depth + 1)), is_not=True))
        elif not isinstance(key, str) or not key or key.startswith("$"):
            raise ValueError(f"filter: {key!r} is neither a tag nor $and, $or or $not")
        else:
            parts += _tag(key, value)
    return parts


def _tag(name: str, wanted: Any) -> list[_Part]:
    if not isinstance(wanted, Mapping):
        return [_holds(name, "$eq", wanted)]
    if not wanted:
        raise ValueError(f"filter: {name}: an empty map; use one of {', '.join(_OPERATORS)}")
    return [_holds(name, word, value) for word, value in wanted.items()]


def _holds(name: str, operator: str, wanted: Any) -> _Part:
    where = f"filter: {name}"
    if operator not in _OPERATORS:
        raise ValueError(f"{where}: {operator!r} is not one of {', '.join(_OPERATORS)}")
    if operator == "$exists":
        if not isinstance(wanted, bool):
            raise ValueError(f"{where}: $exists takes true or false, got {wanted!r}")
        return _Part(_rows(name, "1", ()), is_not=not wanted)
    if operator in ("$in", "$nin"):
        if not isinstance(wanted, list | tuple):
            raise ValueError(f"{where}: {operator} takes a list, got {wanted!r}")
        return _Part(_rows(name, *_one_of(where, wanted)), is_not=operator == "$nin")
    if operator in ("$eq", "$ne"):
        return _Part(_rows(name, *_one_of(where, [wanted])), is_not=operator == "$ne")
    kind, value = _typed(where, wanted)
    if kind == "bool":
        raise ValueError(f"{where}: {operator} takes a number or a text, got {wanted!r}")
    return _Part(_rows(name, f"type = ? AND value {_COMPARISONS[operator]} ?", (kind, value)))


def _one_of(where: str, wanted: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    values = [_typed(where, each) for each in wanted]
    if len(values) == 1:  # quicker than a list of one
        return "type = ? AND value = ?", values[0]
    marks = ", ".join(["(?, ?)"] * len(values))
    return f"(type, value) IN (VALUES {marks})" if values else "0", tuple(sum(values, ()))


def _typed(where: str, value: Any) -> tuple[str, Any]:
    if value is None:
        raise ValueError(f"{where}: for a tag that is missing or null, write {{'$exists': false}}")
    if (found := typed(value)) == OTHER:
        raise ValueError(f"{where}: expected a number, a text, true or false, got {value!r}")
    return found


def _rows(name: str, sql: str, values: tuple[Any, ...]) -> Condition:
    return Condition(f"SELECT row FROM tags WHERE name = ? AND {sql}", (name, *values))


def _every(parts: Sequence[_Part]) -> Condition:
    """The rows for which all of the parts hold."""
    parts = sorted(parts, key=lambda part: part.is_not)  # begin with the rows of one that has some
    first = _ALL if not parts or parts[0].is_not else parts[0].rows
    others = parts if first is _ALL else parts[1:]
    if not others:
        return first
    tests = " AND ".join(f"row {'NOT ' * part.is_not}IN ({part.rows.sql})" for part in others)
    return _joined(
        f"SELECT row FROM ({first.sql}) WHERE {tests}", [first, *(p.rows for p in others)]
    )


def _either(conditions: Sequence[Condition]) -> Condition:
    return _joined(
        " UNION ALL ".join(f"SELECT row FROM ({each.sql})" for each in conditions), conditions
    )


def _joined(sql: str, conditions: Sequence[Condition]) -> Condition:
    return Condition(sql, tuple(value for each in conditions for value in each.values))
