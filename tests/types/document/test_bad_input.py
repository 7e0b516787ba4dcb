"""Texts, numbers and tensors that are none: what they are is said, and nothing is guessed."""

from __future__ import annotations

import numpy as np
import pytest

from jina import Document
from jina.excepts import BadDocType, DocumentError


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the line ends too early, after byte 0"),
        ('{"a":NaN}', "NaN at byte 6, which is not a JSON number"),
        ('{"a":-Infinity}', "Infinity at byte 7, which is not a JSON number"),
        ('{"text":"\\ud800"}', "half of a surrogate pair, which is not a character"),
        ('{"a":1e999}', "a number beyond the range of float64"),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"chunks":[' * 100_000 + "]}" * 100_000, "nested too deeply"),
    ],
)
def test_text_that_is_no_json_says_where(text, why):
    with pytest.raises(BadDocType, match=f"^this text is not JSON: {why}$"):
        Document(text)


@pytest.mark.parametrize(
    ("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "-infinity")]
)
def test_numbers_that_are_none_are_named(value, name):
    with pytest.raises(BadDocType, match=f"`weight` is {name}, expected a finite number"):
        Document(weight=value)
    for doc in (Document(tags={"a": [value]}), Document(scores={"a": value})):
        with pytest.raises(DocumentError, match=f"is {name}, which JSON cannot represent$"):
            doc.json()


class Stubborn:
    """A tensor of a library that does not give its numbers away."""

    def __init__(self, error):
        self.error = error

    def numpy(self):
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("requires grad"), TypeError("sparse layout")])
def test_a_tensor_that_gives_no_numbers_is_a_typed_error(error):
    for field in ("blob", "embedding", "content"):
        with pytest.raises(BadDocType, match=f"this Stubborn is not a tensor: {error}"):
            Document(**{field: Stubborn(error)})
