"""What stands around the Documents of an answer, in the words of Jina 2.0, 2.6 and 3."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.http.envelopes import Facts, OneFailed, bare, envelope, in_list, partly
from jina.records.dialects import JINA_20, WITH_UNSET, rewritten
from jina.types import codec
from jina.wire.maps import ErrorInfo, Leg, Way
from tests.http.protos import parsed

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


def parsed_2(release: str, docs: list[Document]) -> Any:
    form: Any = "base64" if release == JINA_20 else "list"
    lines = codec.render(DocumentArray(docs), tensors=form)
    found = in_list(rewritten(lines, release + WITH_UNSET))
    return parsed(release, json.loads(envelope(Facts(release), found, WAY)))


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


@pytest.mark.parametrize("release", ["2.0", "2.6"])
@pytest.mark.parametrize("lines", [b"", b'{"id":"a"}\n', b'{"id":"a"}\n{"id":"b"}\n'])
def test_a_bare_answer_is_the_envelope_without_routes(release: str, lines: bytes) -> None:
    facts = Facts(release, has_routes=False, request_id='a "quoted" id')
    assert facts.is_bare
    assert bare(facts.request_id, lines) == envelope(facts, in_list(lines), WAY)
