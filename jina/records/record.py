"""The private record under a Document: its fields, without any behaviour.

A Document is a thin wrapper over one Record. JSON lines and columns are decoded into Records, and
written from them. Values that can be changed in place are decoded when they are first read:

    tags        msgspec.Raw  the JSON of one object, as it came but for line ends; empty if unset
                OwnTags      the values of a JSON line's own keys
                Live         a dict that was assigned, handed out, or had to be decoded at once
    scores, evaluations, location    None, the plain decoded value, or Live once handed out
    blob, embedding    None, an array, a sparse matrix, or a Cell of a tensor column
    chunks, matches    None, a list of Records, a ChildRange, or the array handed out
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from jina.records.score import NamedScore


class _AnyTensor(type):
    def __instancecheck__(cls, instance: object) -> bool:
        # The decoders ask whether their hook returned a Tensor; the hook has checked that already.
        return True


class Tensor(metaclass=_AnyTensor):
    """The type of arrays and sparse matrices in the decoders; it has no instances."""


class Live:
    """Marks a value that users may hold and change, so that encoders check it each time."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Reads:
    """Counts the Documents whose tags were read."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class OwnTags(msgspec.Struct, gc=False, eq=False, forbid_unknown_fields=True, omit_defaults=True):
    """Tags in a struct made for the keys of one JSON line; encoders write it as a JSON object.

    Its last two fields are `id` and `text`, which are unset. Users get copies of its values.
    """

    reads: ClassVar[Reads]  # shared by all lines with these keys


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
    # An empty one counts as unset: the decoders refuse it, and the line is read as a dict.
    _Scores = Annotated[dict[str, NamedScore], msgspec.Meta(min_length=1)] | None
    _Location = Annotated[list[_Count], msgspec.Meta(min_length=1)] | None
    _Children = "list[Record] | None"


class Record(
    msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, eq=False, weakref=True
):
    """All fields of a Document, in the order in which they are printed.

    A field that holds its default is unset.
    """

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
