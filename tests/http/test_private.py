"""What an HTTP client is not shown: output of Executors, and tracebacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from jina.client.exchange import Reply
from jina.client.requests import Request
from jina.http.private import shown, shown_outcomes
from jina.wire.maps import DOCS, LINES, Call, ErrorInfo, Part, Way
from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside, is_answered
from tests.shell import Shell

DIED = "This Document crashed the worker (2 attempts; exit code 3)"
TOLD = f'{DIED}; its last lines were:\n    a "secret"\n    more'
EXECUTOR = """\
import os

from jina import Executor, requests


class Leaky(Executor):
    @requests(on="/say")
    def say(self, docs, **kwargs):
        print("a secret of", docs[0].text, flush=True)

    @requests(on="/die")
    def die(self, **kwargs):
        print("a secret of the dying", flush=True)
        os._exit(3)

    @requests(on="/fail")
    def fail(self, **kwargs):
        raise ValueError("boom")
"""
FLOW = """\
jtype: Flow
executors:
  - name: leaky
    uses: Leaky
    py_modules: leaky.py
"""


def reply(error: ErrorInfo | None = None, way: Way | None = None, lines: bytes = b"") -> Reply:
    rows = lines.count(b"\n")
    request = Request([Part(LINES, DOCS, 1, rows)], [lines], rows, 1, b"", None)
    parts = [Part(LINES, DOCS, 1, rows, rows)]
    return Reply(request, error, parts, [lines], 1, way or Way())


def test_an_error_keeps_its_first_sentence() -> None:
    error = ErrorInfo("jina.excepts.WorkerDied", TOLD, "a", traceback="/srv/a.py")
    found = shown(reply(error, Way([error], blamed=error)), with_traceback=False)
    assert found.error is not None
    assert found.way.blamed is not None
    for each in (found.error, found.way.blamed, *found.way.errors):
        assert (each.message, each.traceback) == (DIED, "")
    found = shown(reply(error), with_traceback=True)
    assert found.error is not None
    assert (found.error.message, found.error.traceback) == (DIED, "/srv/a.py")


def test_lines_keep_it_too_and_documents_are_not_touched() -> None:
    wrong = {"id": "a", "error": {"type": "E", "message": TOLD, "executor": "a"}}
    fine = {"id": "b", "text": TOLD}
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in (wrong, fine))
    lines = lines.replace(b'": "', b'":"')
    found = shown_outcomes(reply(lines=lines), "/a", Call(lines=True))
    first, second = map(json.loads, bytes(found.lines).splitlines())
    assert first["error"] == {"type": "E", "message": DIED, "executor": "a"}
    assert second == fine


@pytest.fixture(scope="module")
def front(shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("leaky.py", EXECUTOR)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, api=3) as found:
            assert is_answered(found, "/say", {"data": ["a"]})
            yield found


def test_tracebacks_are_for_those_who_name_their_requests(front: FrontProcess) -> None:
    asked: dict[str, Any] = {"data": ["a"], "execEndpoint": "/fail"}
    named = {**asked, "header": {"request_id": "r"}}
    assert "leaky.py" in front.post("/post", named).body.decode()
    for body in (asked, {**asked, "targetExecutor": "leaky"}):
        answer = front.post("/post", body).body.decode()
        assert "boom" in answer
        assert "leaky.py" not in answer
    with connect(f"ws://127.0.0.1:{front.port}/", open_timeout=PATIENCE_S) as socket:
        for body in (named, asked):
            socket.send(json.dumps(body))
            answer = str(socket.recv(PATIENCE_S))
            assert "boom" in answer
            assert ("leaky.py" in answer) == (body is named)


def test_what_a_dead_worker_printed_is_not_told(front: FrontProcess) -> None:
    front.post("/say", {"data": ["somebody else"]})
    answer = front.post("/stream/die", b'{"text": "a"}\n')
    message = answer.json()["error"]["message"]
    assert " crashed the worker (" in message
    assert message.endswith(")")
    assert "secret" not in message
