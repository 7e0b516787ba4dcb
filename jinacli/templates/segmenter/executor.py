"""MyExecutor: cuts the text of each Document into sentences."""

from __future__ import annotations

import re
from typing import Any

from jina import Document, DocumentArray, Executor, requests

# A sentence ends with one of these before white space, or with a line.
_SENTENCE = re.compile(r"\S.*?(?:[.!?]+(?=\s)|$)", re.MULTILINE)


class MyExecutor(Executor):
    """Cuts the text of each Document into sentences, its chunks.

    Args:
        longest: characters of a chunk; a longer sentence is cut.
        **kwargs: metas, requests and runtime_args, for the base class.
    """

    def __init__(self, longest: int = 200, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    @requests(on=["/segment", "/index"])
    def segment(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Set the chunks of each Document; a chunk says where in the text it stands.

        Args:
            docs: those of one request, 100 at most; None when there are none.
            **kwargs: parameters and others.
        """
        for doc in docs or ():
            # Setting them, not adding to them, lets a request come twice.
            doc.chunks = [
                Document(id=f"{doc.id}-{start}", text=doc.text[start:end], location=[start, end])
                for start, end in self._parts(doc.text or "")
            ]

    def _parts(self, text: str) -> list[tuple[int, int]]:
        """Where each chunk begins and ends."""
        parts = []
        for found in _SENTENCE.finditer(text):
            for start in range(found.start(), found.end(), self.longest):
                parts.append((start, min(start + self.longest, found.end())))
        return parts
