"""What /flow.json says, made from the gateway's answer and the settings of the front."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from jina import __version__
from jina.http.description import Served, read_description
from tests.http.described import FLOW, page


def served(path: str, **settings: Any) -> Served:
    return next(each for each in page(**settings).endpoints if each.path == path)


def test_it_has_what_the_gateway_said() -> None:
    told = json.loads(msgspec.json.encode(page()))
    encoder, indexer = told["nodes"]
    assert encoder == FLOW["nodes"][0]
    parameters = indexer["endpoints"][1]["parameters"]
    assert parameters == [
        {"name": "top_k", "default": 10, "type": "int"},
        {"name": "query", "type": "str", "is_required": True},
    ]


def test_what_is_not_a_description_is_refused() -> None:
    for payload in (b"", b"[]", b'{"flow": 1}', b'{"flow": "a", "nodes": [{}]}'):
        with pytest.raises(msgspec.MsgspecError):
            read_description(payload)


def test_endpoints_have_the_order_in_which_they_are_bound() -> None:
    paths = ["/default", "/index", "/search", "/a {b}/ü", "/post"]
    assert [each.path for each in page().endpoints] == paths


def test_an_endpoint_passes_those_that_bind_it_or_the_default() -> None:
    assert served("/search").nodes == ("encoder", "indexer")
    assert served("/default").nodes == ("encoder",)


def test_an_endpoint_has_the_parameters_and_the_summary_of_its_executors() -> None:
    assert [each.name for each in served("/search").parameters] == ["top_k", "query"]
    assert served("/index").summary == "Add Documents."
    shown = {"/index": {"summary": "Fill it"}}
    assert served("/index", expose_endpoints=shown).summary == "Fill it"


@pytest.mark.parametrize(
    ("path", "settings", "url", "method"),
    [
        ("/search", {}, "/search", "POST"),
        ("/search", {"no_crud_endpoints": True}, "", "POST"),
        ("/search", {"expose_endpoints": {"/search": {"path": "v1/find"}}}, "/v1/find", "POST"),
        (
            "/search",
            {"expose_endpoints": {"/search": {"path": "/v1/find", "methods": ["put"]}}},
            "/v1/find",
            "PUT",
        ),
        ("/default", {}, "", "POST"),
        ("/post", {}, "", "POST"),
        ("/a {b}/ü", {"no_crud_endpoints": True}, "/a {b}/ü", "POST"),
    ],
)
def test_an_endpoint_has_a_url_unless_only_post_reaches_it(
    path: str, settings: dict[str, Any], url: str, method: str
) -> None:
    found = served(path, **settings)
    assert (found.url, found.method) == (url, method)


def test_it_says_what_a_client_has_to_know() -> None:
    http = page(title="T", description="D", root_path="/api/", api_key_file="keys").http
    assert (http.title, http.description, http.version) == ("T", "D", __version__)
    assert (http.api, http.docs, http.root_path, http.needs_key) == (2, True, "/api", True)
    assert http.has_post
    assert http.crud == {
        "/index": "POST",
        "/search": "POST",
        "/update": "PUT",
        "/delete": "DELETE",
    }
    bare = page(no_crud_endpoints=True, no_debug_endpoints=True, api=3).http
    assert (bare.title, bare.api, bare.has_post, bare.crud) == ("search", 3, False, {})
