"""An Executor is an ordinary class: no Flow is needed to test it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jina import Document, DocumentArray, Executor

CONFIG = Path(__file__).with_name("config.yml")


def opened(workspace: Path) -> Executor:
    """The Executor as its YAML describes it, with a workspace for the test."""
    return Executor.load_config(str(CONFIG), uses_metas={"workspace": str(workspace)})


def color(name: str, *vector: float) -> Document:
    """A Document with an embedding."""
    return Document(id=name, embedding=np.array(vector, np.float32))


def test_it_finds_the_nearest_also_after_a_restart(tmp_path: Path) -> None:
    """A Document that comes twice is kept once."""
    with opened(tmp_path) as executor:
        for _ in range(2):
            docs = DocumentArray([color("red", 1, 0), color("blue", 0, 1)])
            found = executor("/index", docs=docs)
            assert [doc.id for doc in found] == ["red", "blue"]
    with opened(tmp_path) as executor:
        query = DocumentArray([color("query", 0.9, 0.1)])
        executor("/search", docs=query, parameters={"top_k": 5})
        assert [match.id for match in query[0].matches] == ["red", "blue"]


def test_a_request_may_have_no_documents(tmp_path: Path) -> None:
    """As `jina post /search` from a terminal sends it."""
    with opened(tmp_path) as executor:
        executor("/index", docs=None)
        executor("/search", docs=None)
        executor("/search", docs=DocumentArray([color("query", 1, 0)]))  # nothing is kept yet
