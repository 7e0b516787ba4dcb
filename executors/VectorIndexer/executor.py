"""Keep Documents and their vectors on disk, and find the nearest."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np
from record_log import Place, RecordLog
from shard import Shard
from vectors import METRICS, SPARSE_BELOW, WEIGHTS, Rows

from jina import Document, DocumentArray, Executor, requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PUT, _DELETE = 0, 1
# The file is rewritten once it is larger than this and less than half of it is in use.
REWRITE_ABOVE_BYTES = 1 << 20


class VectorIndexer(Executor):
    """Keeps every Document posted to /index, in its workspace, and answers /search.

    Once /index has answered, its Documents survive a restart, a kill -9 and, with `fsync`, a power
    cut. A Document replaces an older one with the same id. Only one process at a time may open a
    workspace. Of several shards, each keeps the Documents whose ids are its own.

    Args:
        metric: "cosine" or "euclidean", distances (smaller is nearer); or "dot", the inner product
            (larger is nearer). It is also the name of the score.
        weigh: "idf" weights each column of the vectors by how few have an entry there, for vectors
            that are mostly zeros, such as HashedTextEncoder's; "none" weights all columns alike.
        top_k: most matches of a query; the parameter `top_k` of a request overrides it.
        distinct: of Documents with the same text, only the nearest is a match.
        fsync: wait for the disk before /index and /delete answer.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: an unknown metric or weighing, or a top_k below 1.
        ExecutorError: no workspace is set, another process has it open, its file is damaged, it was
            written with another number of shards, or requests do not reach every shard.
    """

    def __init__(
        self,
        *,
        metric: str = "cosine",
        weigh: str = "none",
        top_k: int = 10,
        distinct: bool = False,
        fsync: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if metric not in METRICS:
            raise ValueError(f"metric: {metric!r} is none of {', '.join(METRICS)}")
        if weigh not in WEIGHTS:
            raise ValueError(f"weigh: {weigh!r} is none of {', '.join(WEIGHTS)}")
        self.metric = metric
        self.weigh = weigh
        self.top_k = _top_k(top_k)
        self.distinct = distinct
        self._rows: Rows | None = None  # until the first vector, whose width all others must have
        self._row_of: dict[str, int] = {}  # by id
        self._place_of: dict[int, Place] = {}  # by row
        self._useful_bytes = 0  # of the log, in records of Documents that are still kept
        self._shard = Shard.of(self.runtime_args)
        self._shard.refuse_others_in(self.workspace)
        self._log = RecordLog(self.workspace, fsync=fsync)
        try:
            for place, payload in self._log.records():
                self._apply(place, msgpack.unpackb(payload))
            self._shard.refuse_others(self._row_of, self.workspace)
        except BaseException:
            self._log.close()
            raise

    @requests(on=["/index", "/update"])
    def index(self, docs: DocumentArray | None, **kwargs: Any) -> DocumentArray | None:
        """Keep the Documents, and answer with only their ids.

        Raises:
            ValueError: a Document has no embedding, or one of another width; no Document is kept.
        """
        if docs is None:
            return None
        width = self._width
        records = []
        for doc in docs:
            vector = _vector(doc, width)
            width = len(vector)
            if self._shard.owns(doc.id):
                records.append((_PUT, doc.id, _stored(doc), *_packed(vector)))
        self._keep(records)
        return DocumentArray([Document(id=doc.id) for doc in docs])

    @requests(on="/search")
    def search(
        self, docs: DocumentArray | None, parameters: Mapping[str, Any], **kwargs: Any
    ) -> None:
        """Set `matches` of each Document to the nearest that are kept, the nearest first.

        Raises:
            ValueError: a Document has no embedding, or one of another width; or a bad top_k.
        """
        top_k = _top_k(parameters.get("top_k", self.top_k))
        for doc in docs or ():
            vector = _vector(doc, self._width)
            doc.matches = list(self._matches(vector, top_k))
            doc.pop("embedding")  # nobody reads thousands of numbers next to an answer

    @requests(on="/delete")
    def delete(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Remove the Documents with these ids; an unknown id is not an error."""
        ids = dict.fromkeys(doc.id for doc in docs or ())
        self._keep([(_DELETE, id_) for id_ in ids if id_ in self._row_of])

    @requests(on="/status")
    def status(self, **kwargs: Any) -> DocumentArray:
        """Answer with one Document, whose tags describe the index."""
        tags = {
            "documents": len(self._row_of),
            "dimensions": self._width or 0,
            "log_bytes": self._log.size_bytes,
            "metric": self.metric,
        }
        return DocumentArray([Document(id=f"{self.metas.name}{self._shard.suffix}", tags=tags)])

    def close(self) -> None:
        """Let go of the workspace."""
        self._log.close()

    @property
    def _width(self) -> int | None:
        return None if self._rows is None else self._rows.width

    def _matches(self, vector: np.ndarray, top_k: int) -> Iterator[Document]:
        seen: set[str] = set()
        given, limit = 0, top_k
        while self._rows is not None:
            nearest = self._rows.nearest(vector, limit, metric=self.metric, weigh=self.weigh)
            for row, value in nearest[given:]:
                doc = self._document(row)
                text = " ".join(doc.text.split()) if self.distinct else ""
                if text and text in seen:
                    continue
                seen.add(text)
                doc.scores[self.metric] = value
                yield doc
                top_k -= 1
                if top_k == 0:
                    return
            if len(nearest) < limit:
                return
            # Some were left out because of their text: look further.
            given, limit = limit, 4 * limit

    def _document(self, row: int) -> Document:
        _, _, stored, *_ = msgpack.unpackb(self._log.read(self._place_of[row]))
        return Document(stored)

    def _keep(self, records: list[tuple[Any, ...]]) -> None:
        """Write to disk, then to memory: an answer never shows what a restart would not find."""
        places = self._log.append([msgpack.packb(record) for record in records])
        for place, record in zip(places, records, strict=True):
            self._apply(place, record)
        self._rewrite_when_wasteful()

    def _apply(self, place: Place, record: Sequence[Any]) -> None:
        """Apply one record to what is in memory."""
        operation, id_, *rest = record
        row = self._row_of.pop(id_, None)
        if row is not None and self._rows is not None:
            self._rows.remove(row)
            self._useful_bytes -= self._place_of.pop(row).size
        if operation == _DELETE:
            if not self._row_of:
                self._rows = None  # the next vector may be of another width
            return
        _, width, columns, values = rest
        numbers = np.frombuffer(values, np.float32)
        if columns is None:
            at = np.flatnonzero(numbers)
            numbers = numbers[at]
        else:
            at = np.frombuffer(columns, np.uint32)
        if self._rows is None:
            self._rows = Rows(width, is_sparse=columns is not None)
        row = self._rows.add(at, numbers)
        self._row_of[id_] = row
        self._place_of[row] = place
        self._useful_bytes += place.size

    def _rewrite_when_wasteful(self) -> None:
        size = self._log.size_bytes
        if size < REWRITE_ABOVE_BYTES:
            return
        if 2 * self._useful_bytes < size:
            rows = sorted(self._place_of, key=lambda row: self._place_of[row].offset)
            # The Documents are already safe: a full disk here must not make the request fail.
            with suppress(OSError):
                moved = self._log.rewrite([self._place_of[row] for row in rows])
                self._place_of = dict(zip(rows, moved, strict=True))


def _vector(doc: Document, width: int | None) -> np.ndarray:
    embedding = doc.embedding
    if embedding is None:
        raise ValueError(f"Document {doc.id!r} has no embedding; is an encoder before the indexer?")
    vector = embedding.toarray() if hasattr(embedding, "toarray") else np.asarray(embedding)
    vector = vector.ravel().astype(np.float32)
    if not len(vector):
        raise ValueError(f"Document {doc.id!r} has an empty embedding")
    if width is not None and len(vector) != width:
        raise ValueError(
            f"Document {doc.id!r} has an embedding of {len(vector)} numbers; "
            f"those kept have {width}"
        )
    if not np.isfinite(vector).all():
        raise ValueError(f"Document {doc.id!r} has an embedding with NaN or infinity")
    return vector


def _stored(doc: Document) -> str:
    kept = Document(doc, copy=True)
    kept.pop("embedding")
    return kept.json()


def _packed(vector: np.ndarray) -> tuple[int, bytes | None, bytes]:
    """Return the width, the columns, and their values; for dense vectors None and all values."""
    columns = np.flatnonzero(vector).astype(np.uint32)
    if len(columns) > SPARSE_BELOW * len(vector):
        return len(vector), None, vector.tobytes()
    return len(vector), columns.tobytes(), vector[columns].tobytes()


def _top_k(value: Any) -> int:
    if isinstance(value, str | float | int) and not isinstance(value, bool):
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if number.is_integer() and number >= 1:
            return int(number)
    raise ValueError(f"top_k: {value!r} is no whole number from 1")
