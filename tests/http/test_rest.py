"""Statuses and whole answers of Jina's REST API, from a front beside a running Flow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jina import __version__
from tests.http.fronts import Answer, FrontProcess, front_beside, is_answered
from tests.http.protos import parsed
from tests.shell import Shell

EXECUTOR = """\
from jina import Executor, requests


class Odd(Exception):
    pass


class Checker(Executor):
    @requests(on="/check")
    def check(self, docs, **kwargs):
        for doc in docs:
            if doc.text == "odd":
                raise Odd("this is odd")
            if doc.text == "nameless":
                doc.id = ""
            doc.text = doc.text.upper()
            doc.tags.get("x")

    @requests(on="/slow")
    def slow(self, parameters, **kwargs):
        import time

        time.sleep(parameters["s"])
"""
FLOW = """\
jtype: Flow
executors:
  - name: checker
    uses: Checker
    py_modules: checker.py
  - name: other
    uses: Checker
    py_modules: checker.py
"""
CLIENTS: dict[str, dict[str, Any]] = {
    "2.0": {"request_id": "badb9ccc-6670-48fc-abf5-4871dbfc2d77"},
    "2.6": {"request_id": "865c34256aba43e59d8d19cf23941d4f"},
    "3": {"header": {"request_id": "45330b0352c6426780729ec53b9bfdfc"}},
}
GOOD, ODD = {"id": "a", "text": "good"}, {"id": "b", "text": "odd"}
BAD = {"id": "c", "text": "x", "buffer": "eA=="}


@pytest.fixture(scope="module")
def front(shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("checker.py", EXECUTOR)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, flow="checks", timeout=2.0, max_docs=100) as found:
            assert is_answered(found, "/check", {"data": ["a"]})
            yield found


def check(front: FrontProcess, data: Any, **more: Any) -> Answer:
    return front.post("/post", {"data": data, "execEndpoint": "/check", **more})


# --- whoever has curl ---


def test_all_went_well(front: FrontProcess) -> None:
    answer = front.post("/check", {"data": [GOOD, {"text": "you"}]})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert "x-jina-failed" not in answer.headers
    assert "x-jina-served" not in answer.headers
    docs = answer.json()["data"]["docs"]
    assert [doc["text"] for doc in docs] == ["GOOD", "YOU"]


def test_some_documents_failed(front: FrontProcess) -> None:
    answer = check(front, [GOOD, ODD, GOOD])
    body = answer.json()
    assert (answer.status, answer.headers["x-jina-failed"]) == (200, "1")
    assert [doc.get("text") for doc in body["data"]["docs"]] == ["GOOD", None, "GOOD"]
    error = {"type": "checker.Odd", "message": "this is odd", "executor": "checker"}
    assert body["data"]["docs"][1] == {"id": "b", "error": {**error, "endpoint": "/check"}}
    told = {"index": 1, "id": "b", "type": "checker.Odd", "message": "this is odd"}
    assert body["errors"] == [told]


@pytest.mark.parametrize("data", [[ODD], [ODD, ODD]])
def test_all_documents_failed(front: FrontProcess, data: Any) -> None:
    answer = check(front, data)
    assert answer.status == 500
    assert answer.json()["error"] == {
        "type": "checker.Odd",
        "message": "this is odd",
        "executor": "checker",
        "endpoint": "/check",
    }


def test_a_document_that_cannot_be_built(front: FrontProcess) -> None:
    answer = check(front, [GOOD, BAD])
    problem = {
        "loc": ["body", "data", 1],
        "msg": "one Document has one content, not text and buffer",
        "type": "value_error",
    }
    assert (answer.status, answer.json()) == (422, {"detail": [problem]})


def test_several_documents_that_cannot_be_built_are_all_told(front: FrontProcess) -> None:
    answer = check(front, [BAD, {"blob": "x"}, {"tags": 5}])
    assert answer.status == 422
    places = [each["loc"] for each in answer.json()["detail"]]
    assert places == [["body", "data", 0], ["body", "data", 1], ["body", "data", 2]]


def test_nobody_serves_the_endpoint(front: FrontProcess) -> None:
    answer = front.post("/post", {"data": [GOOD], "execEndpoint": "/chek"})
    assert (answer.status, answer.headers["x-jina-served"]) == (200, "0")
    assert answer.json()["data"]["docs"][0]["text"] == "good"
    answer = front.post("/index", {"data": [GOOD]})
    assert (answer.status, answer.headers["x-jina-served"]) == (200, "0")


def test_a_path_that_is_not_served_names_the_nearest(front: FrontProcess) -> None:
    answer = front.post("/chek", {"data": [GOOD]})
    error = {
        "type": "not_found",
        "message": "no Executor serves /chek",
        "hint": "did you mean /check?",
    }
    assert (answer.status, answer.json()) == (404, {"error": error})


def test_an_answer_that_takes_too_long(front: FrontProcess) -> None:
    answer = front.post("/slow", {"data": [GOOD], "parameters": {"s": 3}})
    assert answer.status == 504
    assert answer.json()["error"]["type"] == "timeout"


@pytest.mark.parametrize(
    ("target", "seen"),
    [("checker", ["checker"]), ("nobody", []), ("o.*", ["other"]), ("", ["checker", "other"])],
)
def test_a_target_names_executors(front: FrontProcess, target: str, seen: list[str]) -> None:
    answer = check(front, [GOOD], targetExecutor=target)
    assert answer.status == 200
    assert [route["executor"] for route in answer.json()["routes"]] == ["gateway", *seen]
    assert answer.headers.get("x-jina-served") == (None if seen else "0")


@pytest.mark.parametrize("target", ["(", "(a|a)*b", "a*a*a*a*b", "a" * 300])
def test_a_target_that_is_no_expression_or_not_a_simple_one(
    front: FrontProcess, target: str
) -> None:
    answer = check(front, [GOOD], targetExecutor=target)
    assert answer.status == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "targetExecutor"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type(front: FrontProcess, kind: str) -> None:
    answer = front.ask("POST", "/check", b'{"data": []}', {"Content-Type": kind})
    assert answer.status == 415
    assert answer.json()["error"]["type"] == "unsupported_media_type"
    assert "Content-Type: application/json" in answer.json()["error"]["hint"]


def test_too_many_documents(front: FrontProcess) -> None:
    answer = check(front, [GOOD] * 101)
    assert answer.status == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "data"]


@pytest.mark.parametrize("before", [b"", b'{"text": "a"}, '])
def test_a_number_in_tags_that_is_too_large(front: FrontProcess, before: bytes) -> None:
    data = before + b'{"text": "a", "tags": {"x": [1, 1e999]}}'
    answer = front.ask("POST", "/check", b'{"data": [' + data + b"]}")
    problem = {
        "loc": ["body", "data", int(bool(before)), "tags", "x", 1],
        "msg": "`tags.x.1` is beyond the range of float64",
        "type": "value_error",
    }
    assert (answer.status, answer.json()) == (422, {"detail": [problem]})


def test_what_is_wrong_is_told_in_words_of_json(front: FrontProcess) -> None:
    wrong = {
        "`text` is a number, expected text": {"text": 5},
        "`weight` is text, expected a number": {"weight": "a"},
        "`chunks` is an object, expected a list of Documents": {"chunks": {}},
        "`embedding` is not a tensor: a tensor is made of numbers, not of text": {"embedding": "x"},
    }
    answer = check(front, list(wrong.values()))
    assert [each["msg"] for each in answer.json()["detail"]] == list(wrong)


def test_a_request_id_of_a_header_is_that_of_the_answer(front: FrontProcess) -> None:
    for path, more in (("/check", {}), ("/post", {"execEndpoint": "/check"})):
        for data, status in (([GOOD], 200), ([ODD], 500)):
            answer = front.post(path, {"data": data, **more}, **{"X-Request-ID": "mine-7"})
            assert (answer.status, answer.json()["requestId"]) == (status, "mine-7")
            assert answer.headers["x-request-id"] == "mine-7"
    answer = front.post("/check", {"data": [GOOD], **CLIENTS["2.6"]}, **{"X-Request-ID": "mine-7"})
    assert answer.json()["requestId"] == CLIENTS["2.6"]["request_id"]
    answer = front.post("/check", {"data": [GOOD]}, **{"X-Request-ID": "x" * 200})
    assert "xx" not in answer.json()["requestId"]


def test_an_endpoint_must_be_named(front: FrontProcess) -> None:
    answer = front.post("/post", {"data": [GOOD]})
    problem = {
        "loc": ["body", "execEndpoint"],
        "msg": "field required",
        "type": "value_error.missing",
    }
    assert (answer.status, answer.json()) == (422, {"detail": [problem]})


def test_what_is_wrong_in_a_line_only_a_worker_sees(front: FrontProcess) -> None:
    body = b'{"data": [{"text": "a"}, {"text": "\xff"}, {"weight": 1e999}]}'
    answer = front.ask("POST", "/check", body)
    assert answer.status == 422
    found = {each["loc"][-1]: each["msg"] for each in answer.json()["detail"]}
    assert found.keys() == {1, 2}
    assert "UTF-8" in found[1]


# --- Jina's clients ---


@pytest.mark.parametrize("release", CLIENTS)
def test_a_client_whose_request_failed(front: FrontProcess, release: str) -> None:
    answer = check(front, [ODD], **CLIENTS[release])
    assert answer.status == 200
    message = parsed(release, answer.json())
    status = message.header.status if release == "3" else message.status
    assert status.description == "Odd('this is odd')"
    docs = message.data.docs.docs if release == "3" else message.data.docs
    assert [doc.text for doc in docs] == ["odd"]
    (route,) = [each for each in message.routes if each.status.description]
    assert "checker.py" in "".join(route.status.exception.stacks)


@pytest.mark.parametrize("release", CLIENTS)
def test_a_client_some_of_whose_documents_failed(front: FrontProcess, release: str) -> None:
    answer = check(front, [GOOD, ODD], **CLIENTS[release])
    assert (answer.status, answer.headers["x-jina-failed"]) == (200, "1")
    message = parsed(release, answer.json())
    status = message.header.status if release == "3" else message.status
    assert status.code == (1 if release == "3" else 3)
    assert status.description == "1 of 2 Documents failed; the first error: Odd: this is odd"
    docs = message.data.docs.docs if release == "3" else message.data.docs
    assert [doc.text for doc in docs] == ["GOOD", "odd"]


@pytest.mark.parametrize("release", CLIENTS)
def test_a_document_that_has_lost_its_id_beside_one_that_failed(
    front: FrontProcess, release: str
) -> None:
    nameless = {"text": "nameless", "tags": {"error": "a tag of this name is none"}}
    answer = check(front, [nameless, ODD], **CLIENTS[release])
    assert (answer.status, answer.headers["x-jina-failed"]) == (200, "1")
    message = parsed(release, answer.json())
    docs = message.data.docs.docs if release == "3" else message.data.docs
    assert [(doc.id, doc.text) for doc in docs] == [("", "NAMELESS"), ("b", "odd")]


@pytest.mark.parametrize("release", CLIENTS)
def test_a_client_gets_its_request_id_back(front: FrontProcess, release: str) -> None:
    message = parsed(release, check(front, [GOOD], **CLIENTS[release]).json())
    given = CLIENTS[release].get("request_id", CLIENTS["3"]["header"]["request_id"])
    assert (message.header if release == "3" else message).request_id == given


# --- JSON lines ---


def lines(front: FrontProcess, path: str, body: bytes) -> Answer:
    return front.ask("POST", path, body, {"Content-Type": "application/x-ndjson"})


def test_json_lines_are_answered_with_json_lines(front: FrontProcess) -> None:
    answer = lines(front, "/check", b'{"text": "a"}\n{"text": "odd"}\n\nnot JSON\n{"text": "b"}')
    assert (answer.status, answer.headers["x-jina-failed"]) == (200, "2")
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.body.splitlines()]
    assert [row.get("text") for row in rows] == ["A", None, None, "B"]
    assert rows[1]["error"]["message"] == "this is odd"
    assert rows[2]["error"]["message"].startswith("body:4: not JSON")


def test_json_lines_take_the_rest_from_the_url(front: FrontProcess) -> None:
    line = b'{"text": "a"}\n'
    answer = lines(front, "/post?endpoint=/check&target=nobody&parameters=%7B%22a%22%3A1%7D", line)
    assert (answer.status, answer.headers["x-jina-served"]) == (200, "0")
    assert answer.json()["text"] == "a"
    assert lines(front, "/post", line).json()["detail"][0]["loc"] == ["query", "endpoint"]
    for wrong in ("5", "%7B", '"a"'):
        answer = lines(front, f"/check?parameters={wrong}", line)
        assert answer.status == 422
        assert answer.json()["detail"][0]["loc"][:2] == ["query", "parameters"]
    assert lines(front, "/check?target=(", line).status == 422
    assert lines(front, "/check", b"\n" * 101).status == 422


def test_what_nobody_would_read_is_refused(front: FrontProcess) -> None:
    def refused(answer: Answer) -> dict[str, Any]:
        assert answer.status == 422
        (problem,) = answer.json()["detail"]
        return dict(problem)

    body = {"data": [GOOD]}
    found = refused(front.post("/check?top_k=9", body))
    assert found["loc"] == ["query", "top_k"]
    assert 'did you mean `"parameters": {"top_k": …}` in the body?' in found["msg"]
    found = refused(front.post("/check?parameters=%7B%7D", body))
    assert "did you mean `parameters` in the body?" in found["msg"]
    found = refused(front.ask("PUT", "/check?Params", body))
    assert found["loc"] == ["query", "Params"]
    assert front.post("/check?top_k=9", {**body, **CLIENTS["2.6"]}).status == 200
    found = refused(front.post("/check", {**body, "execEndpoint": "/slow"}))
    assert found["loc"] == ["body", "execEndpoint"]
    assert found["msg"].endswith("means /check, and `execEndpoint` says /slow; use /post")
    assert front.post("/check", {**body, "execEndpoint": "/check"}).status == 200
    assert front.post("/check", {**body, "execEndpoint": "/a", **CLIENTS["3"]}).status == 200
    line = b'{"text": "a"}\n'
    found = refused(lines(front, "/check?parametres=%7B%7D", line))
    assert found["loc"] == ["query", "parametres"]
    assert found["msg"] == "there is no such key; did you mean `parameters`?"
    assert refused(lines(front, "/check?top_k", line))["loc"] == ["query", "top_k"]
    assert refused(lines(front, "/check?endpoint=/a", line))["loc"] == ["query", "endpoint"]


def test_json_lines_that_all_failed(front: FrontProcess) -> None:
    for body in (b'{"id": "b", "text": "odd"}\n', b'{"text": "odd"}\n{"text": "odd"}\n'):
        answer = lines(front, "/check", body)
        assert (answer.status, answer.headers["x-jina-failed"]) == (500, str(body.count(b"\n")))
        rows = [json.loads(line) for line in answer.body.splitlines()]
        assert {row["error"]["type"] for row in rows} == {"checker.Odd"}
    assert lines(front, "/check", b"not JSON\n").status == 422


# --- what is said of the front itself ---


def test_the_status_has_the_three_parts_of_jina(front: FrontProcess) -> None:
    answer = front.ask("GET", "/status")
    assert answer.status == 200
    body = answer.json()
    assert list(body) == ["jina", "envs", "usedMemory"]
    assert body["jina"]["jina"] == __version__
    assert body["jina"]["flow"] == "checks"
    assert set(body["envs"].values()) <= {"(set)", "(unset)"}
    assert body["usedMemory"].endswith(" MB")


def test_a_dry_run_of_a_flow_that_takes_requests(front: FrontProcess) -> None:
    answer = front.ask("GET", "/dry_run")
    assert (answer.status, answer.json()) == (
        200,
        {"code": 0, "description": "", "exception": None},
    )
