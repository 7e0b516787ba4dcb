"""MyExecutor: counts the words of each Document."""

from __future__ import annotations

from typing import Any

from jina import DocumentArray, Executor, requests


class MyExecutor(Executor):
    """Counts the words of each Document.

    Args:
        field: the tag that the count is written to.
        **kwargs: metas, requests and runtime_args, for the base class.
    """

    def __init__(self, field: str = "words", **kwargs: Any) -> None:
        # Sets self.metas and self.runtime_args; self.workspace is a folder to write to.
        super().__init__(**kwargs)
        # The constructor runs once, when the process starts: load models here.
        self.field = field

    # A list binds several endpoints; bare @requests serves all others.
    @requests(on="/count")
    def count(
        self,
        docs: DocumentArray | None,
        parameters: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        """Change the Documents in place; a returned DocumentArray would replace them.

        Args:
            docs: those of one request, 100 at most; None when there are none.
            parameters: of the post. `unique`: count each word once.
            **kwargs: docs_matrix, groundtruths and groundtruths_matrix.
        """
        for doc in docs or ():
            words = doc.text.split()
            if parameters.get("unique"):
                words = list(set(words))
            doc.tags[self.field] = len(words)

    def close(self) -> None:
        """Release what the constructor took; called once, when the process stops."""
