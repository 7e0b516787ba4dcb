"""Documents in the words of Jina 2.0, 2.6 and 3."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from jina import Document, DocumentArray
from jina.records.dialects import JINA_3, JINA_20, JINA_26, WITH_UNSET, rewritten
from jina.types import codec
from tests.records.strategies import documents


def lines_of(docs: list[Document], form: Any = "list") -> bytes:
    return codec.render(DocumentArray(docs), tensors=form)


def two(docs: list[Document], *, is_dense: bool = False, is_full: bool = True) -> list[Any]:
    words = (JINA_20 if is_dense else JINA_26) + (WITH_UNSET if is_full else "")
    return _plain(rewritten(lines_of(docs, "base64" if is_dense else "list"), words))


def three(docs: list[Document]) -> list[Any]:
    return _plain(rewritten(lines_of(docs), JINA_3))


def _plain(lines: bytes) -> list[Any]:
    return [json.loads(line) for line in lines.splitlines()]


def test_a_document_of_jina_2_has_all_its_fields() -> None:
    doc = Document(id="a", text="hello", tags={"n": 1})
    expected = {
        **{"id": "a", "granularity": 0, "adjacency": 0, "parentId": "", "text": "hello"},
        **{"chunks": [], "weight": 0.0, "matches": [], "uri": "", "mimeType": "text/plain"},
        **{"tags": {"n": 1}, "location": [], "offset": 0, "embedding": None, "scores": {}},
        **{"modality": "", "evaluations": {}},
    }
    assert two([doc]) == [expected]
    del expected["embedding"]
    assert two([doc], is_full=False) == [expected]


def test_a_document_of_jina_3_has_null_for_what_is_not_set() -> None:
    names = [
        *("id", "parent_id", "granularity", "adjacency", "blob", "tensor", "mime_type", "text"),
        *("weight", "uri", "tags", "offset", "location", "embedding", "modality"),
        *("evaluations", "scores", "chunks", "matches"),
    ]
    assert three([Document(id="a")]) == [dict.fromkeys(names) | {"id": "a"}]
    (doc,) = three([Document(id="a", buffer=b"hi", embedding=[1, 2])])
    assert (doc["blob"], doc["embedding"], doc["tensor"]) == ("aGk=", [1, 2], None)
    (doc,) = three([Document(id="a", blob=np.array([1.5, 2]))])
    assert (doc["blob"], doc["tensor"]) == (None, [1.5, 2.0])


def test_children_and_scores_have_the_words_of_the_release_too() -> None:
    match = Document(id="m", parent_id="a", blob=np.array([1.0], np.float32))
    match.scores["cosine"] = {"value": 0.5, "op_name": "dot", "ref_id": "a"}
    doc = Document(id="a")
    doc.matches = [match]
    (found,) = two([doc], is_dense=True)
    (child,) = found["matches"]
    assert child["parentId"] == "a"
    assert child["scores"]["cosine"] == {
        **{"value": 0.5, "opName": "dot", "description": "", "operands": [], "refId": "a"},
    }
    assert child["blob"]["dense"]["dtype"] == "<f4"
    (child,) = three([doc])[0]["matches"]
    assert child["parent_id"] == "a"
    assert child["tensor"] == [1.0]
    assert child["scores"]["cosine"] == {
        **{"value": 0.5, "op_name": "dot", "description": None, "ref_id": "a"},
    }


def test_a_sparse_matrix_is_written_in_full() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.dok_matrix((2, 2), dtype=np.float32)
    matrix[0, 1] = 2
    docs = [Document(id="a", embedding=matrix)]
    full = [[0.0, 2.0], [0.0, 0.0]]
    assert two(docs)[0]["embedding"] == full
    assert three(docs)[0]["embedding"] == full
    dense = two(docs, is_dense=True)[0]["embedding"]["dense"]
    numbers = np.frombuffer(base64.b64decode(dense["buffer"]), dense["dtype"])
    assert numbers.reshape(dense["shape"]).tolist() == full
    huge = Document(id="a", embedding=sparse.coo_matrix((1 << 20, 1 << 20)))
    with pytest.raises(ValueError, match="too large"):
        two([huge])


def test_a_tensor_that_lists_do_not_carry_is_base64() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    holed = np.array([[np.nan]], np.float32)
    text = base64.b64encode(holed.tobytes()).decode()
    for tensor in (holed, sparse.csr_matrix(holed)):
        docs = [Document(id="a", embedding=tensor)]
        message = {"dense": {"buffer": text, "shape": [1, 1], "dtype": "<f4"}}
        assert two(docs)[0]["embedding"] == message
        assert three(docs)[0]["embedding"] == {"dtype": "<f4", "shape": [1, 1], "data": text}
        assert two(docs, is_dense=True)[0]["embedding"]["dense"]["buffer"] == text


@given(documents)
@settings(deadline=None, max_examples=80)
def test_any_document_comes_through_in_other_words(doc: Document) -> None:
    line = json.loads(lines_of([doc]))
    for found, names in (
        (two([doc])[0], {"parent_id": "parentId", "mime_type": "mimeType"}),
        (three([doc])[0], {"blob": "tensor", "buffer": "blob"}),
    ):
        for name, value in line.items():
            is_same = name in ("id", "text", "tags", "uri", "buffer", "weight", "location")
            if is_same or name in ("parent_id", "mime_type", "modality", "offset"):
                assert found[names.get(name, name)] == value
            elif name in ("chunks", "matches"):
                assert [each["id"] for each in found[name]] == [each["id"] for each in value]
            elif name in ("scores", "evaluations"):
                values = {key: score.get("value", 0.0) for key, score in value.items()}
                assert {key: score["value"] for key, score in found[name].items()} == values
