"""A front process beside a running Flow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.shell import Shell

UPPER = """\
from jina import Executor, requests


class Upper(Executor):
    @requests(on="/upper")
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()

    @requests
    def rest(self, docs, **kwargs):
        for doc in docs:
            doc.text = "by default"
"""
FLOW = """\
jtype: Flow
executors:
  - name: upper
    uses: Upper
    py_modules: upper.py
"""
SHOWN = {"/upper": {"path": "/put", "methods": ["put"]}, "/update": {"methods": ["POST"]}}


@pytest.fixture(scope="module")
def front(shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("upper.py", UPPER)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, expose_endpoints=SHOWN) as found:
            assert is_answered(found, "/upper", {"data": [{"text": "a"}]})
            yield found


def test_documents_come_back(front: FrontProcess) -> None:
    answer = front.post("/upper", {"data": [{"text": "hello"}, {"text": "you"}]})
    assert answer.status == 200
    assert b'"text":"HELLO"' in answer.body
    assert b'"text":"YOU"' in answer.body


def test_what_an_executor_serves_by_default(front: FrontProcess) -> None:
    body = {"data": ["a"]}
    for path, more in (("/default", {}), ("/post", {"execEndpoint": "/whatever"})):
        answer = front.post(path, {**body, **more})
        assert answer.status == 200
        assert b'"text":"by default"' in answer.body
    answer = front.post("/whatever", body)
    assert answer.status == 404
    assert answer.json()["error"]["hint"] == (
        'use /post with `"execEndpoint": "/whatever"`: an Executor serves all endpoints'
    )


def test_an_endpoint_that_is_shown_takes_the_methods_that_it_is_shown_with(
    front: FrontProcess,
) -> None:
    body = {"data": ["a"]}
    assert front.ask("PUT", "/put", body).status == 200
    for method in ("POST", "DELETE", "GET"):
        answer = front.ask(method, "/put", body)
        assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, PUT")
    assert front.post("/upper", body).status == 200
    assert front.ask("PUT", "/update", body).status == 200  # as in Jina
    assert front.ask("DELETE", "/update", body).status == 405
