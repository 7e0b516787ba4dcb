"""The smallest useful Executor: it converts text to upper case."""

from __future__ import annotations

from typing import Any

from jina import DocumentArray, Executor, requests


class UpperCase(Executor):
    """Converts the text of each Document to upper case, on every endpoint."""

    @requests
    def upper(self, docs: DocumentArray | None, **kwargs: Any) -> None:
        """Change `text` in place; a Document without text stays as it is."""
        for doc in docs or ():
            if doc.text:
                doc.text = doc.text.upper()
