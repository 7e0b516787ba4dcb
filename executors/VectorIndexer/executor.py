"""Keep Documents and their vectors on disk, and find the nearest, by vectors, by words or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nearest import Nearest
from parameters import MODES, Search, count, one_of
from shard import Shard
from store import Item, Store, Vector
from vectors import METRICS, SPARSE_BELOW, WEIGHTS

from jina import Document, DocumentArray, Executor, requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TEXT_SCORE = "bm25"
_FUSED_SCORE = "rrf"
_FUSED_FROM = 4  # ranks of each list, for each match that is asked for, and at least
_LEAST_RANKS = 50


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
        mode: "vector" finds the nearest vectors; "text" the Documents that share words with the
            query, by BM25, and needs no vectors; "hybrid" both, joined by their ranks. The
            parameter `mode` of a request overrides it.
        fields: the texts whose words "text" and "hybrid" look for, `text` or `tags.` and a name,
            with the weight of the words in each.
        rank_constant: k of reciprocal rank fusion, at least 1, for "hybrid": the smaller, the more
            the first ranks of either list count. The usual 60 is for lists of hundreds of matches.
        top_k: most matches of a query; the parameter `top_k` of a request overrides it.
        distinct: of Documents with the same text, only the nearest is a match.
        fsync: wait for the disk before /index and /delete answer.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: an unknown metric, weighing, mode or field, or a top_k below 1.
        ExecutorError: no workspace is set, another process has it open, its file is damaged, it was
            written with another number of shards, or requests do not reach every shard.
    """

    def __init__(
        self,
        *,
        metric: str = "cosine",
        weigh: str = "none",
        mode: str = "vector",
        fields: Mapping[str, float] | None = None,
        rank_constant: int = 2,
        top_k: int = 10,
        distinct: bool = False,
        fsync: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metric = one_of("metric", metric, METRICS)
        self.weigh = one_of("weigh", weigh, WEIGHTS)
        self.mode = one_of("mode", mode, MODES)
        self.rank_constant = count("rank_constant", rank_constant)
        self.top_k = count("top_k", top_k)
        self.distinct = distinct
        self._shard = Shard.of(self.runtime_args)
        self._shard.refuse_others_in(self.workspace)
        self._row_of: dict[str, int] = {}  # by id
        self._store = Store(self.workspace, _checked(fields or {"text": 1.0}), fsync=fsync)
        self._nearest = Nearest(Path(self.workspace), metric, weigh)
        try:
            self._nearest.add(self._kept())
            self._shard.refuse_others(self._row_of, self.workspace)
        except BaseException:
            self._store.close()
            raise

    @requests(on=["/index", "/update"])
    def index(self, docs: DocumentArray | None, **kwargs: Any) -> DocumentArray | None:
        """Keep the Documents, and answer with only their ids.

        Raises:
            ValueError: a Document has no embedding, or one of another width; no Document is kept.
        """
        if docs is None:
            return None
        width = self._nearest.width
        items = []
        for doc in docs:
            vector = self._vector(doc, width)
            width = width if vector is None else len(vector)
            if self._shard.owns(doc.id):
                items.append(
                    Item(doc.id, _stored(doc), None if vector is None else _packed(vector))
                )
        rows = self._store.put(items)  # first: an answer never shows what a restart would not find
        self._remember(items, rows)
        return DocumentArray([Document(id=doc.id) for doc in docs])

    @requests(on="/search")
    def search(
        self, docs: DocumentArray | None, parameters: Mapping[str, Any], **kwargs: Any
    ) -> None:
        """Set `matches` of each Document to the nearest that are kept, the nearest first.

        Raises:
            ValueError: a Document has no embedding, or one of another width; or a parameter is bad.
        """
        search = Search(self.mode, self.metric, self.top_k).asked(parameters)
        among = None
        if search.condition is not None and search.mode != "text":
            among = self._store.rows_where(search.condition)
        for doc in docs or ():
            doc.matches = list(self._matches(doc, search, among))
            doc.pop("embedding")  # nobody reads thousands of numbers next to an answer

    @requests(on="/delete")
    def delete(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Remove the Documents with these ids; an unknown id is not an error."""
        ids = [id_ for id_ in dict.fromkeys(doc.id for doc in docs or ()) if id_ in self._row_of]
        self._store.delete(ids)
        self._nearest.remove([self._row_of.pop(id_) for id_ in ids])

    @requests(on="/status")
    def status(self, **kwargs: Any) -> DocumentArray:
        """Answer with one Document, whose tags describe the index."""
        tags = {
            "documents": len(self._row_of),
            "vectors": len(self._nearest),
            "dimensions": self._nearest.width or 0,
            "size_bytes": self._store.size_bytes,
            "metric": self.metric,
            "mode": self.mode,
            "exact": self._nearest.is_exact,
        }
        return DocumentArray([Document(id=f"{self.metas.name}{self._shard.suffix}", tags=tags)])

    def close(self) -> None:
        """Let go of the workspace."""
        self._nearest.save()
        self._store.close()

    def _kept(self) -> Iterator[tuple[int, Vector]]:
        """The vectors in the database; what they belong to is remembered on the way."""
        for row, id_, vector in self._store.vectors():
            self._row_of[id_] = row
            if vector is not None:
                yield row, vector

    def _remember(self, items: list[Item], rows: list[int]) -> None:
        last = {item.id: n for n, item in enumerate(items)}  # of several with one id
        self._nearest.remove([self._row_of[id_] for id_ in last if id_ in self._row_of])
        vectors = []
        for id_, n in last.items():
            self._row_of[id_] = rows[n]
            vector = items[n].vector
            if vector is not None:
                vectors.append((rows[n], vector))
        self._nearest.add(sorted(vectors))

    def _matches(
        self, doc: Document, search: Search, among: list[int] | None
    ) -> Iterator[Document]:
        seen: set[str] = set()
        left, given, limit = search.top_k, 0, search.top_k
        while True:
            found = self._found(doc, search, among, limit)
            for row, scores in found[given:]:
                match = Document(self._store.document(row))
                text = " ".join(match.text.split()) if self.distinct else ""
                if text and text in seen:
                    continue
                seen.add(text)
                for name, score in scores.items():
                    match.scores[name] = score
                yield match
                left -= 1
                if left == 0:
                    return
            if len(found) < limit:
                return
            # Some were left out because of their text: look further.
            given, limit = limit, 4 * limit

    def _found(
        self, doc: Document, search: Search, among: list[int] | None, limit: int
    ) -> list[tuple[int, dict[str, float]]]:
        """Rows with their scores, the best first."""
        if search.mode == "vector":
            return [
                (row, {search.metric: score})
                for row, score in self._near(doc, search, among, limit)
            ]
        if search.mode == "text":
            return [(row, {_TEXT_SCORE: score}) for row, score in self._worded(doc, search, limit)]
        ranks = max(_FUSED_FROM * limit, _LEAST_RANKS)
        near = self._near(doc, search, among, ranks)
        worded = self._worded(doc, search, ranks)
        return _fused({search.metric: near, _TEXT_SCORE: worded}, self.rank_constant)[:limit]

    def _near(
        self, doc: Document, search: Search, among: list[int] | None, limit: int
    ) -> list[tuple[int, float]]:
        vector = _embedded(doc, self._nearest.width)
        return self._nearest.nearest(vector, limit, metric=search.metric, among=among)

    def _worded(self, doc: Document, search: Search, limit: int) -> list[tuple[int, float]]:
        return self._store.rows_with_words(doc.text, limit, search.condition)

    def _vector(self, doc: Document, width: int | None) -> np.ndarray | None:
        if doc.embedding is None and self.mode == "text":
            return None
        return _embedded(doc, width)


def _fused(
    lists: Mapping[str, list[tuple[int, float]]], rank_constant: int
) -> list[tuple[int, dict[str, float]]]:
    """Join lists of rows by their ranks; the scores of each list stay beside that of their sum."""
    scores: dict[int, dict[str, float]] = {}
    for name, rows in lists.items():
        for rank, (row, score) in enumerate(rows, start=1):
            of_row = scores.setdefault(row, {_FUSED_SCORE: 0.0})
            of_row[_FUSED_SCORE] += 1 / (rank_constant + rank)
            of_row[name] = score
    return sorted(scores.items(), key=lambda each: (-each[1][_FUSED_SCORE], each[0]))


def _checked(fields: Mapping[str, float]) -> dict[str, float]:
    for field, weight in fields.items():
        if field != "text" and not (field.startswith("tags.") and field != "tags."):
            raise ValueError(f"fields: {field!r} is neither `text` nor `tags.` and a name")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight > 0:
            raise ValueError(f"fields: the weight of {field} is {weight!r}, not a number above 0")
    return dict(fields)


def _embedded(doc: Document, width: int | None) -> np.ndarray:
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


def _packed(vector: np.ndarray) -> Vector:
    """A vector as it is stored: mostly zeros as columns and values, others whole."""
    columns = np.flatnonzero(vector).astype(np.uint32)
    if len(columns) > SPARSE_BELOW * len(vector):
        return Vector(len(vector), None, vector.tobytes())
    return Vector(len(vector), columns.tobytes(), vector[columns].tobytes())
