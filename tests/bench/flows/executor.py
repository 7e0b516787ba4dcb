"""The Executor of the benchmark: cheap work, so that the Flow around it is what is measured."""

from __future__ import annotations

import sys
import time
from typing import Any

from jina import DocumentArray, Executor, requests


class Bench(Executor):
    """Upper-cases text; doubles embeddings."""

    @requests(on="/upper")
    def upper(self, docs: DocumentArray, **kwargs: Any) -> None:
        """The loop that everybody writes."""
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on="/column")
    def column(self, docs: DocumentArray, **kwargs: Any) -> None:
        """The same on the whole column."""
        docs.texts = [text.upper() for text in docs.texts]

    @requests(on="/body")
    def body(self, docs: DocumentArray, **kwargs: Any) -> None:
        """Real-world lines have their text under a key of their own."""
        for doc in docs:
            doc.text = doc.tags["body"].upper()

    @requests(on="/double")
    def double(self, docs: DocumentArray, **kwargs: Any) -> None:
        """Matrix in, matrix out."""
        docs.embeddings = docs.embeddings * 2

    @requests(on="/reverse")
    def reverse(self, docs: DocumentArray, **kwargs: Any) -> None:
        """Other bytes, as many."""
        for doc in docs:
            doc.buffer = doc.buffer[::-1]

    @requests(on="/wait")
    def wait(self, **kwargs: Any) -> None:
        """As if other hardware did the work: it takes time, but none of the processor's."""
        time.sleep(0.005)

    @requests(on="/slow")
    def slow(self, parameters: dict[str, Any], **kwargs: Any) -> None:
        """A call that takes its time, whatever it gets."""
        time.sleep(parameters["ms"] / 1000)

    @requests(on="/modules")
    def modules(self, docs: DocumentArray, **kwargs: Any) -> None:
        """The installed packages that this process has loaded, for the start-up case."""
        loaded = {name.partition(".")[0] for name, module in sys.modules.items() if module}
        own = {"jina", "tests", "executor", "__main__", "__mp_main__"}
        for doc in docs:
            doc.tags["modules"] = sorted(
                name
                for name in loaded - own - set(sys.stdlib_module_names)
                if not name.startswith("_") and _is_installed(name)
            )


class Idle(Executor):
    """Bound to an endpoint that nobody posts to: the Flow skips it."""

    @requests(on="/idle")
    def nothing(self, **kwargs: Any) -> None:
        """Never called."""


class Costly(Executor):
    """Costs the same whatever it gets, as a model on a GPU nearly does."""

    @requests(on=["/alone", "/together"])
    def work(self, docs: DocumentArray, **kwargs: Any) -> None:
        """Five milliseconds of waiting."""
        time.sleep(0.005)
        for doc in docs:
            doc.text = doc.text.upper()


def _is_installed(name: str) -> bool:
    file = getattr(sys.modules[name], "__file__", None)
    return file is not None and "site-packages" in file
