"""Documents and what stands around them, in the words of Jina 2.0, 2.6 and 3."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from jina import Document, DocumentArray
from jina.http.envelopes import Facts, OneFailed, envelope, in_list, partly
from jina.records.dialects import JINA_3, JINA_20, JINA_26, WITH_UNSET, rewritten
from jina.types import codec
from jina.wire.maps import ErrorInfo, Leg, Way
from tests.http.protos import parsed
from tests.records.strategies import documents

BOOM = ErrorInfo(
    "my_module.MyError",
    "boom",
    "upper",
    0,
    'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    raise\nMyError: boom\n',
)
WAY = Way(
    legs=[
        Leg("upper", 0, 1, 100.0, 100.5, 101.0),
        Leg("upper", 1, 1, 100.0, 100.25, 101.5),
        Leg("index", 0, 1, 101.5, 102.0, 103.25),
    ],
    arrived=100.0,
    left=104.0,
)


def lines_of(docs: list[Document], form: Any = "list") -> bytes:
    return codec.render(DocumentArray(docs), tensors=form)


def two(docs: list[Document], *, is_dense: bool = False, is_full: bool = True) -> list[Any]:
    words = (JINA_20 if is_dense else JINA_26) + (WITH_UNSET if is_full else "")
    return _plain(rewritten(lines_of(docs, "base64" if is_dense else "list"), words))


def three(docs: list[Document]) -> list[Any]:
    return _plain(rewritten(lines_of(docs), JINA_3))


def _plain(lines: bytes) -> list[Any]:
    return [json.loads(line) for line in lines.splitlines()]


def parsed_2(release: str, docs: list[Document]) -> Any:
    form = "base64" if release == JINA_20 else "list"
    found = in_list(rewritten(lines_of(docs, form), release + WITH_UNSET))
    return parsed(release, json.loads(envelope(Facts(release), found, WAY)))


# --- Documents ---


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


@pytest.mark.parametrize("release", ["2.0", "2.6"])
def test_clients_of_jina_2_read_documents_with_everything(release: str) -> None:
    doc = Document(id="a", text="ä", tags={"k": [1, {"z": None}]}, weight=0.5, location=[1, 2])
    doc.embedding = np.array([[1, 2], [3, 4]], np.float32)
    doc.evaluations["p"] = 0.25
    doc.chunks = [Document(id="c", buffer=b"\x00", granularity=1, offset=3, modality="image")]
    message = parsed_2(release, [doc, Document(id="b")])
    (first, second) = message.data.docs
    assert (first.text, first.weight, first.tags["k"][0]) == ("ä", 0.5, 1)
    assert first.evaluations["p"].value == 0.25
    assert (first.chunks[0].buffer, first.chunks[0].modality) == (b"\x00", "image")
    assert second.id == "b"
    if release == "2.0":
        dense = first.embedding.dense
        numbers = np.frombuffer(dense.buffer, dense.dtype).reshape(list(dense.shape))
        assert numbers.tolist() == [[1, 2], [3, 4]]


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


# --- what stands around them ---


@pytest.mark.parametrize("release", ["2.0", "2.6", "3"])
def test_routes_name_each_node_once_with_its_time(release: str) -> None:
    body = json.loads(envelope(Facts(release, endpoint="/x", request_id="r"), [], WAY))
    name = "executor" if release == "3" else "pod"
    routes = [(each[name], each["startTime"][17:], each["endTime"][17:]) for each in body["routes"]]
    suffix = "" if release == "3" else "/ZEDRuntime"
    assert routes == [
        ("gateway", "40.000000+00:00", "44.000000+00:00"),
        (f"upper{suffix}", "40.250000+00:00", "41.500000+00:00"),
        (f"index{suffix}", "42.000000+00:00", "43.250000+00:00"),
    ]
    assert all(each["status"] is None for each in body["routes"])
    message = parsed(release, body)
    assert len(message.routes) == 3
    assert (message.header if release == "3" else message).request_id == "r"
    pods = [each.get("podId", "") for each in body["routes"]]
    assert all(len(pod) == {"2.0": 36, "2.6": 32, "3": 0}[release] for pod in pods)


def test_answers_of_index_of_jina_2_have_only_documents() -> None:
    facts = Facts("2.6", has_routes=False, request_id="r")
    found = json.loads(envelope(facts, [], WAY))
    assert found == {"requestId": "r", "data": {"docs": [], "groundtruths": []}}


@pytest.mark.parametrize("release", ["2.0", "2.6", "3"])
def test_a_client_sees_an_error_where_its_release_has_it(release: str) -> None:
    body = json.loads(envelope(Facts(release, is_client=True), [], WAY, error=BOOM))
    message = parsed(release, body)
    status = message.header.status if release == "3" else message.status
    assert status.description == "MyError('boom')"
    assert status.code == (1 if release == "3" else 3)
    assert status.exception.name == ("MyError" if release == "3" else "")
    (route,) = [each for each in message.routes if each.status.description]
    assert route.status.exception.args == ["boom"]
    assert route.status.exception.executor == "upper"
    assert list(route.status.exception.stacks) == [
        "Traceback (most recent call last):\n",
        '  File "a.py", line 1, in f\n    raise\n',
        "MyError: boom\n",
    ]


def test_an_error_of_a_node_that_never_began_has_a_route() -> None:
    body = json.loads(envelope(Facts("3"), [], Way(arrived=1.0, left=2.0), error=BOOM))
    assert [each["executor"] for each in body["routes"]] == ["gateway", "upper"]


def test_some_failed_documents_are_told_beside_the_others() -> None:
    failed = [OneFailed(1, "b", "a.MyError", "boom"), OneFailed(2, "c", "ValueError", "no")]
    body = json.loads(envelope(Facts("2.6"), [], WAY, failed=failed))
    assert body["errors"] == [
        {"index": 1, "id": "b", "type": "a.MyError", "message": "boom"},
        {"index": 2, "id": "c", "type": "ValueError", "message": "no"},
    ]
    assert partly(failed, 3) == "2 of 3 Documents failed; the first error: MyError: boom"


def test_parameters_are_those_that_were_sent() -> None:
    sent = Facts("2.6", echo=msgspec.Raw(b'{"a":1}'))
    assert json.loads(envelope(sent, [], WAY))["parameters"] == {"a": 1}
    assert json.loads(envelope(Facts("2.6"), [], WAY))["parameters"] is None
    assert json.loads(envelope(Facts("3"), [], WAY))["parameters"] == {}
