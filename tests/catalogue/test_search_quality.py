"""How many questions about Python the search answers, over the passages in `flows/data`.

`questions.jsonl` is given; `tuning_questions.jsonl` was looked at while weights were chosen;
`own_questions.jsonl` was written at the same time and looked at only once they were;
`held_out_questions.jsonl` was written much later, before any of its answers were seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jina import Document, DocumentArray

HERE = Path(__file__).parent
FLOWS = HERE.parents[1] / "flows"


def documents(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def ask(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Everything indexed with the settings of search.yml; a question in, its matches out."""
    flow = yaml.safe_load((FLOWS / "search.yml").read_text(encoding="utf-8"))
    settings = {entry["name"]: entry["uses_with"] for entry in flow["executors"]}
    encoder = catalogue("HashedTextEncoder/executor.py").HashedTextEncoder(**settings["encoder"])
    metas = {"workspace": str(tmp_path_factory.mktemp("search")), "name": "indexer"}
    open_indexer = catalogue("VectorIndexer/executor.py").VectorIndexer
    indexer = open_indexer(metas=metas, **settings["indexer"])
    passages = documents(FLOWS / "data" / "python-topics.jsonl")
    for start in range(0, len(passages), 100):
        docs = DocumentArray([Document(passage) for passage in passages[start : start + 100]])
        encoder.encode_passages(docs)
        indexer.index(docs)
    indexer.close()
    # Asked after a restart: what stands on disk has to answer.
    indexer = open_indexer(metas=metas, **settings["indexer"])

    def ask(question: str) -> Any:
        docs = DocumentArray([Document(text=question)])
        encoder.encode_queries(docs)
        indexer.search(docs, parameters={})
        return docs[0].matches

    yield ask
    indexer.close()


@pytest.mark.parametrize(
    ("file", "least"),
    [
        ("questions.jsonl", 10),
        ("tuning_questions.jsonl", 49),
        ("own_questions.jsonl", 47),
        ("held_out_questions.jsonl", 60),
    ],
)
def test_questions_are_answered_among_the_first_three_matches(
    ask: Callable[..., Any], file: str, least: int
) -> None:
    questions = documents(HERE / file)
    missed = [
        question["text"]
        for question in questions
        if not any(
            match.tags["topic"] in question["expected_topics"] for match in ask(question["text"])
        )
    ]
    answered = len(questions) - len(missed)
    assert answered >= least, f"{answered} of {len(questions)}; not: {'; '.join(missed)}"


def test_matches_come_with_scores_in_their_order_and_without_repeats(
    ask: Callable[..., Any],
) -> None:
    matches = ask("How do I catch an exception?")
    scores = [match.scores["dot"].value for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0
    assert len({match.text for match in matches}) == len(matches) == 3


def test_a_question_without_a_known_word_has_no_matches(ask: Callable[..., Any]) -> None:
    assert list(ask("zzzyqx")) == []
    assert list(ask("")) == []
