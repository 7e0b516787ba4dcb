"""Turn text into vectors without a model: hashed word stems with the weights of BM25."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from words import Synonyms, query_weights, stems

from jina import Executor, requests

if TYPE_CHECKING:
    from jina import DocumentArray


class HashedTextEncoder(Executor):
    """Sets `embedding` from words; the inner product of passage and query is their BM25 score.

    It keeps no state: the same text gives the same vector in every process, so it may run in any
    number of replicas. The weight of rare words is left to the indexer, which sees all passages
    (`weigh: idf` of VectorIndexer).

    Args:
        fields: the parts of a Document that are read, with the weight of their words: `text`, or
            `tags.` and the name of a tag. Queries are read the same way; most have only a text.
        dimensions: width of the vectors. Two words that share a slot are the same word to a search.
        dtype: of the vectors; float16 halves the bytes sent, and is precise enough.
        saturation: k1 of BM25, > 0: how much the second occurrence of a word adds to the first.
        length_share: b of BM25, 0 to 1: how much a long passage counts less.
        average_words: weighted words of an average passage, for `length_share`.
        synonyms: file of word groups for queries, one group per line; relative to this Executor's
            folder; empty for none.
        synonym_weight: weight of a synonym, where a word of the query itself has 1; 0 to 1.
        **kwargs: metas, requests, runtime_args.

    Raises:
        ValueError: a value outside its range.
        FileNotFoundError: the file of synonyms does not exist.
    """

    def __init__(
        self,
        *,
        fields: Mapping[str, float] | None = None,
        dimensions: int = 8192,
        dtype: str = "float16",
        saturation: float = 1.0,
        length_share: float = 0.4,
        average_words: float = 25.0,
        synonyms: str = "programming.txt",
        synonym_weight: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fields = dict(fields or {"text": 1.0})
        for field in self.fields:
            if field != "text" and not field.startswith("tags."):
                raise ValueError(f"fields: {field!r} is neither `text` nor `tags.` and a name")
        if dimensions < 1:
            raise ValueError(f"dimensions: {dimensions} is less than 1")
        if np.dtype(dtype).kind != "f":
            raise ValueError(f"dtype: {dtype} is no floating point type")
        if saturation <= 0 or average_words <= 0 or not 0 <= length_share <= 1:
            raise ValueError("saturation and average_words are above 0, length_share is 0 to 1")
        self.dimensions = dimensions
        self.dtype = np.dtype(dtype)
        self.saturation = saturation
        self.length_share = length_share
        self.average_words = average_words
        self.synonym_weight = synonym_weight
        self._synonyms = Synonyms.read(Path(__file__).parent / synonyms) if synonyms else Synonyms()

    @requests(on=["/index", "/update", "/encode"])
    def encode_passages(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set the vector of each Document that can be found."""
        if docs is not None:
            docs.embeddings = self._matrix(docs, self._passage)

    @requests(on="/search")
    def encode_queries(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set the vector of each query."""
        if docs is not None:
            docs.embeddings = self._matrix(docs, self._query)

    def _matrix(self, docs: DocumentArray, read: Any) -> np.ndarray:
        matrix = np.zeros((len(docs), self.dimensions), self.dtype)
        for row, parts in zip(matrix, self._parts(docs), strict=True):
            found = read(parts)
            row[list(found)] = list(found.values())
        return matrix

    def _parts(self, docs: DocumentArray) -> Iterator[list[tuple[str, float]]]:
        """Yield the texts of each Document with their weights."""
        texts = docs.get_attributes("text")
        tags = docs.get_attributes("tags") if self.fields.keys() - {"text"} else [{}] * len(docs)
        for text, its_tags in zip(texts, tags, strict=True):
            parts = []
            for field, weight in self.fields.items():
                value = text if field == "text" else (its_tags or {}).get(field[len("tags.") :])
                if value not in (None, ""):
                    parts.append((str(value), weight))
            yield parts

    def _passage(self, parts: list[tuple[str, float]]) -> dict[int, float]:
        counts: defaultdict[int, float] = defaultdict(float)
        for text, weight in parts:
            for word in stems(text):
                counts[_slot(word, self.dimensions)] += weight
        length = sum(counts.values()) / self.average_words
        damp = self.saturation * (1 - self.length_share + self.length_share * length)
        return {
            slot: count * (self.saturation + 1) / (count + damp) for slot, count in counts.items()
        }

    def _query(self, parts: list[tuple[str, float]]) -> dict[int, float]:
        text = " ".join(text for text, _ in parts)
        found: dict[int, float] = {}
        for word, weight in query_weights(text, self._synonyms, self.synonym_weight).items():
            slot = _slot(word, self.dimensions)
            found[slot] = max(found.get(slot, 0.0), weight)
        return found


@lru_cache(maxsize=65536)
def _slot(word: str, dimensions: int) -> int:
    """Return a word's column in the vector: the same in every process, unlike with hash()."""
    return zlib.crc32(word.encode()) % dimensions
