"""Make one list of records out of what several shards answered to one request.

Records with the same id become one, at the place of the first:

    a field            is that of the first shard that set it
    text, blob, buffer are one field: a Document has one content
    tags, scores       are put together key by key; the first shard that set a key wins
    chunks, matches    are strung together in the order of the shards; a child is left out if an
                       earlier shard gave one with its id

Records that only some shards gave stay. An id that one shard gave several times stays several
records: its first one is put together with the first one of the others, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from jina.records.record import (
    CHILD_FIELDS,
    CONTENT_FIELDS,
    DEFAULTS,
    FIELDS,
    SCORE_FIELDS,
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
        ours = children(own)
        ids = {child.id for child in ours}
        setattr(record, name, [*ours, *(child for child in children(value) if child.id not in ids)])
