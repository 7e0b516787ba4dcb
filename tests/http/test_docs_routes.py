"""The documentation page, /flow.json and /openapi.json of a running Flow."""

from __future__ import annotations

import contextlib
import http.client
import tempfile
from collections.abc import Iterator

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside
from tests.polling import wait_until
from tests.shell import Shell

FINDER = '''\
from jina import Executor, requests


class Finder(Executor):
    @requests(on="/find")
    def find(self, docs, parameters, **kwargs):
        """Find what is near.

        Nothing is far.
        """
        return docs[: int(parameters.get("top_k", 3))]
'''
FLOW = """\
jtype: Flow
executors:
  - name: finder
    uses:
      jtype: Finder
      metas: {name: near, description: Finds.}
      py_modules: finder.py
    replicas: 2
"""
HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    shared_shell.write("finder.py", FINDER)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        yield shared_shell.ps()[0]["addresses"][0]


@pytest.fixture(scope="module")
def front(address: str) -> Iterator[FrontProcess]:
    with front_beside(address, title="Nearby") as found:
        wait_until(lambda: found.ask("GET", "/flow.json").status == 200, PATIENCE_S)
        yield found


def test_flow_json_says_what_the_executors_serve(front: FrontProcess) -> None:
    told = front.ask("GET", "/flow.json").json()
    (node,) = told["nodes"]
    (endpoint,) = node.pop("endpoints")
    assert node == {
        "name": "finder",
        "needs": ["gateway"],
        "replicas": 2,
        "shards": 1,
        "is_floating": False,
        "executor": "Finder",
        "title": "near",
        "description": "Finds.",
    }
    assert endpoint["doc"] == "Find what is near.\n\nNothing is far."
    assert endpoint["parameters"] == [{"name": "top_k", "default": 3, "type": "int"}]
    assert told["endpoints"][0]["summary"] == "Find what is near."
    assert (told["flow"], told["http"]["title"]) == ("flow", "Nearby")


@pytest.mark.parametrize("path", ["/docs", "/flow.json", "/livez"])
def test_a_browser_is_told_once_not_to_guess_types(front: FrontProcess, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.headers.get_all("x-content-type-options") == ["nosniff"]
        response.read()


def test_openapi_json_validates(front: FrontProcess) -> None:
    described = front.ask("GET", "/openapi.json").json()
    OpenAPIV31SpecValidator(described).validate()
    assert "/find" in described["paths"]


def test_a_browser_gets_the_page_at_the_root_too(front: FrontProcess) -> None:
    page = front.ask("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert front.ask("GET", "/", headers=HTML).body == page.body
    script = front.ask("GET", "/docs/page.js")
    assert script.headers["content-type"].startswith("text/javascript")
    known = {"If-None-Match": script.headers["etag"]}
    assert front.ask("GET", "/docs/page.js", headers=known).status == 304


def test_the_page_knows_whether_it_needs_a_key(front: FrontProcess, address: str) -> None:
    assert front.ask("GET", "/docs/key.json").json() == {"needed": False}
    with tempfile.NamedTemporaryFile("w") as keys:
        keys.write("a-key-of-32-characters-0123456789\n")
        keys.flush()
        with front_beside(address, api_key_file=keys.name) as guarded:
            assert guarded.ask("GET", "/docs/key.json").json() == {"needed": True}
            assert guarded.ask("GET", "/flow.json").status == 401


def test_what_is_not_of_the_page_is_not_found(front: FrontProcess) -> None:
    for path in ("/docs/other.js", "/docs/..%2fdocs_page.py"):
        assert front.ask("GET", path).status == 404


def test_a_front_without_a_page_still_describes_the_flow(address: str) -> None:
    with front_beside(address, docs=False) as front:
        wait_until(lambda: front.ask("GET", "/flow.json").status == 200, PATIENCE_S)
        assert front.ask("GET", "/docs").status == 404
        assert front.ask("GET", "/", headers=HTML).status == 404
        assert "/docs" not in front.ask("GET", "/openapi.json").json()["paths"]


def test_the_flow_cannot_be_described_without_a_gateway() -> None:
    with front_beside("ipc:///nowhere/front.ipc") as front:
        answer = front.ask("GET", "/flow.json")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["error"]["type"] == "unavailable"
        assert front.ask("GET", "/docs").status == 200
