"""An Executor is an ordinary class: no Flow is needed to test it."""

from __future__ import annotations

from pathlib import Path

from jina import Document, DocumentArray, Executor

CONFIG = Path(__file__).with_name("config.yml")


def test_it_puts_the_best_match_first() -> None:
    """It keeps as many as were asked for."""
    executor = Executor.load_config(str(CONFIG))
    texts = ("a tulip", "a red rose", "a red apple")
    query = Document(text="a red rose", matches=[Document(text=text) for text in texts])
    executor("/rank", docs=DocumentArray([query]), parameters={"top_k": 2})
    assert [match.text for match in query.matches] == ["a red rose", "a red apple"]
    assert query.matches[0].scores["relevance"].value == 1


def test_a_request_may_have_no_documents() -> None:
    """As `jina post /rank` from a terminal sends it."""
    executor = Executor.load_config(str(CONFIG))
    executor("/rank", docs=None)
    executor("/rank", docs=DocumentArray([Document(text="no matches")]))
