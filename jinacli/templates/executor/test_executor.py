"""An Executor is an ordinary class: no Flow is needed to test it."""

from __future__ import annotations

from pathlib import Path

from jina import Document, DocumentArray, Executor

CONFIG = Path(__file__).with_name("config.yml")


def test_it_counts_words() -> None:
    """The YAML builds it, and its endpoint counts."""
    executor = Executor.load_config(str(CONFIG))
    docs = DocumentArray([Document(text="to be or not to be")])
    executor("/count", docs=docs)
    assert docs[0].tags["words"] == 6
    executor("/count", docs=docs, parameters={"unique": True})
    assert docs[0].tags["words"] == 4
