"""An Executor is an ordinary class: no Flow is needed to test it."""

from __future__ import annotations

from pathlib import Path

from jina import Document, DocumentArray, Executor

CONFIG = Path(__file__).with_name("config.yml")


def test_it_encodes_texts() -> None:
    """The same words give the same vector; what has no text gets none."""
    executor = Executor.load_config(str(CONFIG))
    texts = ("A rose is a rose", "is a rose a rose", "something else")
    docs = DocumentArray([*(Document(text=text) for text in texts), Document()])
    executor("/encode", docs=docs)
    first, second, other = (docs[number].embedding for number in range(3))
    assert first.shape == (64,)
    assert (first == second).all()
    assert (first != other).any()
    assert docs[3].embedding is None


def test_a_request_may_have_no_documents() -> None:
    """As `jina post /encode` from a terminal sends it."""
    Executor.load_config(str(CONFIG))("/encode", docs=None)
