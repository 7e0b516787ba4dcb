"""Changing a Document as a whole: popping, clearing, merging; reading fields by name."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from jina.excepts import DocumentError
from jina.types import content
from jina.types.document.fields import Fields
from jina.types.record import DEFAULTS, FIELDS, Edits, Live, Record
from jina.types.tensors import is_sparse, little_endian, sparse_parts
from jina.types.untyped import join_tags, live_tags

_log = logging.getLogger(__name__)


class Editing(Fields):
    """Edits of several fields at once, and access by name."""

    __slots__ = ()

    def pop(self, *fields: str) -> None:
        """Unset fields.

        Raises:
            ValueError: a name that is no field.
        """
        record = self._record
        for field in fields:
            if field == "content":
                record.text = record.blob = record.buffer = None
            elif field not in DEFAULTS:
                raise DocumentError(f"a Document has no field {field!r}")
            else:
                setattr(record, field, DEFAULTS[field])
        _edited()

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
        """
        theirs = content.detached(source._record)
        names = content.set_fields(theirs) if fields is None else list(fields)
        for name in names:
            if name not in DEFAULTS:
                raise DocumentError(f"a Document has no field {name!r}")
            if name == "tags":
                live_tags(self._record).update(live_tags(theirs))
            else:
                self._take(theirs, name)

    def MergeFrom(self, source: Any) -> None:  # noqa: N802 - the name is given by the Jina 2 API
        """Take over what is set in another Document; chunks, matches and location are appended."""
        theirs = content.detached(source._record)
        for name in content.set_fields(theirs):
            if name == "tags":
                live_tags(self._record).update(live_tags(theirs))
            elif name in ("chunks", "matches"):
                whole = content.children(getattr(self._record, name))
                setattr(self._record, name, [*whole, *getattr(theirs, name)])
                _edited()
            elif name in ("scores", "evaluations"):
                getattr(self, name).update(getattr(theirs, name))
            elif name == "location":
                self.location.extend(content.settled(name, theirs.location))
            else:
                self._take(theirs, name)

    def CopyFrom(self, source: Any) -> None:  # noqa: N802 - the name is given by the Jina 2 API
        """Become a copy of another Document; what was set here is lost."""
        theirs = content.detached(source._record)
        for name in FIELDS:
            setattr(self._record, name, getattr(theirs, name))
        _edited()

    def _take(self, theirs: Record, name: str) -> None:
        _edited()
        setattr(self._record, name, getattr(theirs, name))
        if name in ("text", "blob", "buffer") and getattr(theirs, name) is not None:
            for other in {"text", "blob", "buffer"} - {name}:
                setattr(self._record, other, None)

    def set_attributes(self, **fields: Any) -> None:
        """Set several fields by name.

        Raises:
            AttributeError: a name that is no field.
        """
        for name, value in fields.items():
            if name not in DEFAULTS and name != "content":
                raise AttributeError(f"a Document has no field {name!r}")
            setattr(self, name, value)

    def get_attributes(self, *fields: str) -> Any:
        """Return fields by name; `tags__a__b` and `scores__cosine__value` reach into them.

        Returns:
            One value for one name, a list for several; None for what is not there, with a warning
            in the log.
        """
        values = [self._attribute(field) for field in fields]
        return values[0] if len(values) == 1 else values

    def _attribute(self, path: str) -> Any:
        value: Any = self
        for step in path.split("__"):
            if isinstance(value, Mapping):
                found = value.get(step, _MISSING)
            elif isinstance(value, list):
                found = value[int(step)] if step.isdigit() and int(step) < len(value) else _MISSING
            else:
                found = getattr(value, step, _MISSING)
            if found is _MISSING:
                _log.warning("Document %s has no %r", self._record.id, path)
                return None
            value = found
        return value

    @staticmethod
    def attributes() -> list[str]:
        """Return the names of all fields."""
        return [*FIELDS, "content"]

    @property
    def non_empty_fields(self) -> tuple[str, ...]:
        """The names of the fields that are set."""
        return tuple(content.set_fields(self._record))

    def update_content_hash(self, *, exclude_fields: Iterable[str] = ()) -> None:
        """Store `content_hash`: of the content, uri, tags, MIME type, granularity and adjacency.

        A hash that is not stored is computed anew at each look.

        Args:
            exclude_fields: names that are left out of the hash.
        """
        self.content_hash = self._content_hash(set(exclude_fields))

    def _content_hash(self, excluded: Iterable[str]) -> str:
        digest = blake2b(digest_size=8)
        for name in _HASHED:
            if name in excluded:
                continue
            value = getattr(self._record, name)
            if content.settled(name, value) is not None:
                digest.update(name.encode() + b"\0")
                digest.update(_hashable(name, value))
        return digest.hexdigest()

    def get_sparse_blob(self, cls: Any = None, sp_format: str | None = None) -> Any:
        """Return the blob as a sparse matrix, in the format `sp_format` where one is given."""
        return _sparse(self.blob, sp_format)

    def get_sparse_embedding(self, cls: Any = None, sp_format: str | None = None) -> Any:
        """Return the embedding as a sparse matrix, in the format `sp_format` where given."""
        return _sparse(self.embedding, sp_format)


def _edited() -> None:
    Edits.ids += 1
    Edits.rare += 1


_MISSING = object()
_HASHED = (
    *("text", "blob", "buffer", "embedding"),
    *("uri", "tags", "mime_type", "granularity", "adjacency"),
)


def _hashable(name: str, value: Any) -> bytes:
    if name == "tags":
        # In the order of their keys, and not as they happened to be spelt in JSON.
        return join_tags([Live(_sorted(content.settled(name, value)))])
    value = content.tensor(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, (str, int)):
        return str(value).encode("utf-8", "surrogatepass")
    if is_sparse(value):
        kind, shape, parts = sparse_parts(value)
        return f"{kind}{shape}".encode() + b"".join(_hashable(key, parts[key]) for key in parts)
    flat = little_endian(value)
    return f"{flat.dtype.str}{flat.shape}".encode() + flat.tobytes()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _sparse(value: Any, sp_format: str | None) -> Any:
    if value is None or not is_sparse(value):
        return value
    return value.asformat(sp_format) if sp_format else value
