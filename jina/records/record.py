"""The private record under a Document: its fields, and nothing that acts on them.

A Document is a thin wrapper over one Record. Records are what JSON lines and columns are decoded
into and encoded from. Mutable values are decoded when they are first read:

    tags        Raw      JSON of one object, as it came (empty: unset)
                OwnTags  the values that a JSON line has beside its fields
                Live     a dict: assigned, handed out, or not to be had without decoding
    scores, evaluations, location    None, the plain decoded value, or Live once handed out
    blob, embedding    None, an array, a sparse matrix, or a Cell of a tensor column
    chunks, matches    None, a list of Records, a Part of a nested batch, or the array handed out
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from jina.records.score import NamedScore


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        # The decoders ask whether their hook returned what it should; the hook has checked that.
        return True


class Tensor(metaclass=_AnyTensor):
    """Stands for "array or sparse matrix" in the decoders' types; there is no instance."""


class Live:
    """Marks a mutable value that users may hold: encoders look at it before they trust it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Reads:
    """Counts whose tags were read."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class OwnTags(msgspec.Struct, gc=False, eq=False, forbid_unknown_fields=True, omit_defaults=True):
    """Tags as a struct that was made for the keys of a line; the encoders write it as an object.

    Its last two fields are `id` and `text`, unset. What it holds is never handed out, but copied.
    """

    reads: ClassVar[Reads]  # of all that have these keys


NO_TAGS = msgspec.Raw()

MAX_COUNT = (1 << 63) - 1  # of granularity, adjacency, offset and location

if TYPE_CHECKING:
    _Count = int
    _Tags = Any
    _Tensor = Any
    _Scores = Any
    _Location = Any
    _Children = Any
else:
    _Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
    _Tags = msgspec.Raw
    _Tensor = Tensor
    # Empty ones are unset: the decoders refuse them, and the line is read as a dict.
    _Scores = Annotated[dict[str, NamedScore], msgspec.Meta(min_length=1)] | None
    _Location = Annotated[list[_Count], msgspec.Meta(min_length=1)] | None
    _Children = "list[Record] | None"


class Record(
    msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, eq=False, weakref=True
):
    """All fields of a Document, in the order in which they are printed. Unset is the default."""

    id: str = ""
    mime_type: str = ""
    text: str | None = None
    tags: _Tags = NO_TAGS
    uri: str = ""
    buffer: bytes | None = None
    blob: _Tensor | None = None
    embedding: _Tensor | None = None
    parent_id: str = ""
    granularity: _Count = 0
    adjacency: _Count = 0
    modality: str = ""
    offset: _Count = 0
    location: _Location = None
    weight: float = 0.0
    content_hash: str = ""
    scores: _Scores = None
    evaluations: _Scores = None
    chunks: _Children = None
    matches: _Children = None


FIELDS: tuple[str, ...] = Record.__struct_fields__
DEFAULTS: dict[str, Any] = dict(zip(FIELDS, Record.__struct_defaults__, strict=True))
TEXT_FIELDS = frozenset({"id", "parent_id", "modality", "uri", "mime_type", "content_hash"})
COUNT_FIELDS = frozenset({"granularity", "adjacency", "offset"})
TENSOR_FIELDS = frozenset({"blob", "embedding"})
SCORE_FIELDS = frozenset({"scores", "evaluations"})
CHILD_FIELDS = frozenset({"chunks", "matches"})
CONTENT_FIELDS = ("text", "blob", "buffer")
