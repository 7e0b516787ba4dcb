"""List the set fields of a record, make a dict of it, copy it, and compare it with another."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from copy import copy
from functools import wraps
from math import isnan
from typing import Any, TypeVar, cast

import msgspec

from jina.excepts import DocumentError
from jina.records.batch import ChildRange
from jina.records.record import (
    CHILD_FIELDS,
    DEFAULTS,
    FIELDS,
    NO_TAGS,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    Live,
    OwnTags,
    Record,
)
from jina.records.score import NamedScore
from jina.records.tags import copied, read_tags
from jina.records.tensors import Cell, boxed, same

# Fields that may be set to a false value: a weight of 0.0 that was set is not the default object.
_MAY_BE_FALSY = frozenset({"text", "buffer", "weight"})

_F = TypeVar("_F", bound=Callable[..., Any])


def children(value: Any) -> list[Record]:
    """Return the Records of chunks or matches in any of their forms."""
    if value is None:
        return []
    if type(value) is list:
        return value
    records: list[Record] = value._records()
    return records


def tensor(value: Any) -> Any:
    """Return the array of a blob or an embedding in any of its forms; None if it is unset."""
    return value.get() if type(value) is Cell else value


def decoded(name: str, value: Any) -> Any:
    """Return a field's value, decoded and unwrapped; None if it is unset or an empty container."""
    if value is DEFAULTS[name]:
        return None
    if name == "tags":
        return read_tags(value) or None
    if name in TENSOR_FIELDS:
        return tensor(value)
    if name in CHILD_FIELDS:
        return children(value) or None
    if type(value) is Live:
        value = value.value
    if name in _MAY_BE_FALSY:
        return value
    return value or None


def set_fields(record: Record) -> list[str]:
    """Return the names of the fields that are set, in their order."""
    return [name for name in FIELDS if decoded(name, getattr(record, name)) is not None]


def _bounded(function: _F) -> _F:
    """Raise a DocumentError where nesting is too deep for Python."""

    @wraps(function)
    def bounded(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except RecursionError as err:
            raise DocumentError(
                "a Document is nested too deeply in its chunks, matches or tags"
            ) from err

    return cast("_F", bounded)


@_bounded
def as_dict(record: Record, tensors: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the set fields of a record as plain values.

    Args:
        record: stays as it is.
        tensors: makes a plain value of an array or a sparse matrix.

    Returns:
        A new dict; buffers as base64 text, chunks and matches as lists of such dicts.

    Raises:
        DocumentError: children are nested too deeply.
    """
    return _as_dict(record, tensors)


def _as_dict(record: Record, tensors: Callable[[Any], Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in FIELDS:
        value = decoded(name, getattr(record, name))
        if value is None:
            continue
        if name in {"tags", "location"}:
            value = copied(value)
        elif name in TENSOR_FIELDS:
            value = tensors(value)
        elif name == "buffer":
            value = b64encode(value).decode("ascii")
        elif name in SCORE_FIELDS:
            value = {key: msgspec.to_builtins(score) for key, score in value.items()}
        elif name in CHILD_FIELDS:
            value = [_as_dict(child, tensors) for child in value]
        fields[name] = value
    return fields


@_bounded
def detached(record: Record) -> Record:
    """Return a deep copy that shares no memory with the record or the message it came in.

    Raises:
        DocumentError: children are nested too deeply.
    """
    return _detached(record)


def _detached(record: Record) -> Record:
    new = copy(record)
    tags = record.tags
    if type(tags) is Live:
        new.tags = Live(copied(tags.value))
    elif isinstance(tags, OwnTags):
        new.tags = Live(read_tags(tags))
    elif tags is not NO_TAGS:
        new.tags = msgspec.Raw(bytes(tags))
    for name in TENSOR_FIELDS:
        value = tensor(getattr(record, name))
        setattr(new, name, None if value is None else boxed(value.copy()))
    value = record.location
    new.location = Live(list(value.value)) if type(value) is Live else copied(value) or None
    for name in SCORE_FIELDS:
        setattr(new, name, copied_scores(getattr(record, name)))
    for name in CHILD_FIELDS:
        rows = children(getattr(record, name))
        setattr(new, name, [_detached(child) for child in rows] if rows else None)
    return new


def shallow(record: Record) -> Record:
    """Return a copy with its own fields, tags, scores and lists; it shares tensors and children."""
    new = copy(record)
    if type(new.tags) is Live:
        new.tags = Live(copied(new.tags.value))
    if new.location is not None:
        place = new.location
        new.location = list(place.value if type(place) is Live else place) or None
    if new.scores is not None:
        new.scores = copied_scores(new.scores)
    if new.evaluations is not None:
        new.evaluations = copied_scores(new.evaluations)
    if new.chunks is not None and type(new.chunks) is not ChildRange:
        new.chunks = list(children(new.chunks)) or None
    if new.matches is not None and type(new.matches) is not ChildRange:
        new.matches = list(children(new.matches)) or None
    return new


def copied_scores(value: Any) -> Any:
    """Return scores in any of their forms as a plain dict of copies, or None."""
    if type(value) is Live:
        value = value.value
    return {name: _copied_score(score) for name, score in value.items()} if value else None


def _copied_score(score: Any) -> Any:
    new = copy(score)
    new.operands = [_copied_score(operand) for operand in score.operands]
    return new


@_bounded
def equal(left: Record, right: Record) -> bool:
    """Whether two records have the same content in every field, children included.

    Raises:
        DocumentError: children are nested too deeply.
    """
    return _equal(left, right)


def _equal(left: Record, right: Record) -> bool:
    if left is right:
        return True
    for name in FIELDS:
        one, two = getattr(left, name), getattr(right, name)
        if one is two or (name == "weight" and one == two):
            continue
        one, two = decoded(name, one), decoded(name, two)
        if name in TENSOR_FIELDS:
            is_equal = same(one, two)
        elif name in CHILD_FIELDS:
            one, two = one or [], two or []
            is_equal = len(one) == len(two) and all(map(_equal, one, two))
        else:
            is_equal = _equal_values(one, two)
        if not is_equal:
            return False
    return True


def _equal_values(one: Any, two: Any) -> bool:
    """Whether two values are equal; NaN equals NaN, and arrays are compared element by element."""
    try:
        if one == two:
            return True
    except ValueError:  # from numpy: two arrays compared by == give an array
        pass
    if isinstance(one, NamedScore) and isinstance(two, NamedScore):
        one, two = msgspec.structs.astuple(one), msgspec.structs.astuple(two)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_equal_values(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)):
        return len(one) == len(two) and all(map(_equal_values, one, two))
    if hasattr(one, "dtype") and hasattr(two, "dtype"):
        return same(one, two)
    return isinstance(one, float) and isinstance(two, float) and isnan(one) and isnan(two)
