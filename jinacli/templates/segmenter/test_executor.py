"""An Executor is an ordinary class: no Flow is needed to test it."""

from __future__ import annotations

from pathlib import Path

from jina import Document, DocumentArray, Executor

CONFIG = Path(__file__).with_name("config.yml")


def test_it_cuts_texts_into_sentences() -> None:
    """The chunks stay the same when a Document comes twice."""
    executor = Executor.load_config(str(CONFIG), uses_with={"longest": 10})
    doc = Document(id="a", text="One. Two words!\nA longer sentence")
    for _ in range(2):
        executor("/segment", docs=DocumentArray([doc]))
        assert [chunk.text for chunk in doc.chunks] == [
            "One.",
            "Two words!",
            "A longer s",
            "entence",
        ]
    assert [doc.text[slice(*map(int, chunk.location))] for chunk in doc.chunks] == [
        chunk.text for chunk in doc.chunks
    ]


def test_a_request_may_have_no_documents() -> None:
    """As `jina post /segment` from a terminal sends it."""
    executor = Executor.load_config(str(CONFIG))
    executor("/segment", docs=None)
    empty = DocumentArray([Document()])
    executor("/segment", docs=empty)
    assert len(empty[0].chunks) == 0
