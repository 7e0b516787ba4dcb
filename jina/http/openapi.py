"""/openapi.json: every path of the front, in OpenAPI 3.1.

Made from what /flow.json says, for those who prefer a viewer or a generator of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from jina.defaults import MAX_REQUEST_DOCS
from jina.http.description import CRUD, Exposed, FlowPage, Served, served_at
from jina.http.schemas import SCHEMAS, Schema, answer_schema, of_parameters, ref
from jina.wire.maps import ON_ERROR

_JSON = "application/json"
_LINES = "application/x-ndjson"
_REQUESTS = "Requests"
_STREAMS = "Streams"
_OPERATIONS = "Operations"
_PAGES = "Documentation"

# Name of the response -> what it means; the names are those of components.
_PROBLEMS = {
    "400": ("BadRequest", "The request is not HTTP as it should be, or names no Host."),
    "401": ("Unauthorized", "An API key is missing, or is not one of ours."),
    "403": ("Forbidden", "The Host or the Origin is not allowed."),
    "404": ("NotFound", "Nothing is at this path; the message has the nearest one."),
    "405": ("MethodNotAllowed", "The path has another method, which `Allow` lists."),
    "408": ("TooSlow", "The request did not arrive in time."),
    "413": ("TooLarge", "The body, or the number of its Documents, is above the limit."),
    "415": ("UnsupportedMediaType", "The body is not said to be JSON."),
    "422": ("Unprocessable", "The body is JSON, but not a request; `loc` is the place in it."),
    "431": ("HeadTooLarge", "The head of the request is above the limit."),
    "500": ("Failed", "An Executor failed."),
    "503": ("Unavailable", "The Flow is full, not ready, or stopping; see `Retry-After`."),
    "504": ("Late", "No answer came in time."),
}
_OF_READING = ("400", "401", "403", "405", "431", "503")
_OF_REQUESTS = (*_OF_READING, "404", "408", "413", "415", "422", "500", "504")
_OF_LINES = ("422", "500", "503", "504")  # where no line succeeds, they may be outcomes, too
_PROBE = {"200": "Yes.", "503": "No, or not yet."}


def openapi(page: FlowPage) -> Schema:
    """The whole of /openapi.json.

    Returns:
        JSON as plain values; names of operations are unique and stay the same between starts.
    """
    http = page.http
    paths: dict[str, Schema] = {}
    for path, method, operation in _operations(page):
        is_key_free = operation.pop("is_key_free", False)
        if http.needs_key and is_key_free:
            operation["security"] = []
        paths.setdefault(_template(path), {}).setdefault(method, operation)
    names: set[str] = set()
    for path, item in paths.items():
        for method, operation in item.items():
            operation["operationId"] = _unique(f"{method}{path}", names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": http.title,
            "version": http.version,
            **({"description": http.description} if http.description else {}),
        },
        "servers": [{"url": http.root_path or "/"}],
        "tags": [{"name": name} for name in (_REQUESTS, _STREAMS, _OPERATIONS, _PAGES)],
        "paths": paths,
        "components": _components(page),
        **({"security": [{"bearer": []}, {"key": []}]} if http.needs_key else {}),
    }


def _components(page: FlowPage) -> Schema:
    schemas = {**SCHEMAS, "Answer": answer_schema(page.http.api)}
    found: Schema = {"schemas": schemas, "responses": dict(_responses())}
    if page.http.needs_key:
        found["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    return found


def _responses() -> Iterator[tuple[str, Schema]]:
    for status, (name, text) in _PROBLEMS.items():
        schema = ref("Error")
        if status == "422":
            schema = ref("Invalid")
        elif status == "500":
            schema = {"anyOf": [ref("Error"), ref("Answer")]}
        response: Schema = {"description": text, "content": {_JSON: {"schema": schema}}}
        if status in _OF_LINES:
            response["content"][_LINES] = _LINES_OUT
        if status == "503":
            retry = {"description": "In how many seconds to try again.", "schema": _WHOLE}
            response["headers"] = {"Retry-After": retry}
        yield name, response


_WHOLE: Schema = {"type": "integer", "minimum": 0}
_ANSWER_HEADERS: Schema = {
    "X-Jina-Failed": {"description": "How many Documents failed.", "schema": _WHOLE},
    "X-Jina-Served": {"description": "0 if no Executor serves the endpoint.", "schema": _WHOLE},
}


def _problems(statuses: tuple[str, ...]) -> Schema:
    return {status: ref(_PROBLEMS[status][0], "responses") for status in sorted(statuses)}


def _template(path: str) -> str:
    """The path of a URL; braces would be a variable to OpenAPI."""
    return quote(path, safe="/-._~!$&'()*+,;=:@")


def _unique(text: str, taken: set[str]) -> str:
    name = base = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name


def _operations(page: FlowPage) -> Iterator[tuple[str, str, Schema]]:
    """Path, method and operation of everything, the first for a path and method counts."""
    http = page.http
    yield from _own(page)
    if http.has_post:
        yield "/post", "post", _post(page)
    for shown in http.exposed:
        served = served_at(shown.endpoint, page.nodes, http)
        for method in shown.methods:
            yield shown.path, method.lower(), _call(page, served, shown)
    for path, method in http.crud.items():
        served = served_at(path, page.nodes, http)
        for name in dict.fromkeys((method.lower(), "post")):
            yield path, name, _call(page, served)
    for served in page.endpoints:
        if served.url and served.path not in CRUD:
            yield served.url, "post", _call(page, served)
    for served in page.endpoints:
        for method in ("post", "put"):
            yield f"/stream{served.path}", method, _stream(served)


def _call(page: FlowPage, served: Served, shown: Exposed | None = None) -> Schema:
    """POST /ENDPOINT."""
    return {
        "tags": list(shown.tags) if shown and shown.tags else [_REQUESTS],
        "summary": served.summary or f"Post Documents to {served.path}",
        "description": (shown.description if shown else "") or _passes(page, served),
        "parameters": _of_lines(served),
        "requestBody": _body(served),
        "responses": _answers(),
    }


def _passes(page: FlowPage, served: Served) -> str:
    """Which Executors take part, with the docstrings of their methods, in Markdown."""
    if not served.nodes:
        return "No Executor binds this endpoint."
    by_name = {node.name: node for node in page.nodes}
    parts = []
    for name in served.nodes:
        doc = next((e.doc for e in by_name[name].endpoints if e.path == served.path), "")
        parts.append(f"**{name}**{': ' if doc else ''}{doc}")
    return "\n\n".join(parts)


def _body(served: Served, *, names_endpoint: bool = False) -> Schema:
    each = {"anyOf": [ref("Document"), _TEXT]}
    documents: Schema = {"type": ["array", "null"], "items": each}
    wrapped = {
        "type": ["object", "null"],
        "properties": {"docs": documents},
        "required": ["docs"],
        "additionalProperties": False,
    }
    properties: Schema = {
        "data": {
            "description": "Documents, or texts.",
            "anyOf": [documents, wrapped],
        },
        "parameters": of_parameters(served.parameters),
        "targetExecutor": {
            "type": ["string", "null"],
            "description": _TARGET,
        },
    }
    example: Schema = {"data": [{"text": "hello"}]}
    values = {
        each.name: each.default for each in served.parameters if each.default is not msgspec.UNSET
    }
    if values:
        example["parameters"] = values
    required = ["parameters"] if any(each.is_required for each in served.parameters) else []
    if names_endpoint:
        properties["execEndpoint"] = {
            "type": ["string", "null"],
            "description": "Such as `/search`. Only in the words of Jina 3 it may be left out.",
        }
        example = {**example, "execEndpoint": served.path}
    schema = {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }
    content = {_JSON: {"schema": schema, "example": example}}
    return {
        "required": True,
        "content": content if names_endpoint else {**content, _LINES: _LINES_IN},
    }


def _answers() -> Schema:
    return {
        "200": {
            "description": "The Documents as the Executors left them.",
            "headers": _ANSWER_HEADERS,
            "content": {_JSON: {"schema": ref("Answer")}, _LINES: _LINES_OUT},
        },
        **_problems(_OF_REQUESTS),
    }


def _post(page: FlowPage) -> Schema:
    """POST /post, to whatever endpoint its body names."""
    example = page.endpoints[0].path if page.endpoints else "/search"
    named = Served(example, "/post", "POST", (), "", ())
    return {
        "tags": [_REQUESTS],
        "summary": "Post Documents to the endpoint that the body names",
        "description": "The endpoints: "
        + (", ".join(f"`{served.path}`" for served in page.endpoints) or "none yet")
        + ".",
        "requestBody": _body(named, names_endpoint=True),
        "responses": _answers(),
    }


def _stream(served: Served) -> Schema:
    """POST and PUT /stream/ENDPOINT: lines in, lines out."""
    size = {"type": "integer", "minimum": 1, "maximum": MAX_REQUEST_DOCS}
    return {
        "tags": [_STREAMS],
        "summary": f"Stream JSON lines through {served.path}",
        "description": "One outcome for each line, in order, while lines still come.",
        "parameters": [
            *_of_lines(served),
            _query("request_size", "Most Documents in each call of an Executor.", size),
            _query("on_error", "What becomes of a call that fails.", {"enum": sorted(ON_ERROR)}),
            _query("tensors", "How tensors are written.", {"enum": ["list", "typed", "base64"]}),
            _query("select", "Fields that outcomes have, separated by commas.", _TEXT),
            _query("exclude", "Fields that outcomes do not have, separated by commas.", _TEXT),
        ],
        "requestBody": {"content": {_LINES: _LINES_IN}},
        "responses": {
            "200": {"description": "The outcomes.", "content": {_LINES: _LINES_OUT}},
            **_problems((*_OF_READING, "404", "408", "422")),
        },
    }


def _of_lines(served: Served) -> list[Schema]:
    """What the URL of a request of JSON lines may say."""
    parameters: Schema = {
        "name": "parameters",
        "in": "query",
        "description": "Of the Executors, as JSON. Only with JSON lines: other bodies have them.",
        "content": {_JSON: {"schema": of_parameters(served.parameters)}},
    }
    return [parameters, _query("target", _TARGET, _TEXT)]


def _query(name: str, text: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": text, "schema": schema}


_TARGET = "Only Executors whose name starts with this regular expression."
_LINES_IN: Schema = {
    "schema": {},  # of the whole, which is not JSON; each line is a Document
    "example": '{"text": "hello"}\n{"text": "world"}\n',
}
_LINES_OUT: Schema = {"schema": {"type": "string"}, "example": '{"id": "1", "text": "HELLO"}\n'}


def _own(page: FlowPage) -> Iterator[tuple[str, str, Schema]]:
    """What is the front's own."""
    for path, text in (
        ("/livez", "Whether the front runs"),
        ("/healthz", "Whether the front runs, by the name that others use"),
        ("/readyz", "Whether every Executor has a worker that is ready"),
    ):
        yield path, "get", _probe(text)
    yield "/metrics", "get", _read("Counters for Prometheus", _OPERATIONS, "text/plain", _TEXT)
    if page.http.has_post:
        text = "Versions and environment, as Jina tells them"
        yield "/status", "get", _read(text, _OPERATIONS)
        yield "/dry_run", "get", _read("Whether a request passes the Flow", _OPERATIONS)
    yield "/flow.json", "get", _read("The Flow and what it serves", _PAGES)
    yield "/openapi.json", "get", _read("This description", _PAGES)
    if page.http.docs:
        text = "A page to read about the endpoints, and to try them"
        operation = {**_read(text, _PAGES, "text/html", _TEXT), "is_key_free": True}
        yield "/docs", "get", operation
        yield "/", "get", _root(operation)


def _root(page: Schema) -> Schema:
    """GET /, which only browsers get the page from."""
    responses = page["responses"]
    content = {**responses["200"]["content"], _JSON: {"schema": {"type": "object"}}}
    return {
        **page,
        "summary": "The same page for browsers, which accept text/html",
        "responses": {
            **responses,
            "200": {**responses["200"], "content": content},
            **_problems(("404",)),
        },
    }


_TEXT: Schema = {"type": "string"}


def _probe(text: str) -> Schema:
    return {
        "tags": [_OPERATIONS],
        "summary": text,
        "responses": {status: {"description": said} for status, said in _PROBE.items()},
        "is_key_free": True,
    }


def _read(text: str, tag: str, kind: str = _JSON, schema: Schema | None = None) -> Schema:
    content: dict[str, Any] = {kind: {"schema": schema or {"type": "object"}}}
    return {
        "tags": [tag],
        "summary": text,
        "responses": {
            "200": {"description": text, "content": content},
            **_problems(_OF_READING),
        },
    }
