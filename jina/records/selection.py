"""Which fields of Documents are written as results: some of them, or all but some."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from jina.excepts import DocumentError
from jina.records.mapping import KEYS
from jina.records.record import CONTENT_FIELDS, DEFAULTS, FIELDS, NO_TAGS, Live, Record
from jina.records.tables import TAG
from jina.records.tags import live_tags
from jina.suggest import nearest

#: Makes the record to write of a Document's record.
Selection = Callable[[Record], Record]


def names_of(words: Iterable[str]) -> list[str]:
    """The fields that words name, each once, in their order.

    Args:
        words: fields in snake or camel case, `content`, or `tags.KEY`.

    Raises:
        DocumentError: a word that names none of them; the hint has the nearest field.
    """
    names: dict[str, None] = {}
    for word in words:
        if word.startswith(TAG) and len(word) > len(TAG):
            names[word] = None
        elif word == "content":
            names.update(dict.fromkeys(CONTENT_FIELDS))
        elif word in KEYS:
            names[KEYS[word]] = None
        else:
            raise DocumentError(f'Documents have no field "{word}"', hint=_hint(word))
    return list(names)


def _hint(word: str) -> str:
    """What to write instead of a word that names no field."""
    whole, dot, _ = word.partition(".")
    if dot and whole in KEYS:
        return f'write "{whole}": only tags have parts that can be named, as in {TAG}price'
    near = nearest(word, (*KEYS, "content"))
    meant = f'did you mean "{near}"? ' if near else ""
    return f"{meant}a key of the tags is {TAG}{word}; the fields: {', '.join(FIELDS)}"


def selection_of(select: Sequence[str], exclude: Sequence[str]) -> Selection | None:
    """What makes the records to write; None where they are written as they are.

    Args:
        select: names from `names_of`; empty for all fields.
        exclude: names of what is left out of those.
    """
    return _selection(tuple(select), tuple(exclude)) if select or exclude else None


@lru_cache(maxsize=16)
def _selection(select: tuple[str, ...], exclude: tuple[str, ...]) -> Selection:
    fields = [name for name in FIELDS if (not select or name in select) and name not in exclude]
    wanted = [name[len(TAG) :] for name in select if name.startswith(TAG)]
    unwanted = {name[len(TAG) :] for name in exclude if name.startswith(TAG)}
    has_all_tags = "tags" in fields
    if has_all_tags and not unwanted:
        wanted = []

    def selected(record: Record) -> Record:
        values: dict[str, Any] = {}
        for name in fields:
            value = getattr(record, name)
            if value is not DEFAULTS[name]:
                values[name] = value
        if wanted or (unwanted and has_all_tags):
            tags = live_tags(record)
            kept = tags if has_all_tags else _picked(tags, wanted)
            kept = {key: value for key, value in kept.items() if key not in unwanted}
            values["tags"] = Live(kept) if kept else NO_TAGS
        return Record(**values)

    return selected


def _picked(tags: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Some keys of the tags, in the order in which they were asked for."""
    return {key: tags[key] for key in keys if key in tags}
