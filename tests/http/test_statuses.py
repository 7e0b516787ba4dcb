"""Every status that a front answers with, and the whole body of each."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import JSON, head, post, wire
from tests.polling import wait_until
from tests.shell import Shell

# With a bug in each of the two ways that a request can take.
BROKEN = """\
import sys

from jina.http import rest
from jina.http.__main__ import main


def broken(*_):
    raise RuntimeError("a bug")


prepare = rest.prepare
rest.finish = broken
rest.prepare = lambda front, endpoint, headers, body, query=b"": (
    broken() if b"bug" in body else prepare(front, endpoint, headers, body, query)
)
sys.exit(main())
"""


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def front(flow: Gated) -> Iterator[FrontProcess]:
    with flow.front(max_docs=3, root_path="/api") as found:
        yield found


def error(kind: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, **({"hint": hint} if hint else {})}}


def test_200(front: FrontProcess) -> None:
    answer = front.post("/upper", UPPER)
    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert front.ask("GET", "/livez").body == b"ok\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_404_names_the_near_miss_by_its_path(front: FrontProcess, method: str) -> None:
    answer = front.ask(method, "/uper", UPPER)
    assert answer.status == 404
    assert answer.json() == error("not_found", "no Executor serves /uper", "did you mean /upper?")
    answer = front.ask("GET", "/wholly-unknown")
    assert answer.status == 404
    assert answer.json() == error("not_found", "no Executor serves /wholly-unknown")


def test_404_and_405_say_where_documents_go(front: FrontProcess) -> None:
    def hint(path: str) -> str:
        return str(front.post(path, UPPER).json()["error"]["hint"])

    assert hint("/UPPER") == "did you mean /upper?"
    assert hint("/stream/UPPER") == "did you mean /stream/upper?"
    wanted = "a stream goes to /stream/ENDPOINT; it serves /fail, /gate, /upper"
    assert hint("/stream") == hint("/stream/") == wanted
    assert hint("/") == "send Documents to one of /delete, /fail, /gate, /index, /post, …"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/upper", "DELETE, OPTIONS, POST, PUT"),
        ("PATCH", "/upper", "DELETE, OPTIONS, POST, PUT"),
        ("TRACE", "/upper", "DELETE, OPTIONS, POST, PUT"),
        ("PUT", "/livez", "GET, HEAD, OPTIONS"),
        ("DELETE", "/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_405_says_what_is_taken(front: FrontProcess, method: str, path: str, allow: str) -> None:
    answer = front.ask(method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert answer.json() == error("method_not_allowed", f"{path} does not take {method}")


def test_options_say_what_is_taken(front: FrontProcess) -> None:
    answer = front.ask("OPTIONS", "/upper")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["allow"] == "DELETE, OPTIONS, POST, PUT"
    assert front.ask("OPTIONS", "/uper").status == 404


def test_head_has_the_head_of_get_and_no_body(front: FrontProcess) -> None:
    with wire(front.port) as client:
        for path, status, size in (("/livez", 200, 3), ("/uper", 404, 97), ("/upper", 405, 77)):
            client.send(head("HEAD", path))
            answer = client.answer(has_body=False)
            assert (answer.status, answer.headers["content-length"]) == (status, str(size))


def test_connect_is_not_for_us(front: FrontProcess) -> None:
    with wire(front.port) as client:
        client.send("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")
        assert client.answer().status == 400
        assert client.is_closed()


def test_a_websocket_where_there_is_none_is_404(front: FrontProcess) -> None:
    with wire(front.port) as client:
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        client.send(head("GET", "/upper", f"{upgrade}Sec-WebSocket-Key: {'A' * 22}==\r\n"))
        answer = client.answer()
        assert answer.status == 404
        assert answer.json() == error("not_found", "there is no WebSocket here", "connect to /")


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; a=b"]
)
def test_415_unless_the_body_says_that_it_is_json(
    front: FrontProcess, method: str, kind: str
) -> None:
    with wire(front.port) as client:
        for large in (10, 100_000):
            body = b'{"data": ["' + b"a" * large + b'"]}'
            named = f"Content-Type: {kind}\r\n" if kind else ""
            client.send(post("/upper", body, named).replace(b"POST", method.encode(), 1))
            answer = client.answer()
            assert answer.status == 415
            assert answer.json() == error(
                "unsupported_media_type",
                "the body of a request is JSON, and its Content-Type says so",
                "add the header Content-Type: application/json",
            )


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_415_of_a_compressed_body(front: FrontProcess, method: str) -> None:
    answer = front.ask(method, "/upper", UPPER, {"Content-Encoding": "gzip"})
    assert answer.status == 415
    assert answer.json() == error(
        "content_encoding", "the body is compressed, which is not understood", "send it as it is"
    )


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"],
)
def test_what_says_that_it_is_json(front: FrontProcess, kind: str) -> None:
    assert front.ask("POST", "/upper", UPPER, {"Content-Type": kind}).status == 200


def test_422_of_too_many_documents(front: FrontProcess) -> None:
    answer = front.post("/upper", {"data": [{}] * 4})
    assert answer.status == 422
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["body", "data"]
    assert front.post("/upper", {"data": [{}] * 3}).status == 200


def test_500_of_an_executor(front: FrontProcess) -> None:
    answer = front.post("/fail", UPPER)
    assert answer.status == 500
    assert answer.json()["error"] == {
        "type": "ValueError",
        "message": "no luck",
        "executor": "gated",
        "endpoint": "/fail",
    }


def test_500_of_our_own_and_the_front_lives_on(flow: Gated) -> None:
    with front_beside(flow.address, program=BROKEN) as front:
        wait_until(lambda: front.post("/upper", UPPER).status == 500, PATIENCE_S)
        for method in ("POST", "PUT"):
            for text in ("bug", "fine"):
                answer = front.ask(method, "/upper", {"data": [text]})
                assert answer.status == 500
                assert answer.json() == error(
                    "internal", "something went wrong in the server; its log has more"
                )
        wait_until(lambda: front.said().count("RuntimeError: a bug") >= 4, what="they are logged")
        assert front.ask("GET", "/livez").status == 200


def test_503_when_there_is_no_flow_yet(flow: Gated) -> None:
    with front_beside("ipc:///tmp/none/jina/front.ipc") as front:
        wait_until(lambda: front.ask("GET", "/livez").status == 200)
        for path in ("/index", "/post", "/whatever"):
            named = {"execEndpoint": "/upper"} if path == "/post" else {}
            answer = front.post(path, {**UPPER, **named})
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            kind, message = answer.json()["error"].values()
            assert kind == "unavailable"
            assert message in {"the Flow is not ready yet", "the Flow is stopping"}


def test_504_of_an_answer_that_takes_too_long(flow: Gated) -> None:
    gate = flow.gate("late")
    with flow.front(timeout=0.5) as front, wire(front.port) as one, wire(front.port) as two:
        one.send(post("/gate", gate.body()))
        two.send(post("/gate", gate.body()).replace(b"POST", b"PUT", 1))
        for client in (one, two):
            answer = client.answer()
            assert answer.status == 504
            error = answer.json()["error"]
            # What is left of the 0.5 s when it is sent, on a machine that is slow to do that.
            assert re.fullmatch(r"the request took longer than 0\.[45]\d? s", error.pop("message"))
            assert error == {
                "type": "timeout",
                "hint": "send fewer Documents at once; `timeout` is the limit",
            }
        gate.open()
    flow.is_idle()


# --- a proxy in front ---


def test_a_proxy_may_leave_its_prefix_or_take_it_away(front: FrontProcess) -> None:
    for prefix in ("", "/api"):
        assert front.post(f"{prefix}/upper", UPPER).status == 200
        assert front.ask("PUT", f"{prefix}/upper", UPPER).status == 200
        assert front.ask("GET", f"{prefix}/livez").status == 200
        assert front.post(f"{prefix}/stream/upper", b'{"text": "a"}\n').status == 200
        answer = front.post(f"{prefix}/uper", UPPER)
        assert answer.json()["error"]["message"] == "no Executor serves /uper"
    assert front.post("/apis/upper", UPPER).status == 404


# --- the end; the Flow is not there any more after this ---


def test_503_of_a_flow_that_stops(flow: Gated, front: FrontProcess) -> None:
    gate = flow.gate("last")
    with wire(front.port) as client, wire(front.port) as busy:
        client.send(post("/upper", UPPER))
        assert client.answer().status == 200
        busy.send(post("/gate", gate.body()))
        wait_until(gate.seen)
        (running,) = flow.shell.ps()
        os.kill(running["pid"], signal.SIGTERM)

        # Until the gateway drains, a request is taken, and then waits behind the one at the gate.
        stops = {**error("not_ready", "the Flow is stopping"), "missing": []}
        wait_until(lambda: front.ask("GET", "/readyz").json() == stops, PATIENCE_S)
        client.send(post("/upper", UPPER))
        answer = client.answer()
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json() == error("unavailable", "the Flow is stopping")
        gate.open()
        assert busy.answer().status == 200
        wait_until(lambda: not flow.shell.directories(), what="the Flow is gone")
        client.send(head("POST", "/stream/upper", f"{JSON}Content-Length: 1\r\n") + "\n")
        assert client.answer().status == 503
        assert front.process.poll() is None
    flow.running.process.wait(PATIENCE_S)
