"""Streams whose whole body is here soon: the same outcomes as those that go the long way."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.fronts import PATIENCE_S, Answer, FrontProcess, front_beside
from tests.http.raw import head, wire
from tests.polling import wait_until
from tests.shell import Shell

WORKS = """\
from jina import Executor, requests


class Works(Executor):
    @requests(on="/upper")
    def upper(self, docs, parameters, **kwargs):
        for doc in docs:
            if doc.text == "bad":
                raise ValueError("no bad")
            doc.text = doc.text.upper() + parameters.get("suffix", "")
"""
FLOW = "jtype: Flow\nexecutors:\n  - {name: works, uses: {jtype: Works, py_modules: [works.py]}}\n"


@pytest.fixture(scope="module")
def front(shared_shell: Shell) -> Iterator[FrontProcess]:
    shared_shell.write("works.py", WORKS)
    with (
        shared_shell.up(shared_shell.write("flow.yml", FLOW)),
        front_beside(shared_shell.ps()[0]["addresses"][0]) as found,
    ):
        wait_until(lambda: found.ask("GET", "/readyz").status == 200, PATIENCE_S)
        yield found


def is_short(answer: Answer) -> bool:
    return "content-length" in answer.headers


def outcomes(answer: Answer) -> list[Any]:
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    found = [json.loads(line) for line in answer.body.splitlines()]
    for each in found:  # ids that were made differ between two requests
        each["id"] = re.sub(r"^[0-9a-f]{16}-", "made-", each["id"])
    return found


def long_way(front: FrontProcess, path: str, body: bytes) -> Answer:
    """The same request, with its body in two chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE_S)
    half = len(body) // 2
    connection.request("POST", path, iter([body[:half], body[half:]]), encode_chunked=True)
    response = connection.getresponse()
    pairs = {name.lower(): value for name, value in response.getheaders()}
    answer = Answer(response.status, pairs, response.read())
    connection.close()
    assert not is_short(answer)
    return answer


BODIES = {
    "lines": b'{"text":"a"}\n{"text":"b","id":"mine"}\n',
    "no newline at the end": b'{"text":"a"}\n{"text":"b"}',
    "blank lines": b'\n{"text":"a"}\n\n\n{"text":"b"}\n\n',
    "CRLF": b'{"text":"a"}\r\n{"text":"b"}\r\n',
    "not JSON": b'{"text":"a"}\n{"text":\n[1]\n{"text":"b"}\n',
    "a Document that fails": b'{"text":"a"}\n{"text":"bad"}\n{"text":"b"}\n',
    "all fail": b'{"text":"bad"}\n{"text":"bad"}\n',
    "100 lines": b'{"text":"a"}\n' * 100,
}


@pytest.mark.parametrize("name", list(BODIES))
def test_outcomes_are_those_of_the_long_way(front: FrontProcess, name: str) -> None:
    body = BODIES[name]
    for path in ("/stream/upper", "/stream/upper?parameters=" + quote('{"suffix": "!"}')):
        answer = front.ask("POST", path, body)
        assert is_short(answer)
        assert outcomes(answer) == outcomes(long_way(front, path, body))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/stream/upper", b'{"text":"a"}\n' * 101),
        ("/stream/upper?request_size=1", BODIES["lines"]),
        ("/stream/upper", b'\xef\xbb\xbf{"text":"a"}\n'),
        ("/stream/upper", b"\n\n"),
        ("/stream/upper", b'{"text":"' + b"a" * 200_000 + b'"}\n'),
    ],
)
def test_what_is_unusual_goes_the_long_way(front: FrontProcess, path: str, body: bytes) -> None:
    answer = front.ask("PUT", path, body)
    assert not is_short(answer)
    assert outcomes(answer) == outcomes(long_way(front, path, body))


def test_what_is_wrong_is_told_as_ever(front: FrontProcess) -> None:
    for path, status in (("/stream/nobody", 404), ("/stream/upper?targets=x", 422)):
        assert front.ask("POST", path, BODIES["lines"]).status == status
    headers = {"Content-Encoding": "gzip"}
    assert front.ask("POST", "/stream/upper", BODIES["lines"], headers).status == 415


def test_lines_that_are_here_do_not_wait_for_those_that_are_to_come(front: FrontProcess) -> None:
    first, second = b'{"text":"first"}\n', b'{"text":"second"}\n'
    length = f"Content-Length: {len(first + second)}\r\n"
    with wire(front.port) as connection:
        connection.send(head("POST", "/stream/upper", length).encode() + first)
        assert connection.answer(has_body=False).status == 200
        read = connection._read
        while b"FIRST" not in read:
            read += connection.socket.recv(1 << 16)
        connection.send(second)
        while not read.endswith(b"\r\n0\r\n\r\n"):
            read += connection.socket.recv(1 << 16)
        assert b"SECOND" in read
        # The connection stays usable, for a short one too.
        connection._read = b""
        connection.send(head("POST", "/stream/upper", length).encode() + first + second)
        assert len(connection.answer().body.splitlines()) == 2


def test_nothing_is_counted_twice_or_never(front: FrontProcess) -> None:
    def counted() -> dict[str, float]:
        lines = front.ask("GET", "/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(number) for name, number in pairs}

    before = counted()
    front.ask("POST", "/stream/upper", BODIES["a Document that fails"])
    long_way(front, "/stream/upper", BODIES["a Document that fails"])
    with wire(front.port) as connection:  # who hangs up before all is here
        connection.send(head("POST", "/stream/upper", "Content-Length: 9\r\n"))
    wait_until(lambda: counted()["jina_requests_in_flight"] == 1, PATIENCE_S)
    after = counted()
    requests = 'jina_http_requests_total{endpoint="/upper",status="200"}'
    assert after[requests] - before.get(requests, 0) == 2
    for outcome, number in (("ok", 4), ("failed", 2)):
        documents = f'jina_documents_total{{endpoint="/upper",outcome="{outcome}"}}'
        assert after[documents] - before.get(documents, 0) == number
