"""MyExecutor: turns the text of each Document into a vector."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from jina import DocumentArray, Executor, requests


class MyExecutor(Executor):
    """Turns the text of each Document into a vector, its embedding.

    Put your model into the constructor and `_encode`. This example counts words: texts with
    the same words get the same vector.

    Args:
        dim: numbers in a vector.
        **kwargs: metas, requests and runtime_args, for the base class.
    """

    def __init__(self, dim: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The constructor runs once, when the process starts: load the model here.
        self.dim = dim

    # The same vectors for what is kept and for what is asked.
    @requests(on=["/encode", "/index", "/search"])
    def encode(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set the embedding of each Document, an array of shape (dim,).

        Args:
            docs: those of one request, 100 at most; None when there are none.
            **kwargs: parameters and others.
        """
        # All texts of a request at once: most models are faster that way.
        found = [doc for doc in docs or () if doc.text]
        vectors = self._encode([doc.text for doc in found])
        for doc, vector in zip(found, vectors, strict=True):
            doc.embedding = vector

    def _encode(self, texts: list[str]) -> np.ndarray:
        """Vectors of length 1, shape (len(texts), dim)."""
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                vector[zlib.crc32(word.encode()) % self.dim] += 1
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.maximum(lengths, 1)
        return vectors
