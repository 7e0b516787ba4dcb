"""MyExecutor: puts the matches of each Document into a better order."""

from __future__ import annotations

from typing import Any

from jina import Document, DocumentArray, Executor, requests


class MyExecutor(Executor):
    """Puts the matches that an indexer found into a better order, and keeps the best.

    Put your model into the constructor and `_score`. This example counts common words.

    Args:
        top_k: matches that are kept; the parameter `top_k` of a request overrides it.
        **kwargs: metas, requests and runtime_args, for the base class.
    """

    def __init__(self, top_k: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The constructor runs once, when the process starts: load the model here.
        self.top_k = top_k

    @requests(on=["/rank", "/search"])
    def rank(
        self,
        docs: DocumentArray | None,
        parameters: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Score the matches of each Document, and sort them, the best first.

        Args:
            docs: queries with matches; None when there are none.
            parameters: of the post. `top_k`: how many matches are kept.
            **kwargs: docs_matrix and others.
        """
        top_k = int(parameters.get("top_k", self.top_k))
        for doc in docs or ():
            for match in doc.matches:
                match.scores["relevance"] = self._score(doc, match)
            # Of equal ones, the first stays first.
            best = sorted(doc.matches, key=lambda match: -match.scores["relevance"].value)
            doc.matches = best[:top_k]

    def _score(self, query: Document, match: Document) -> float:
        """From 0 to 1: how many words of the query the match has."""
        wanted = set((query.text or "").lower().split())
        found = wanted & set((match.text or "").lower().split())
        return len(found) / max(len(wanted), 1)
