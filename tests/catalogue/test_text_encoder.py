"""HashedTextEncoder: what its vectors are worth, and that every process computes the same."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from jina import Document, DocumentArray


@pytest.fixture
def encoder_class(catalogue: Any) -> Any:
    return catalogue("HashedTextEncoder/executor.py").HashedTextEncoder


def passages(encoder: Any, *texts: str) -> np.ndarray:
    docs = DocumentArray([Document(text=text) for text in texts])
    encoder.encode_passages(docs)
    return np.stack([doc.embedding for doc in docs]).astype(float)


def queries(encoder: Any, *texts: str) -> np.ndarray:
    docs = DocumentArray([Document(text=text) for text in texts])
    encoder.encode_queries(docs)
    return np.stack([doc.embedding for doc in docs]).astype(float)


def test_the_inner_product_is_the_bm25_score_without_rarity(encoder_class: Any) -> None:
    encoder = encoder_class(saturation=1.2, length_share=0.75, average_words=5, synonyms="")
    (passage,) = passages(encoder, "red apple red pear fig plum")
    red, pear, both = queries(encoder, "red", "pear", "red pear")
    damp = 1.2 * (0.25 + 0.75 * 6 / 5)
    assert math.isclose(passage @ red, 2 * 2.2 / (2 + damp), rel_tol=1e-3)
    assert math.isclose(passage @ pear, 1 * 2.2 / (1 + damp), rel_tol=1e-3)
    assert math.isclose(passage @ both, passage @ red + passage @ pear, rel_tol=1e-3)


def test_vectors_have_the_asked_width_and_dtype(encoder_class: Any) -> None:
    docs = DocumentArray([Document(text="a passage"), Document(text="another")])
    encoder_class(dimensions=64, dtype="float32").encode_passages(docs)
    assert [(doc.embedding.shape, doc.embedding.dtype) for doc in docs] == [((64,), np.float32)] * 2


def test_fields_count_by_their_weight(encoder_class: Any) -> None:
    encoder = encoder_class(fields={"text": 1, "tags.title": 3}, length_share=0)
    titled = Document(text="pear", tags={"title": "apple", "other": "plum"})
    docs = DocumentArray([titled, Document(text="pear")])
    encoder.encode_passages(docs)
    apple, pear, plum = queries(encoder, "apple", "pear", "plum")
    first, second = (doc.embedding.astype(float) for doc in docs)
    assert first @ apple > first @ pear > 0
    assert first @ plum == 0
    assert math.isclose(first @ pear, second @ pear)


def test_a_document_without_words_gets_zeros(encoder_class: Any) -> None:
    docs = DocumentArray([Document(text="of the"), Document(buffer=b"\x00\x01")])
    encoder_class().encode_passages(docs)
    assert [not doc.embedding.any() for doc in docs] == [True, True]
    assert docs[1].buffer == b"\x00\x01"


def test_no_documents_are_no_error(encoder_class: Any) -> None:
    encoder_class().encode_passages(None)
    encoder_class().encode_queries(None)


def test_another_process_computes_the_same_vector(encoder_class: Any, catalogue: Any) -> None:
    script = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from executor import HashedTextEncoder
        from jina import Document, DocumentArray
        docs = DocumentArray([Document(text="Slicings select a range of items")])
        HashedTextEncoder().encode_passages(docs)
        sys.stdout.write(docs[0].embedding.tobytes().hex())
    """
    folder = str(Path(catalogue("HashedTextEncoder/executor.py").__file__).parent)
    command = [sys.executable, "-c", dedent(script), folder]
    there = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    (here,) = passages(encoder_class(), "Slicings select a range of items")
    assert np.array_equal(np.frombuffer(bytes.fromhex(there), np.float16), here)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fields": {"uri": 1}}, "fields: 'uri' is neither `text` nor `tags.` and a name"),
        ({"dimensions": 0}, "dimensions: 0 is less than 1"),
        ({"dtype": "int8"}, "dtype: int8 is no floating point type"),
        (
            {"length_share": 2},
            "saturation and average_words are above 0, length_share is 0 to 1",
        ),
    ],
)
def test_a_value_out_of_range_is_refused(
    encoder_class: Any, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        encoder_class(**values)


def test_a_missing_file_of_synonyms_is_told(encoder_class: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt"):
        encoder_class(synonyms="nowhere.txt")
