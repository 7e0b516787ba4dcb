"""An Executor as a function from batches to batches; no Ray is needed for that."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jina.excepts import JinaError
from jina.ray import Mapper

SOURCE = """
import numpy as np
from jina import Document, DocumentArray, Executor, requests

class Enc(Executor):
    @requests(on="/encode")
    def encode(self, docs, parameters, **kwargs):
        for doc in docs:
            if doc.tags.get("bad"):
                raise ValueError("a bad one")
            doc.embedding = np.full(3, len(doc.text or ""), dtype=np.float32)
            doc.tags["length"] = len(doc.text or "") * parameters.get("times", 1)

    @requests(on="/cut")
    def cut(self, docs, **kwargs):
        return DocumentArray([Document(text=word) for doc in docs for word in doc.text.split()])

    @requests(on="/match")
    def match(self, docs, **kwargs):
        for doc in docs:
            doc.matches.append(Document(id="m", text="found"))

    @requests(on="/once", once=True)
    def once(self, docs, **kwargs):
        raise RuntimeError("never")

    @requests(on="/keep")
    def keep(self, docs, **kwargs):
        pass
"""


@pytest.fixture(scope="module")
def yaml(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("mapper")
    (folder / "enc.py").write_text(SOURCE)
    path = folder / "enc.yml"
    path.write_text("jtype: Enc\nmetas: {py_modules: [enc.py]}\n")
    return str(path)


def texts(*found: str) -> np.ndarray[Any, Any]:
    return np.array(found, dtype=object)


def test_columns_become_documents_and_come_back(yaml: str) -> None:
    mapped = Mapper(yaml, "encode", parameters={"times": 10})(
        {"id": texts("a", "b"), "text": texts("x", "yy"), "price": np.array([1, 2])}
    )
    assert mapped["id"].tolist() == ["a", "b"]
    assert mapped["text"].tolist() == ["x", "yy"]
    assert mapped["price"].tolist() == [1, 2]
    assert mapped["length"].tolist() == [10, 20]
    assert mapped["embedding"].dtype == np.float32
    assert mapped["embedding"].tolist() == [[1, 1, 1], [2, 2, 2]]
    assert mapped["error"].tolist() == [None, None]


def test_a_document_that_fails_is_a_row_with_an_error(yaml: str) -> None:
    mapper = Mapper(yaml, "/encode")
    batch = {"text": texts("a", "bb", "ccc", "d"), "bad": [False, True, False, False]}
    mapped = mapper(batch)
    assert mapped["text"].tolist() == ["a", "bb", "ccc", "d"]
    assert mapped["error"].tolist() == [None, "ValueError: a bad one", None, None]
    assert np.isnan(mapped["embedding"][1]).all()
    assert mapped["embedding"][2].tolist() == [3, 3, 3]
    # A batch in which all fail has the same columns, as far as they are known.
    alone = mapper({"text": texts("a"), "bad": [True]})
    assert alone["embedding"].shape == (1, 3)
    assert alone["error"].tolist() == ["ValueError: a bad one"]


def test_a_row_that_is_no_document_is_an_error_in_its_place(yaml: str) -> None:
    mapped = Mapper(yaml, "/keep")({"id": ["a", "b", "c"], "thing": ["x", object(), "z"]})
    assert mapped["id"].tolist() == ["a", "b", "c"]
    assert [error is None for error in mapped["error"]] == [True, False, True]
    nested = Mapper(yaml, "/keep")({"id": ["a", "b"], "matches": ["[{", "[]"]})
    assert [error is None for error in nested["error"]] == [False, True]


def test_a_method_that_may_run_only_once_fails_the_whole_batch(yaml: str) -> None:
    mapped = Mapper(yaml, "/once")({"text": texts("a", "b")})
    assert mapped["error"].tolist() == ["RuntimeError: never"] * 2


def test_other_documents_become_the_rows(yaml: str) -> None:
    mapped = Mapper(yaml, "/cut")({"text": texts("a b", "c")})
    assert mapped["text"].tolist() == ["a", "b", "c"]
    assert mapped["error"].tolist() == [None] * 3


def test_nested_documents_are_json(yaml: str) -> None:
    mapper = Mapper(yaml, "/match")
    once = mapper({"id": texts("a")})
    assert '"text":"found"' in once["matches"][0]
    assert mapper(once)["matches"][0].count('"text":"found"') == 2


def test_cells_without_a_value_and_other_kinds(yaml: str) -> None:
    batch = {
        "id": texts("a", "b"),
        "n": np.array([1.5, np.nan]),
        "when": np.array(["2026-01-02", "2026-01-03"], dtype="datetime64[s]"),
        "list": np.array([[1, 2], [3, 4]]),
        "tags": [{"k": "v", "none": None}, None],
        "blob": np.zeros((2, 2, 2), dtype=np.uint8),
    }
    mapped = Mapper(yaml, "/keep")(batch)
    assert mapped["n"].tolist() == [1.5, None]
    assert mapped["when"].tolist() == ["2026-01-02T00:00:00", "2026-01-03T00:00:00"]
    assert mapped["list"].tolist() == [[1, 2], [3, 4]]
    assert mapped["k"].tolist() == ["v", None]
    assert mapped["blob"].dtype == np.uint8
    assert mapped["blob"].shape == (2, 2, 2)
    assert "tags" not in mapped
    assert mapped["error"].tolist() == [None, None]
    (data,) = Mapper(yaml, "/keep")({"buffer": [b"\x00"]})["buffer"]
    assert data == b"\x00"


def test_a_column_gets_another_name_and_back(yaml: str) -> None:
    mapper = Mapper(yaml, "/encode", field_resolver={"question": "text", "vector": "embedding"})
    mapped = mapper({"question": texts("abc")})
    assert mapped["question"].tolist() == ["abc"]
    assert mapped["vector"].tolist() == [[3, 3, 3]]
    with pytest.raises(JinaError, match="one name"):
        Mapper(yaml, "/encode", field_resolver={"a": "text", "b": "text"})


def test_no_rows_and_a_copy(yaml: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(yaml).parent)
    mapper = pickle.loads(pickle.dumps(Mapper("enc.yml", "/encode")))
    monkeypatch.undo()
    assert mapper.executor == yaml
    assert mapper({"text": texts()})["error"].tolist() == []
    assert mapper({"text": texts("ab")})["length"].tolist() == [2]


def test_a_wrong_executor_is_told(tmp_path: Path) -> None:
    with pytest.raises(JinaError, match=r"none\.yml"):
        Mapper(tmp_path / "none.yml", "/encode")({"text": ["a"]})
