"""One Executor in this process: errors of its methods, whatever they are."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest

from jina import Executor, requests, trial
from jina.config import load_executor
from jina.defaults import KIB
from jina.excepts import ExecutorError


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
    what = "the constructor of Unfinished raised Mute\n"
    with pytest.raises(ExecutorError, match=what), trial.constructed(config, os.getcwd()):
        pass
