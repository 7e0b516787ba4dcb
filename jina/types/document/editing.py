"""Change several fields of a Document at once, and read fields by name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from types import MethodType
from typing import Any

from jina.excepts import BadDocType, DocumentError
from jina.records import ids, record_ops
from jina.records.mapping import kind_of
from jina.records.record import CONTENT_FIELDS, DEFAULTS, FIELDS, Record
from jina.records.score import Scores
from jina.records.tags import live_tags
from jina.suggest import nearest
from jina.types.document.content_hash import content_hash
from jina.types.document.fields import Fields

ATTRIBUTES = frozenset(FIELDS) | {"content"}

_log = logging.getLogger(__name__)


class Editing(Fields):
    """Edits of several fields at once, and access by name."""

    __slots__ = ()

    def pop(self, *fields: str) -> None:
        """Unset fields.

        Raises:
            ValueError: a name that is not a field.
        """
        record = self._record
        _check(fields)
        for field in fields:
            if field == "content":
                record.text = record.blob = record.buffer = None
            else:
                setattr(record, field, DEFAULTS[field])
        if "id" in fields:
            ids.Changes.count += 1

    def ClearField(self, field: str) -> None:  # noqa: N802 - the name is given by the Jina 2 API
        """Unset one field."""
        self.pop(field)

    def clear(self) -> None:
        """Unset all fields, the id too."""
        self.pop(*FIELDS)

    def update(self, source: Any, fields: Iterable[str] | None = None) -> None:
        """Take over what is set in another Document; tags are merged, other fields replaced.

        Args:
            source: a Document.
            fields: only these; all that are set in `source` by default.

        Raises:
            BadDocType: `source` is not a Document.
            ValueError: a name that is not a field.
        """
        theirs = _detached(source)
        if fields is None:
            names = record_ops.set_fields(theirs)
        else:
            names = [fields] if isinstance(fields, str) else list(fields)
            _check(names)
        if "content" in names:
            names = [name for name in names if name != "content"] + [_content_of(theirs)]
        for name in names:
            if name == "tags":
                live_tags(self._record).update(live_tags(theirs))
            else:
                self._take(theirs, name)

    def MergeFrom(self, source: Any) -> None:  # noqa: N802 - the name is given by the Jina 2 API
        """Take over what is set in another Document; chunks, matches and location are appended.

        Raises:
            BadDocType: `source` is not a Document.
        """
        theirs = _detached(source)
        for name in record_ops.set_fields(theirs):
            if name == "tags":
                live_tags(self._record).update(live_tags(theirs))
            elif name in ("chunks", "matches"):
                # Without another copy, into the array that users may hold.
                getattr(self, name)._take(getattr(theirs, name))
            elif name in ("scores", "evaluations"):
                getattr(self, name).update(getattr(theirs, name))
            elif name == "location":
                self.location.extend(record_ops.decoded(name, theirs.location))
            else:
                self._take(theirs, name)

    def CopyFrom(self, source: Any) -> None:  # noqa: N802 - the name is given by the Jina 2 API
        """Become a copy of another Document; what was set here is lost.

        Raises:
            BadDocType: `source` is not a Document.
        """
        theirs = _detached(source)
        for name in FIELDS:
            setattr(self._record, name, getattr(theirs, name))
        ids.Changes.count += 1

    def _take(self, theirs: Record, name: str) -> None:
        setattr(self._record, name, getattr(theirs, name))
        if name == "id":
            ids.Changes.count += 1
        if name in ("text", "blob", "buffer") and getattr(theirs, name) is not None:
            for other in {"text", "blob", "buffer"} - {name}:
                setattr(self._record, other, None)

    def set_attributes(self, **fields: Any) -> None:
        """Set several fields by name.

        Raises:
            AttributeError: a name that is not a field.
        """
        for name in fields:
            if name not in ATTRIBUTES:
                raise AttributeError(no_field(name))
        for name, value in fields.items():
            setattr(self, name, value)

    def get_attributes(self, *fields: str) -> Any:
        """Return fields by name.

        `tags__a__b`, `scores__cosine__value` and `chunks__0__text` reach into them.

        Returns:
            One value for one name, a list for several; None for what is not there, with a warning
            in the log.
        """
        values = [self._attribute(field) for field in fields]
        return values[0] if len(values) == 1 else values

    def __getattr__(self, name: str) -> Any:
        """Return what `doc.tags__a__b` leads to.

        Raises:
            AttributeError: no such attribute, or nothing is there.
        """
        field, underscores, rest = name.partition("__")
        if underscores and field in ATTRIBUTES:
            value = reached(getattr(self, field), rest.split("__"))
            if value is not MISSING:
                return value
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
        )

    def _attribute(self, path: str) -> Any:
        value = MISSING if path.startswith("_") else getattr(self, path, MISSING)
        if value is MISSING or isinstance(value, MethodType):
            _log.warning("Document %s has no %r", self._record.id, path)
            return None
        return value

    @staticmethod
    def attributes() -> list[str]:
        """Return the names of all fields."""
        return [*FIELDS, "content"]

    @property
    def non_empty_fields(self) -> tuple[str, ...]:
        """The names of the fields that are set."""
        return tuple(record_ops.set_fields(self._record))

    def update_content_hash(self, *, exclude_fields: Iterable[str] = ()) -> None:
        """Store the hash of content, embedding, uri, tags, MIME type, granularity and adjacency.

        Unless it is stored, the hash is computed each time it is asked for.

        Args:
            exclude_fields: names that are left out of the hash.
        """
        self.content_hash = content_hash(self._record, set(exclude_fields))


def no_field(name: Any) -> str:
    """Say that a Document has no such field, and which one was perhaps meant."""
    near = nearest(str(name), sorted(ATTRIBUTES))
    return f"a Document has no field {name!r}" + (f"; did you mean {near!r}?" if near else "")


def _check(names: Iterable[Any]) -> None:
    """Refuse names that are not fields, before anything is changed."""
    for name in names:
        if not isinstance(name, str) or name not in ATTRIBUTES:
            raise DocumentError(no_field(name))


def _detached(source: Any) -> Record:
    if not isinstance(source, Editing):
        raise BadDocType(f"{kind_of(source)} is not a Document", hint="wrap it: Document(...)")
    return record_ops.detached(source._record)


def _content_of(record: Record) -> str:
    """Return the name of the content that is set; text if there is none."""
    return next((name for name in CONTENT_FIELDS if getattr(record, name) is not None), "text")


def reached(value: Any, steps: list[str]) -> Any:
    """Return what the steps lead to: keys, positions or attributes; MISSING if nothing is there."""
    for number, step in enumerate(steps):
        if isinstance(value, Mapping):
            rest = "__".join(steps[number:])
            if rest in value:  # a key may hold two underscores itself
                return value[rest]
            if step == "values" and isinstance(value, Scores) and step not in value:
                continue  # `scores__values__cosine__value`, as Jina 2's messages have it
            value = value.get(step, MISSING)
        elif step.isdigit() and hasattr(value, "__getitem__") and not isinstance(value, str):
            try:
                value = value[int(step)]
            except IndexError:
                return MISSING
        else:
            value = MISSING if step.startswith("_") else getattr(value, step, MISSING)
        if value is MISSING:
            return MISSING
    return value


MISSING = object()
