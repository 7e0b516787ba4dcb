"""/openapi.json is OpenAPI 3.1 and has every path of the front."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from jina.http.openapi import openapi
from jina.http.schemas import of_type
from tests.http.described import FLOW, page

NOBODY = {"flow": "empty", "nodes": []}


def made(flow: dict[str, Any] | None = None, **settings: Any) -> Any:
    return json.loads(msgspec.json.encode(openapi(page(flow, **settings))))


def operations(described: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"api": 3, "api_key_file": "keys", "root_path": "/api/", "description": "Finds."},
        {"no_crud_endpoints": True, "no_debug_endpoints": True, "docs": False},
        {
            "expose_endpoints": {
                "/search": {"path": "/v1/find", "methods": ["POST", "PUT"], "tags": ["v1"]},
                "/nobody": {"path": "/v1/nobody"},
            }
        },
    ],
)
@pytest.mark.parametrize("flow", [FLOW, NOBODY])
def test_it_validates(flow: dict[str, Any], settings: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(made(flow, **settings)).validate()


def test_it_has_every_path() -> None:
    assert {f"{method} {path}" for path, method, _ in operations(made())} == {
        *("get /livez", "get /healthz", "get /readyz", "get /metrics", "get /status"),
        *(
            "get /dry_run",
            "get /flow.json",
            "get /openapi.json",
            "get /docs",
            "get /",
            "post /post",
        ),
        *("post /index", "post /search", "put /update", "post /update", "delete /delete"),
        *("post /delete", "post /a%20%7Bb%7D/%C3%BC"),
        *("post /stream/default", "put /stream/default", "post /stream/index"),
        *("put /stream/index", "post /stream/search", "put /stream/search"),
        *("post /stream/post", "put /stream/post"),
        *("post /stream/a%20%7Bb%7D/%C3%BC", "put /stream/a%20%7Bb%7D/%C3%BC"),
    }


def test_what_is_turned_off_is_left_out() -> None:
    bare = made(no_crud_endpoints=True, no_debug_endpoints=True, docs=False)["paths"]
    assert not {"/post", "/status", "/dry_run", "/index", "/search", "/docs"} & set(bare)


def test_names_of_operations_are_unique() -> None:
    flow = {
        "flow": "f",
        "nodes": [{"name": "a", "endpoints": [{"path": "/a-b"}, {"path": "/a.b"}]}],
    }
    names = [operation["operationId"] for _, _, operation in operations(made(flow))]
    assert len(set(names)) == len(names)
    assert {"post_a_b", "post_a_b_2"} <= set(names)


def test_a_request_has_the_parameters_with_types_and_defaults() -> None:
    body = made()["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["properties"]["parameters"] == {
        "type": "object",
        "properties": {"top_k": {"type": "integer", "default": 10}, "query": {"type": "string"}},
        "required": ["query"],
        "additionalProperties": True,
    }
    assert body["schema"]["required"] == ["parameters"]
    assert body["example"] == {"data": [{"text": "hello"}], "parameters": {"top_k": 10}}


def test_docstrings_are_shown() -> None:
    paths = made()["paths"]
    assert paths["/search"]["post"]["summary"] == "The nearest Documents."
    assert "**indexer**: Add Documents." in paths["/index"]["post"]["description"]
    assert paths["/delete"]["delete"]["description"].startswith("**encoder**")


def test_keys_are_asked_for_but_not_by_probes_and_the_page() -> None:
    described = made(api_key_file="keys")
    assert described["security"] == [{"bearer": []}, {"key": []}]
    free = {path for path, _, operation in operations(described) if operation.get("security") == []}
    assert free == {"/livez", "/healthz", "/readyz", "/docs", "/"}
    assert "security" not in made()


def test_examples_are_what_their_schemas_say() -> None:
    described = made()
    for path, _, operation in operations(described):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = {**content["schema"], "components": described["components"]}
            if path != "/search":  # a required parameter without a default is for the reader
                Draft202012Validator(schema).validate(content["example"])


def test_every_problem_is_described() -> None:
    responses = made()["paths"]["/search"]["post"]["responses"]
    errors = "400 401 403 404 405 408 413 415 422 431 500 503 504"
    assert " ".join(sorted(responses)) == f"200 {errors}"


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("int", {"type": "integer"}),
        ("'str'", {"type": "string"}),
        ("int | None", {"type": ["integer", "null"]}),
        ("Optional[float]", {"type": ["number", "null"]}),
        ("typing.Union[int, str]", {"type": ["integer", "string"]}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("List[Any]", {"type": "array"}),
        ("tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}),
        ("dict", {"type": "object"}),
        ("Dict[str, float]", {"type": "object", "additionalProperties": {"type": "number"}}),
        (
            "list[str] | None",
            {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        ),
        ("Literal['a', 'b', 3]", {"enum": ["a", "b", 3]}),
        ("Annotated[int, Gt(0)]", {"type": "integer"}),
        ("np.ndarray", {}),
        ("int | np.ndarray", {}),
        ("Literal[x]", {}),
        ("list[", {}),
        ("", {}),
    ],
)
def test_a_type_of_python_is_a_schema(text: str, schema: dict[str, Any]) -> None:
    assert of_type(text) == schema
