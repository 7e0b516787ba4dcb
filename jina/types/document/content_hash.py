"""Hash what a record holds: equal contents have equal hashes, on every machine."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from jina.excepts import DocumentError
from jina.records import record_ops
from jina.records.record import Live, Record
from jina.records.tags import join_tags
from jina.records.tensors import is_sparse, little_endian, sparse_parts

_HASHED = (
    *("text", "blob", "buffer", "embedding"),
    *("uri", "tags", "mime_type", "granularity", "adjacency"),
)


def content_hash(record: Record, excluded: Container[str] = ()) -> str:
    """Return the hash of the content and what describes it, without the id.

    Args:
        record: its fields are hashed.
        excluded: names of fields that are left out.

    Raises:
        DocumentError: the tags are nested too deeply.
    """
    # Late: it loads OpenSSL, which every worker and client would wait for.
    from hashlib import blake2b

    digest = blake2b(digest_size=8)
    for name in _HASHED:
        if name in excluded:
            continue
        value = getattr(record, name)
        if record_ops.decoded(name, value) is not None:
            digest.update(name.encode() + b"\0")
            digest.update(_hashable(name, value))
    return digest.hexdigest()


def _hashable(name: str, value: Any) -> bytes:
    if name == "tags":
        # Sorted by key, so that the spelling of the JSON does not matter.
        try:
            return join_tags([Live(_sorted(record_ops.decoded(name, value)))])
        except RecursionError as err:
            raise DocumentError("`tags` is nested too deeply") from err
    value = record_ops.tensor(value)
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
