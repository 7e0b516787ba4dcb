"""One Executor in this process: errors of its methods, whatever they are."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from jina import Document, DocumentArray, Executor, requests, trial
from jina.config import load_executor
from jina.defaults import KIB
from jina.excepts import ExecutorError
from jina.readers import Chunk
from jina.readers.rows import Rows


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Failing(Executor):
    """Raises in each way that an error can be odd."""

    @requests(on="/mute")
    def mute(self, **kwargs: Any) -> None:
        raise Mute

    @requests(on="/long")
    def long(self, **kwargs: Any) -> None:
        raise ValueError("<" + "x" * 1024 * KIB + ">")

    @requests(on="/surrogate")
    def surrogate(self, **kwargs: Any) -> None:
        raise ValueError("\udcff")


def outcome_of(endpoint: str) -> tuple[dict[str, str], trial.Outcome]:
    with trial.constructed(load_executor(Failing), os.getcwd()) as executor:
        (outcome,) = trial.outcomes(executor, endpoint, [None])
    return msgspec.json.decode(outcome.lines)["error"], outcome


def test_an_error_without_a_text_is_told_all_the_same() -> None:
    error, outcome = outcome_of("/mute")
    assert error["type"] == f"{__name__}.Mute"
    assert error["message"] == "<its __str__ raised RuntimeError>"
    assert "Mute" in outcome.traceback
    assert outcome.failed == 1


def test_of_a_long_text_head_and_tail_are_kept() -> None:
    error, outcome = outcome_of("/long")
    text = error["message"]
    assert len(text) <= 8 * KIB
    assert text.startswith("<xxx")
    assert "x\n[...]\nx" in text
    assert text.endswith("xxx>")
    assert len(outcome.traceback) <= 64 * KIB


def test_what_is_no_utf_8_is_escaped() -> None:
    assert outcome_of("/surrogate")[0]["message"] == "\\udcff"


class Unfinished(Executor):
    """Raises in its constructor."""

    def __init__(self, **kwargs: Any) -> None:
        raise Mute


def test_a_constructor_that_raises_such_an_error_is_named() -> None:
    config = load_executor(Unfinished)
    what = "the constructor of Unfinished raised Mute: <its __str__ raised RuntimeError>"
    with pytest.raises(ExecutorError) as caught, trial.constructed(config, os.getcwd()):
        pass
    assert str(caught.value) == what
    assert caught.value.details.startswith("Traceback")
    assert "raise Mute\n" in caught.value.details


class Picky(Executor):
    """Raises for one text, after it has changed the Documents before that."""

    calls = 0

    @requests
    def shout(self, docs: DocumentArray, **kwargs: Any) -> None:
        self.calls += 1
        for doc in docs:
            doc.id += "-changed"
            if doc.text == "bad":
                raise ValueError("bad text")
            doc.text = doc.text.upper()

    @requests(on="/once", once=True)
    def shout_once(self, docs: DocumentArray, **kwargs: Any) -> None:
        self.shout(docs)


TEXTS = ["a", "b", "bad", "c", "d", "e", "bad", "f"]


def results(source: Any, endpoint: str) -> tuple[list[dict[str, Any]], list[trial.Outcome], int]:
    with trial.constructed(load_executor(Picky), os.getcwd()) as executor:
        assert isinstance(executor, Picky)
        found = list(trial.outcomes(executor, endpoint, source))
        lines = b"".join(outcome.lines for outcome in found)
        return msgspec.json.Decoder().decode_lines(lines), found, executor.calls


def chunk_of(*lines: str) -> Chunk:
    return Chunk([f"{line}\n".encode() for line in lines], len(lines), 1, "in.jsonl", "key")


def test_only_the_lines_fail_that_the_method_raises_for() -> None:
    lines = [f'{{"id": "{row}", "text": "{text}"}}' for row, text in enumerate(TEXTS)]
    lines[4] = "no JSON"
    found, outcomes, calls = results([chunk_of(*lines)], "/any")
    assert [line.get("text", line.get("error", {}).get("type")) for line in found] == [
        "A", "B", "ValueError", "C", "jina.excepts.BadLine", "E", "ValueError", "F",
    ]  # fmt: skip
    assert [found[2]["id"], found[6]["id"], found[0]["id"]] == ["2", "6", "0-changed"]
    assert (outcomes[0].total, outcomes[0].failed) == (8, 3)
    assert outcomes[0].traceback.count("ValueError: bad text") == 1  # not those of the halves
    assert calls <= 2 * len(TEXTS) - 1


def test_rows_are_told_apart_likewise() -> None:
    docs = DocumentArray([Document(id=str(row), text=text) for row, text in enumerate(TEXTS)])
    found, (outcome,), _ = results([Rows(docs, None, None, len(docs))], "/any")
    assert [line.get("text", "") for line in found] == ["A", "B", "", "C", "D", "E", "", "F"]
    assert [found[2]["id"], found[6]["id"]] == ["2", "6"]
    assert (outcome.total, outcome.failed) == (8, 2)


def test_a_method_that_must_not_see_a_document_twice_is_called_once() -> None:
    lines = [f'{{"id": "{row}", "text": "{text}"}}' for row, text in enumerate(TEXTS)]
    found, (outcome,), calls = results([chunk_of(*lines)], "/once")
    assert calls == 1
    assert (outcome.total, outcome.failed) == (8, 8)
    assert [line["id"] for line in found] == [str(row) for row in range(8)]
