"""The bodies of requests: what becomes of them, and what is wrong with others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina.http import bodies
from jina.http.problems import BadBody, refusal

DOC = {"id": "a", "text": "hello"}


def read(body: Any, *, api: int = 2, max_docs: int = 10_000) -> bodies.Body:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return bodies.read(data, api=api, max_docs=max_docs)


def lines(body: Any, **options: Any) -> list[Any]:
    found = read(body, **options)
    rows = [json.loads(line) for line in found.lines.splitlines()]
    assert found.lines.count(b"\n") == len(rows) == found.rows
    return rows


def problem(body: Any, **options: Any) -> dict[str, Any]:
    with pytest.raises(BadBody) as caught:
        read(body, **options)
    answered = refusal(*caught.value.problems)
    assert answered.status == 422
    (found,) = json.loads(answered.body)["detail"]
    return dict(found)


def test_documents_stay_in_their_bytes() -> None:
    body = b'{"data": [{"id":"a",  "n": 1.50}, {"text": "b"}], "execEndpoint": "/index"}'
    found = read(body)
    assert found.lines == b'{"id":"a",  "n": 1.50}\n{"text": "b"}\n'
    assert (found.rows, found.endpoint, found.target, found.parameters) == (2, "/index", "", {})


def test_each_document_is_one_line_however_the_body_is_laid_out() -> None:
    body = json.dumps({"data": [DOC, {"tags": {"n": [1]}}]}, indent=2).replace("\n", "\r\n")
    assert lines(body.encode()) == [DOC, {"tags": {"n": [1]}}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"execEndpoint": "/index"}, "/index"),
        ({"exec_endpoint": "/index"}, "/index"),
        ({"header": {"exec_endpoint": "/index"}}, "/index"),
        ({"exec_endpoint": "/index", "execEndpoint": "/index"}, "/index"),
        ({"execEndpoint": None}, ""),
    ],
)
def test_the_endpoint_is_found_by_all_its_names(body: Any, expected: str) -> None:
    assert read(body).endpoint == expected


@pytest.mark.parametrize(
    "body",
    [
        {"targetExecutor": "upper"},
        {"target_executor": "upper"},
        {"targetPeapod": "upper"},
        {"target_peapod": "upper"},
        {"header": {"target_peapod": "upper"}},
        {"header": {"target_executor": "upper"}, "target_executor": "upper"},
    ],
)
def test_the_target_is_found_by_all_its_names(body: Any) -> None:
    assert read(body).target == "upper"


@pytest.mark.parametrize(
    ("body", "api", "dialect", "is_client"),
    [
        ({"request_id": "badb9ccc-6670-48fc-abf5-4871dbfc2d77"}, 3, "2.0", True),
        ({"request_id": "865c34256aba43e59d8d19cf23941d4f"}, 3, "2.6", True),
        ({"header": {"request_id": "45330b0352c6426780729ec53b9bfdfc"}}, 2, "3", True),
        ({"targetExecutor": ""}, 2, "3", True),
        ({}, 2, "2.6", False),
        ({}, 3, "3", False),
        ({"header": {"exec_endpoint": "/index"}}, 2, "2.6", False),
    ],
)
def test_who_asks_is_told_by_the_body(body: Any, api: int, dialect: str, is_client: bool) -> None:
    found = read(body, api=api)
    assert (found.dialect, found.is_client) == (dialect, is_client)


def test_parameters_are_decoded_and_kept_as_they_came() -> None:
    found = read(b'{"parameters": {"top_k": 3,  "x": 1.0}}')
    assert found.parameters == {"top_k": 3, "x": 1.0}
    assert bytes(found.echo) == b'{"top_k": 3,  "x": 1.0}'
    assert read({"parameters": None}).parameters == {}


@pytest.mark.parametrize("data", [None, [], {"docs": []}, {"docs": None}])
def test_a_request_may_have_no_documents(data: Any) -> None:
    found = read({"data": data})
    assert (found.lines, found.rows) == (b"", 0)


def test_documents_may_stand_in_a_map_with_their_groundtruths() -> None:
    assert lines({"data": {"docs": [DOC]}}) == [DOC]
    truth = {"tags": {"label": 1}}
    pair = {"document": DOC, "groundtruth": truth}
    assert lines({"data": {"docs": [DOC], "groundtruths": [truth]}}) == [pair]


def test_text_becomes_a_document_and_so_does_an_object_in_a_text() -> None:
    data = ["hello", '{"id": "x",\n "text": "j"}', "{not JSON", "ä\n", DOC]
    assert lines({"data": data}) == [
        {"text": "hello"},
        {"id": "x", "text": "j"},
        {"text": "{not JSON"},
        {"text": "ä\n"},
        DOC,
    ]


def test_documents_of_jina_3_are_renamed_and_lose_what_is_not_set() -> None:
    child = {"id": "c", "blob": "aGk=", "tensor": None, "tags": None}
    score = {"value": 0.25, "op_name": None, "description": None, "ref_id": None}
    doc = {
        **{"id": "a", "text": None, "tensor": [1, 2], "embedding": {"dense": {}}},
        **{"tags": {"k": None}, "scores": {"s": score}, "chunks": [child], "matches": None},
    }
    ours = {
        **{"id": "a", "blob": [1, 2], "embedding": {"dense": {}}, "tags": {"k": None}},
        **{"scores": {"s": {"value": 0.25}}, "chunks": [{"id": "c", "buffer": "aGk="}]},
    }
    assert lines({"data": [doc]}, api=3) == [ours]
    assert lines({"data": [doc]}, api=2) == [doc]


# --- what nobody would read ---


@pytest.mark.parametrize(
    ("body", "loc", "hint"),
    [
        ({"data": {"text": "a"}}, ["data"], 'did you mean `"data": [{…}]`?'),
        ({"data": {}}, ["data"], "expected a list of Documents"),
        ({"data": {"docs": [], "groundtruth": []}}, ["data", "groundtruth"], "`groundtruths`?"),
        ({"docs": ["a"]}, ["docs"], "did you mean `data`?"),
        ({"inputs": ["a"]}, ["inputs"], "did you mean `data`?"),
        ({"Data": ["a"]}, ["Data"], "did you mean `data`?"),
        ({"params": {}}, ["params"], "did you mean `parameters`?"),
        ({"Parameters": {}}, ["Parameters"], "did you mean `parameters`?"),
        ({"execEndpiont": "/a"}, ["execEndpiont"], "did you mean `execEndpoint`?"),
        ({"targetExecutor": "a", "dat": []}, ["dat"], "did you mean `data`?"),
        ({"header": {"execEndpoint": "/a"}}, ["header", "execEndpoint"], "`exec_endpoint`?"),
        ({"zzz": 1}, ["zzz"], "expected one of data, parameters, execEndpoint"),
    ],
)
def test_a_key_that_nobody_reads_is_refused(body: Any, loc: list[str], hint: str) -> None:
    found = problem(body)
    assert found["loc"] == ["body", *loc]
    assert hint in found["msg"]


def test_all_keys_that_nobody_reads_are_told() -> None:
    with pytest.raises(BadBody) as caught:
        read({"docs": ["a"], "params": {}})
    assert [each.loc[-1] for each in caught.value.problems] == ["docs", "params"]


@pytest.mark.parametrize("named", [{"request_id": "r"}, {"header": {"request_id": "r", "x": 1}}])
def test_clients_of_jina_may_send_what_means_nothing_here(named: Any) -> None:
    found = read({**named, "data": ["a"], "routes": [], "docs": 1})
    assert found.rows == 1
    assert read({**named, "data": {"text": "a"}}).rows == 0


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("body", "loc", "message"),
    [
        (b"", ["body"], "field required"),
        (b"  \n", ["body"], "field required"),
        (b'{"data":[', ["body", 9], "Expecting value: line 1 column 10 (char 9)"),
        (b"[1]", ["body"], "value is not a valid dict"),
        (b"5", ["body"], "value is not a valid dict"),
        ({"data": 5}, ["body", "data"], "value is not a valid list"),
        ({"data": "hello"}, ["body", "data"], "value is not a valid list"),
        ({"data": {"docs": 5}}, ["body", "data", "docs"], "value is not a valid list"),
        ({"data": [DOC, None]}, ["body", "data", 1], "value is not a valid dict"),
        ({"data": [DOC, [1]]}, ["body", "data", 1], "value is not a valid dict"),
        ({"parameters": [1]}, ["body", "parameters"], "value is not a valid dict"),
        ({"parameters": "x"}, ["body", "parameters"], "value is not a valid dict"),
        ({"execEndpoint": 5}, ["body", "execEndpoint"], "str type expected"),
        ({"header": {"request_id": 5}}, ["body", "header", "request_id"], "str type expected"),
        ({"header": []}, ["body", "header"], "value is not a valid dict"),
        ({"data": [DOC] * 4}, ["body", "data"], "4 Documents in one request; at most 3 are taken"),
        (
            {"data": {"docs": [DOC], "groundtruths": [DOC, DOC]}},
            ["body", "data", "groundtruths"],
            "2 groundtruths for 1 Documents",
        ),
        (
            {"execEndpoint": "/a", "exec_endpoint": "/b"},
            ["body", "execEndpoint"],
            "`execEndpoint` and `exec_endpoint` are given and differ; give one of them",
        ),
        (
            {"targetExecutor": "a", "target_peapod": "b"},
            ["body", "targetExecutor"],
            "`targetExecutor` and `targetPeapod` are given and differ; give one of them",
        ),
        (
            {"execEndpoint": "/" + "a" * 2000},
            ["body", "execEndpoint"],
            "ensure this value has at most 1024 characters",
        ),
        (
            b'{"data": [{"id": "a"}], "parameters": {}, "data": []}',
            ["body", "data"],
            "`data` is given twice",
        ),
        (
            b'{"data": [{"id": NaN}]}',
            ["body", 17],
            "not JSON: NaN at byte 18, which is not a JSON number",
        ),
        (
            b'{"data": [{"id": "\\ud800"}]}',
            ["body"],
            "not JSON: half of a surrogate pair, which is not a character",
        ),
        (b'{"data": [{"id": "a\nb"}]}', ["body", 19], "Invalid control character at: line 1 "),
        (b'{"data": ' + b"[" * 100_000, ["body"], "nested too deeply"),
        (b'{"parameters": {"a": ' + b"[" * 100_000, ["body"], "nested too deeply"),
        (b'{"execEndpoint": "\xff"}', ["body", 18], "not valid UTF-8: byte 0xff at byte 19"),
        (b'{"parameters": {"a": "\xff"}}', ["body", "parameters"], "not valid UTF-8"),
        (b'{"data": ["\xff"]}', ["body", "data", 0], "not valid UTF-8"),
    ],
)
def test_a_problem_has_its_place_in_the_body(body: Any, loc: list[Any], message: str) -> None:
    found = problem(body, max_docs=3)
    assert found["loc"] == loc
    assert found["msg"].startswith(message)
    assert found["type"].startswith(("value_error", "type_error"))


def test_a_body_that_is_not_json_is_told_as_the_originals_did() -> None:
    assert problem(b'{"data":[') == {
        "loc": ["body", 9],
        "msg": "Expecting value: line 1 column 10 (char 9)",
        "type": "value_error.jsondecode",
        "ctx": {"msg": "Expecting value", "doc": '{"data":[', "pos": 9, "lineno": 1, "colno": 10},
    }
    assert "doc" not in problem(b'{"data":[' + b" " * 5000)["ctx"]


def test_keys_may_repeat_below_the_body_itself() -> None:
    data = [{"data": 1, "text": "data", "tags": {"parameters": {}, "data": 2}}, {"data": 1}]
    body = {"data": data, "parameters": {"data": 1, "parameters": {"execEndpoint": 3}}}
    assert lines(body) == data
    body = {"parameters": {"data": DOC, "a": {"data": 2}}, "data": [DOC, DOC]}
    assert lines(body) == [DOC, DOC]


def test_large_parameters_are_refused() -> None:
    found = problem({"parameters": {"x": "y" * 70_000}})
    assert found["loc"] == ["body", "parameters"]


@pytest.mark.parametrize("data", ["[%s]", '{"docs": [%s]}'])
def test_millions_of_tiny_documents_are_refused_before_they_take_memory(data: str) -> None:
    program = (
        "import resource, sys\n"
        "from jina.http import bodies\n"
        "from jina.http.problems import BadBody\n"
        "body = (sys.argv[1] % ','.join(['{}'] * 4_000_000)).encode()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: bodies.read(body, api=2, max_docs=10_000)\n"
        "except BadBody as bad: print(bad.problems[0].msg)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    argument = '{"data": ' + data + "}"
    done = subprocess.run(
        [sys.executable, "-c", program, argument], capture_output=True, check=True, timeout=60
    )
    message, grown = done.stdout.decode().splitlines()
    assert message == "more Documents in one request; at most 10000 are taken"
    assert int(grown) < 64  # MiB; with an object for each, it would be 250


def test_a_large_body_of_few_documents_is_read() -> None:
    data = [{"id": str(row), "blob": [0] * 200_000} for row in range(4)]
    assert lines({"data": data}) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=4)


@given(st.lists(OBJECTS, max_size=5), st.sampled_from([None, 2]), OBJECTS)
@settings(deadline=None, max_examples=60)
def test_any_objects_come_through_unchanged(
    data: list[Any], indent: int | None, parameters: dict[str, Any]
) -> None:
    body = json.dumps({"data": data, "parameters": parameters}, indent=indent).encode()
    assert lines(body) == data
    assert read(body).parameters == parameters


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_is_read_or_refused_with_a_place(body: bytes) -> None:
    places = [["body"]]
    try:
        assert bodies.read(body, api=3, max_docs=3).rows <= 3
    except BadBody as bad:
        places = [each.loc for each in bad.problems]
    assert all(place[0] == "body" for place in places)
