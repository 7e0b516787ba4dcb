"""MyExecutor: keeps Documents with their embeddings, and finds the nearest."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from jina import Document, DocumentArray, Executor, requests


class MyExecutor(Executor):
    """Keeps Documents with their embeddings in its workspace, and finds the nearest.

    A Document replaces an older one with the same id, so that a request may come twice. What
    /index has answered survives a restart.

    Args:
        top_k: matches of a query; the parameter `top_k` of a request overrides it.
        **kwargs: metas, requests and runtime_args, for the base class.
    """

    def __init__(self, top_k: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.top_k = top_k
        # Each replica and each shard has a workspace of its own.
        folder = Path(self.workspace)
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / "documents.db")
        self._database.execute("CREATE TABLE IF NOT EXISTS docs (id TEXT PRIMARY KEY, json TEXT)")
        rows = self._database.execute("SELECT id, json FROM docs")
        self._docs = {id_: Document(json) for id_, json in rows}

    @requests(on="/index")
    def index(self, docs: DocumentArray | None, **kwargs: Any) -> DocumentArray:
        """Keep the Documents, and answer with only their ids.

        Args:
            docs: each with an embedding; None when there are none.
            **kwargs: parameters and others.
        """
        kept = [Document(doc, copy=True) for doc in docs or ()]
        for doc in kept:
            if doc.embedding is None:
                raise ValueError(f"Document {doc.id} has no embedding")
        with self._database:  # all of them or none
            rows = [(doc.id, doc.json()) for doc in kept]
            self._database.executemany("REPLACE INTO docs VALUES (?, ?)", rows)
        self._docs.update((doc.id, doc) for doc in kept)
        return DocumentArray([Document(id=doc.id) for doc in kept])

    @requests(on="/search")
    def search(
        self,
        docs: DocumentArray | None,
        parameters: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Set the matches of each Document, the nearest first.

        Args:
            docs: queries, each with an embedding; None when there are none.
            parameters: of the post. `top_k`: how many matches.
            **kwargs: docs_matrix and others.
        """
        if docs and self._docs:
            limit = int(parameters.get("top_k", self.top_k))
            docs.match(DocumentArray(list(self._docs.values())), metric="cosine", limit=limit)

    def close(self) -> None:
        """Release the database; called once, when the process stops."""
        self._database.close()
