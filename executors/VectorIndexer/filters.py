"""Turn the parameter `filter` of a search into a condition of SQL: which tags a match must have.

    {"lang": "en", "year": {"$gte": 2020}}          every key must hold
    {"$or": [{"lang": "en"}, {"lang": "de"}]}       $or, $and take a list, $not a filter
    {"author.name": {"$in": ["Ada", "Grace"]}}      a dot goes into a map

A list of tags fulfils a comparison if one of its items does. Numbers are compared with numbers and
texts with texts only. `$ne`, `$nin` and `{"$exists": false}` hold where the tag is missing, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_OPERATORS = ("$eq", "$ne", *_COMPARISONS, "$in", "$nin", "$exists")
_MOST = 500  # values and levels, far below the limits of SQLite


class Condition(NamedTuple):
    """A condition on the table `documents`, and the values of its question marks."""

    sql: str
    values: tuple[Any, ...]


def condition_of(given: Any) -> Condition | None:
    """Read a filter.

    Args:
        given: the parameter; None for no filter.

    Raises:
        ValueError: it is no filter; the message says which part of it.
    """
    if given is None or given == {}:
        return None
    parts = list(_conditions(given, 0))
    condition = _joined(parts, " AND ")
    if len(condition.values) > 2 * _MOST:
        raise ValueError(f"filter: more than {_MOST} values")
    return condition


def _conditions(given: Any, depth: int) -> Iterator[Condition]:
    if not isinstance(given, Mapping):
        raise ValueError(f"filter: expected a map such as {{'lang': 'en'}}, got {given!r}")
    if depth > 50:
        raise ValueError("filter: more than 50 levels deep")
    for key, value in given.items():
        if key in ("$and", "$or"):
            if not isinstance(value, list | tuple) or not value:
                raise ValueError(f"filter: {key} takes a list of filters, got {value!r}")
            parts = [_joined(list(_conditions(each, depth + 1)), " AND ") for each in value]
            yield _joined(parts, f" {key[1:].upper()} ")
        elif key == "$not":
            sql, values = _joined(list(_conditions(value, depth + 1)), " AND ")
            yield Condition(f"NOT {sql}", values)
        elif not isinstance(key, str) or key.startswith("$"):
            raise ValueError(f"filter: {key!r} is neither a tag nor $and, $or or $not")
        else:
            yield _tag(key, value)


def _tag(name: str, wanted: Any) -> Condition:
    if not isinstance(wanted, Mapping):
        return _holds(name, "$eq", wanted)
    if not wanted:
        raise ValueError(f"filter: {name}: an empty map; use one of {', '.join(_OPERATORS)}")
    return _joined([_holds(name, word, value) for word, value in wanted.items()], " AND ")


def _holds(name: str, operator: str, wanted: Any) -> Condition:
    where = f"filter: {name}"
    if operator not in _OPERATORS:
        raise ValueError(f"{where}: {operator!r} is not one of {', '.join(_OPERATORS)}")
    if operator == "$exists":
        if not isinstance(wanted, bool):
            raise ValueError(f"{where}: $exists takes true or false, got {wanted!r}")
        return _exists(name, wanted)
    if operator in ("$in", "$nin"):
        if not isinstance(wanted, list | tuple):
            raise ValueError(f"{where}: {operator} takes a list, got {wanted!r}")
        parts = [_same(where, each) for each in wanted]
        sql, values = _joined(parts, " OR ") if parts else Condition("0", ())
        return _any(name, sql, values, is_not=operator == "$nin")
    if operator in ("$eq", "$ne"):
        return _any(name, *_same(where, wanted), is_not=operator == "$ne")
    kind, value = _kind(where, wanted)
    if kind == "bool":
        raise ValueError(f"{where}: {operator} takes a number or a text, got {wanted!r}")
    return _any(name, f"{_IS[kind]} AND value {_COMPARISONS[operator]} ?", (value,))


_IS = {
    "number": "type IN ('integer', 'real')",
    "text": "type = 'text'",
    "bool": "type IN ('true', 'false')",
}


def _same(where: str, wanted: Any) -> Condition:
    kind, value = _kind(where, wanted)
    return Condition(f"({_IS[kind]} AND value = ?)", (value,))


def _kind(where: str, value: Any) -> tuple[str, Any]:
    if value is None:
        raise ValueError(f"{where}: for a tag that is missing or null, write {{'$exists': false}}")
    if isinstance(value, bool):
        return "bool", int(value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return "number", value
    if isinstance(value, int | float):
        return "number", float(value)
    if isinstance(value, str):
        return "text", value
    raise ValueError(f"{where}: expected a number, a text, true or false, got {value!r}")


def _any(name: str, sql: str, values: tuple[Any, ...], *, is_not: bool = False) -> Condition:
    """Whether the tag, or an item of it if it is a list, fulfils a condition."""
    # json_each goes through a list and a map; of anything else it makes one row.
    rows = f"SELECT 1 FROM json_each(documents.document, ?) WHERE {sql}"
    return Condition(f"{'NOT ' if is_not else ''}EXISTS ({rows})", (_path(name), *values))


def _exists(name: str, wanted: bool) -> Condition:
    kind = "coalesce(json_type(documents.document, ?), 'null')"
    return Condition(f"{kind} {'<>' if wanted else '='} 'null'", (_path(name),))


def _path(name: str) -> str:
    """Where the tag stands in the JSON of a Document."""
    return "$.tags" + "".join(f'."{_quoted(part)}"' for part in name.split("."))


def _quoted(part: str) -> str:
    if not part or '"' in part:
        raise ValueError(f"filter: {part!r} cannot be the name of a tag in a filter")
    return part


def _joined(parts: list[Condition], word: str) -> Condition:
    if not parts:
        return Condition("(1)", ())
    sql = "(" + word.join(part.sql for part in parts) + ")"
    return Condition(sql, tuple(value for part in parts for value in part.values))
