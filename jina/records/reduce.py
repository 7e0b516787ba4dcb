"""Make one list of records out of what several shards answered to one request.

Records with the same id become one, at the place of the first:

    a field            is that of the first shard that set it
    text, blob, buffer are one field: a Document has one content
    tags, scores       are put together key by key; the first shard that set a key wins
    chunks, matches    are concatenated in the order of the shards; a child is left out if an
                       earlier shard gave one with its id

Records that only some shards gave stay. An id that one shard gave several times stays several
records: its first one is put together with the first one of the others, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from jina.records.batch import CELLS, DENSE, Columns, RawColumn
from jina.records.record import (
    CHILD_FIELDS,
    CONTENT_FIELDS,
    DEFAULTS,
    FIELDS,
    SCORE_FIELDS,
    TENSOR_FIELDS,
    Live,
    Record,
)
from jina.records.record_ops import children, decoded
from jina.records.tags import live_tags, read_tags

_UNSET = tuple(DEFAULTS.values())
_MEMBERS = CHILD_FIELDS | SCORE_FIELDS | {"tags"}  # fields with members that are put together


def reduced(parts: Sequence[Sequence[Record]]) -> list[Record]:
    """Return one list of records; see above.

    Args:
        parts: the records of each shard, in the order of the shards. They are used up: records of
            the result are some of these, changed.
    """
    whole = list(parts[0]) if parts else []
    places: dict[str, list[Record]] = {}  # id -> its records in `whole`; made once it is needed
    for part in parts[1:]:
        if len(part) == len(whole) and all(
            one.id == other.id for one, other in zip(whole, part, strict=True)
        ):
            for record, other in zip(whole, part, strict=True):
                _merge(record, other)
            continue
        if not places:
            for record in whole:
                places.setdefault(record.id, []).append(record)
        seen: dict[str, int] = {}
        for other in part:
            nth = seen.get(other.id, 0)
            seen[other.id] = nth + 1
            same = places.setdefault(other.id, [])
            if nth < len(same):
                _merge(same[nth], other)
            else:
                same.append(other)
                whole.append(other)
    return whole


def reduced_columns(parts: Sequence[Columns]) -> Columns | None:
    """The same for batches that nobody has read, column by column.

    Most often every shard answers with the same ids, and what only some changed are few columns:
    those that are equal, byte for byte, are not decoded.

    Args:
        parts: of each shard; used up.

    Returns:
        None where it takes a look at each record.

    Raises:
        WireError: the columns of children are damaged.
    """
    whole = parts[0]
    if any(part.is_read or part.rows != whole.rows for part in parts):
        return None
    fields = dict.fromkeys(field for part in parts for field in part.columns)
    if len(fields.keys() & set(CONTENT_FIELDS)) > 1:
        return None
    columns: dict[str, Any] = {}  # those to replace
    for field in fields:
        having = [part for part in parts if field in part.columns]
        first = having[0].columns[field]
        if field in CHILD_FIELDS and len(having) > 1:
            columns[field] = [
                _strung(row) for row in zip(*(part.values(field) for part in having), strict=True)
            ]
        elif not all(_adds_nothing(first, part.columns[field]) for part in having[1:]):
            return None
        elif having[0] is not whole:
            columns[field] = having[0].tensor(field) if field in TENSOR_FIELDS else first
    for field, column in columns.items():
        whole.put(field, column)
    return whole


def _adds_nothing(first: Any, other: Any) -> bool:
    """Whether a column has nothing that the one of an earlier shard lacks."""
    if type(first) is not RawColumn or type(other) is not RawColumn:
        return False
    if first.kind == DENSE:
        return True  # every row is set
    return first.kind == other.kind != CELLS and bytes(first.data) == bytes(other.data)


def _strung(values: Sequence[Any]) -> list[Record] | None:
    """One row's children, those of several shards in their order."""
    given = [children(value) for value in values if value is not None]
    if len(given) < 2:
        return given[0] if given else None
    strung = list(given[0])
    for each in given[1:]:
        ids = {child.id for child in strung}
        strung += [child for child in each if child.id not in ids]
    return strung


def _merge(record: Record, other: Record) -> None:
    """Give a record what it lacks and another one has."""
    for name, value, unset in zip(FIELDS, astuple(other), _UNSET, strict=True):
        if value is unset or name == "id":
            continue
        own = getattr(record, name)
        if own is unset:
            if name not in CONTENT_FIELDS or _has_no_content(record):
                setattr(record, name, value)
        elif name in _MEMBERS:
            _merge_members(record, name, own, value)
        elif name not in CONTENT_FIELDS and decoded(name, own) is None:
            setattr(record, name, value)


def _has_no_content(record: Record) -> bool:
    return record.text is None and record.blob is None and record.buffer is None


def _merge_members(record: Record, name: str, own: Any, value: Any) -> None:
    """Put together the members of a field that both records have set."""
    if name == "tags":
        if type(own) is type(value) is msgspec.Raw and own == value:
            return  # as most often: every shard got the same tags and left them alone
        tags = live_tags(record)
        for key, tag in read_tags(value).items():
            tags.setdefault(key, tag)
    elif name in SCORE_FIELDS:
        scores = own.value if type(own) is Live else own
        for key, score in (value.value if type(value) is Live else value).items():
            scores.setdefault(key, score)
    else:
        setattr(record, name, _strung([own, value]))
