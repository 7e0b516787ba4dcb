"""The text of an error in user code: what is told about errors that led to it."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from jina import Document, DocumentArray
from jina.excepts import DocumentError
from jina.executors.modules import import_module
from jina.executors.user_errors import trimmed_traceback
from jina.types import codec


@pytest.mark.parametrize(
    "value", [len, {1}, "\ud800", float("nan")], ids=lambda v: type(v).__name__
)
def test_a_value_that_json_cannot_carry_is_told_once(value: Any) -> None:
    docs = DocumentArray([Document(id="a", tags={"x": value})])
    with pytest.raises(DocumentError) as caught:
        codec.render(docs)
    text = trimmed_traceback(caught.value)
    assert "another exception" not in text
    assert "direct cause" not in text
    assert text.count("cannot be written as JSON") == 1
    assert text.count('File "') == text.count(__file__) == 1


def test_what_mends_such_a_value_is_told_with_it() -> None:
    with pytest.raises(DocumentError) as caught:
        codec.render(DocumentArray([Document(id="a", tags={"x": {1}})]))
    assert "help: tags can hold text, numbers" in trimmed_traceback(caught.value)


def test_an_earlier_error_of_the_users_own_code_stays_behind_one_of_ours() -> None:
    def fails() -> None:
        raise KeyError("mine")

    def middle() -> None:
        try:
            fails()
        except KeyError:
            codec.render(DocumentArray([Document(id="a", tags={"x": {1}})]))

    with pytest.raises(DocumentError) as caught:
        middle()
    text = trimmed_traceback(caught.value)
    assert "KeyError: 'mine'" in text
    assert text.count("During handling") == 1
    assert "direct cause" not in text
    assert text.count("`tags.x` is a set") == 1


def test_a_binary_file_that_is_no_module_is_named(tmp_path: Path) -> None:
    file = tmp_path / "binary.py"
    file.write_bytes(b"\0\1\2")
    with pytest.raises(SyntaxError) as caught:
        import_module(str(file))
    assert str(file) in str(caught.value)
    assert str(file) in trimmed_traceback(caught.value)


def test_each_place_and_each_message_has_its_own_traceback() -> None:
    def fail(number: int, *, is_deep: bool = False) -> None:
        if is_deep:
            fail(number)
        if number % 2:
            raise ValueError(f"odd: {number}")
        raise KeyError(number)

    def raised(number: int, *, is_deep: bool = False) -> Exception:
        with pytest.raises((ValueError, KeyError)) as caught:
            fail(number, is_deep=is_deep)
        return caught.value

    for number, is_deep in [(1, False), (1, True), (2, False), (3, False), (3, True), (4, False)]:
        error = raised(number, is_deep=is_deep)
        if number == 3:
            error.add_note("a note")
        assert trimmed_traceback(error) == "".join(traceback.format_exception(error))
