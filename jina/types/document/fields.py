"""The fields of a Document as properties: what may be set, and what setting one does to others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from jina.records import ids, mapping
from jina.records.record import DEFAULTS, NO_TAGS, Live, Record
from jina.records.score import NamedScore, Scores
from jina.records.tags import live_tags
from jina.records.tensors import Cell, as_tensor, boxed
from jina.types.document.content_hash import content_hash
from jina.types.document.uris import mime_of, set_uri

if TYPE_CHECKING:
    import numpy as np


class Fields:
    """Properties over a record. None unsets a field."""

    __slots__ = ()
    _record: Record

    # --- identity -------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The name of this Document; any value that is set becomes text."""
        return self._record.id

    @id.setter
    def id(self, value: Any) -> None:
        ids.Changes.count += 1
        self._record.id = text_of(value)

    # --- content --------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Text as the content; setting it removes blob and buffer and sets the MIME type."""
        return self._record.text or ""

    @text.setter
    def text(self, value: str | None) -> None:
        record = self._record
        if type(value) is str:
            record.text = value
        elif value is None:
            record.text = None
            return
        elif isinstance(value, str):
            record.text = str(value)
        else:
            raise TypeError(f"`text` is {mapping.kind_of(value)}, expected text")
        # Reading is cheaper than writing, and usually there is nothing to write.
        if record.mime_type != "text/plain":
            record.mime_type = "text/plain"
        if record.blob is not None:
            record.blob = None
        if record.buffer is not None:
            record.buffer = None

    @property
    def buffer(self) -> bytes:
        """Bytes as the content; setting them removes text and blob."""
        return self._record.buffer or b""

    @buffer.setter
    def buffer(self, value: bytes | bytearray | memoryview | None) -> None:
        record = self._record
        if value is None:
            record.buffer = None
            return
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"`buffer` is {mapping.kind_of(value)}, expected bytes")
        record.buffer = bytes(value)
        record.text = record.blob = None

    @property
    def blob(self) -> np.ndarray[Any, Any] | Any:
        """A tensor as the content, ndarray or scipy sparse matrix, or None.

        Setting it removes text and buffer. Lists and tensors of other libraries become ndarrays.
        """
        value = self._record.blob
        if type(value) is Cell:
            value = value.get()
            self._record.blob = boxed(value)
        return value

    @blob.setter
    def blob(self, value: Any) -> None:
        record = self._record
        if value is None:
            record.blob = None
            return
        record.blob = as_tensor(value)
        record.text = record.buffer = None

    @property
    def content(self) -> Any:
        """The text, the blob or the buffer, whichever is set, else None."""
        record = self._record
        if record.text is not None:
            return record.text
        if record.buffer is not None:
            return record.buffer
        return self.blob

    @content.setter
    def content(self, value: Any) -> None:
        if isinstance(value, str):
            self.text = value
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self.buffer = value
        elif value is None:
            record = self._record
            record.text = record.blob = record.buffer = None
        elif isinstance(value, (int, float, Mapping, set)):
            raise TypeError(f"a content is text, bytes or a tensor, not {mapping.kind_of(value)}")
        else:
            self.blob = value

    @property
    def content_type(self) -> str | None:
        """Which content is set: "text", "blob", "buffer" or None."""
        record = self._record
        if record.text is not None:
            return "text"
        if record.buffer is not None:
            return "buffer"
        return None if record.blob is None else "blob"

    @property
    def embedding(self) -> np.ndarray[Any, Any] | Any:
        """What an encoder made of the content: ndarray or scipy sparse matrix, or None."""
        value = self._record.embedding
        if type(value) is Cell:
            value = value.get()
            self._record.embedding = boxed(value)
        return value

    @embedding.setter
    def embedding(self, value: Any) -> None:
        if value is None:
            self._record.embedding = None
            return
        self._record.embedding = as_tensor(value)

    # --- what users hold and change -------------------------------------------------------------

    @property
    def tags(self) -> dict[str, Any]:
        """Any further data: text, numbers, booleans, None, lists and dicts of these."""
        value = self._record.tags
        if type(value) is Live:
            tags: dict[str, Any] = value.value
            return tags
        return live_tags(self._record)

    @tags.setter
    def tags(self, value: Mapping[str, Any] | None) -> None:
        if value is None:
            self._record.tags = NO_TAGS
        elif isinstance(value, Mapping):
            self._record.tags = Live(value if type(value) is dict else dict(value))
        else:
            raise TypeError(f"`tags` is {mapping.kind_of(value)}, expected a dict")

    @property
    def scores(self) -> Scores:
        """Scores by name; `doc.scores["cosine"] = 0.5` works."""
        value = self._record.scores
        if type(value) is not Live:
            value = self._record.scores = Live(Scores(value or ()))
        scores: Scores = value.value
        return scores

    @scores.setter
    def scores(self, value: Mapping[str, NamedScore | float] | None) -> None:
        self._record.scores = None if value is None else Live(mapping.scores("scores", value))

    @property
    def evaluations(self) -> Scores:
        """Scores by name that say how well this Document was handled."""
        value = self._record.evaluations
        if type(value) is not Live:
            value = self._record.evaluations = Live(Scores(value or ()))
        scores: Scores = value.value
        return scores

    @evaluations.setter
    def evaluations(self, value: Mapping[str, NamedScore | float] | None) -> None:
        self._record.evaluations = (
            None if value is None else Live(mapping.scores("evaluations", value))
        )

    # --- what describes it ----------------------------------------------------------------------

    @property
    def mime_type(self) -> str:
        """MIME type of the content; a file extension such as `png` is turned into one."""
        return self._record.mime_type

    @mime_type.setter
    def mime_type(self, value: Any) -> None:
        text = text_of(value)
        self._record.mime_type = text if "/" in text or not text else mime_of(f"x.{text}") or text

    @property
    def uri(self) -> str:
        """Where the content lies; setting it guesses the MIME type from its extension."""
        return self._record.uri

    @uri.setter
    def uri(self, value: Any) -> None:
        set_uri(self._record, text_of(value))

    @property
    def parent_id(self) -> str:
        """Id of the Document that this one is a chunk of."""
        return self._record.parent_id

    @parent_id.setter
    def parent_id(self, value: Any) -> None:
        self._record.parent_id = text_of(value)

    @property
    def modality(self) -> str:
        """A free name for the kind of content, such as `title`."""
        return self._record.modality

    @modality.setter
    def modality(self, value: Any) -> None:
        self._record.modality = text_of(value)

    @property
    def granularity(self) -> int:
        """How many levels of chunks lead down to this Document; 0 if it is not a chunk."""
        return self._record.granularity

    @granularity.setter
    def granularity(self, value: int | None) -> None:
        self._record.granularity = 0 if value is None else mapping.count("granularity", value)

    @property
    def adjacency(self) -> int:
        """How many steps of matches lead to this Document; 0 if it is not a match."""
        return self._record.adjacency

    @adjacency.setter
    def adjacency(self, value: int | None) -> None:
        self._record.adjacency = 0 if value is None else mapping.count("adjacency", value)

    @property
    def offset(self) -> int:
        """Position among the chunks of the parent."""
        return self._record.offset

    @offset.setter
    def offset(self, value: int | None) -> None:
        self._record.offset = 0 if value is None else mapping.count("offset", value)

    @property
    def location(self) -> list[int]:
        """Place within the parent's content, such as a start and an end."""
        value: Any = self._record.location
        if type(value) is not Live:
            value = self._record.location = Live(value or [])
        place: list[int] = value.value
        return place

    @location.setter
    def location(self, value: Iterable[int] | None) -> None:
        self._record.location = None if value is None else Live(mapping.locations(value))

    @property
    def weight(self) -> float:
        """How much this Document counts; float64."""
        return self._record.weight

    @weight.setter
    def weight(self, value: float | None) -> None:
        self._record.weight = (
            DEFAULTS["weight"] if value is None else mapping.finite("weight", value)
        )

    @property
    def content_hash(self) -> str:
        """The stored hash; if none is stored, the hash of what the Document holds now.

        It does not depend on the id: equal contents have equal hashes.
        """
        return self._record.content_hash or content_hash(self._record)

    @content_hash.setter
    def content_hash(self, value: Any) -> None:
        self._record.content_hash = text_of(value)


def text_of(value: Any) -> str:
    """Return a value as the text of a field; "" for None."""
    return "" if value is None else str(value)
