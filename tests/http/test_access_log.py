"""The access log, the ids of requests, and that a slow reader of the log stops nobody."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from jina.http.access_log import Log, LogWriter
from tests.http.fronts import FrontProcess, front_beside
from tests.polling import wait_until
from tests.shell import Shell


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    with shared_shell.up(shared_shell.flow("Upper")):
        yield shared_shell.ps()[0]["addresses"][0]


def ready(front: FrontProcess) -> None:
    wait_until(lambda: front.ask("GET", "/readyz").status == 200)


def lines_with(front: FrontProcess, words: str, count: int = 1) -> list[str]:
    """Wait for lines of the log that have these words."""

    def found() -> list[str]:
        return [line for line in front.said().splitlines() if words in line]

    wait_until(lambda: len(found()) >= count, what=words)
    return found()


BODY = {"data": [{"text": "a"}, {"text": "b"}]}


def test_each_request_is_a_line(address: str) -> None:
    with front_beside(address, access_log=True) as front:
        ready(front)
        answer = front.post("/post", {**BODY, "execEndpoint": "/index"}, **{"X-Request-ID": "my-1"})
        (line,) = lines_with(front, "my-1")
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1:\d+ POST /post"
            rf" {answer.status} {len(answer.body)} B \d+\.\d ms my-1 2/0",
            line,
        )
        front.ask("GET", "/not%1b%5b2Jthere", headers={"X-Request-ID": "my-2"})
        (line,) = lines_with(front, "my-2")
        assert "\x1b" not in line
        assert r"GET /not\x1b[2Jthere 404" in line or r"GET /not\x1b[2Jthere 405" in line


def test_lines_are_json_if_asked_for(address: str) -> None:
    with front_beside(address, access_log=True, log_format="json") as front:
        ready(front)
        front.post("/post", {**BODY, "execEndpoint": "/index"}, **{"X-Request-ID": "my-1"})
        (line,) = lines_with(front, "my-1")
        told: dict[str, Any] = json.loads(line)
        assert (told.pop("method"), told.pop("path"), told.pop("status")) == ("POST", "/post", 200)
        assert (told.pop("documents"), told.pop("failed"), told.pop("level")) == (2, 0, "info")
        assert told.keys() == {"time", "client", "bytes", "ms", "request_id"}
        # Not only requests: all that it says.
        for said in front.said().splitlines():
            json.loads(said)


def test_the_last_request_is_in_the_log_of_a_front_that_ends(address: str) -> None:
    with front_beside(address, access_log=True) as front:
        front.ask("GET", "/livez", headers={"X-Request-ID": "the-last"})
        front.process.terminate()
        assert front.process.wait(60) == 0
        assert "the-last" in front.said()


def test_there_is_no_access_log_by_itself(address: str) -> None:
    with front_beside(address) as front:
        ready(front)
        front.post("/post", {**BODY, "execEndpoint": "/index"})
        front.process.terminate()
        front.process.wait()
        assert front.said() == ""


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/post"), ("GET", "/livez"), ("GET", "/none")]
)
def test_each_answer_has_the_id_of_its_request(address: str, method: str, path: str) -> None:
    with front_beside(address) as front:
        ready(front)
        body = {**BODY, "execEndpoint": "/index"} if method == "POST" else None
        for given in ("abc", "with spaces, and ~", "x" * 128):
            answer = front.ask(method, path, body, {"X-Request-ID": given})
            assert answer.headers["x-request-id"] == given
        made = set()
        for given in (None, "", "x" * 129, "caf\xe9", "a\tb"):
            headers = {} if given is None else {"X-Request-ID": given}
            answer = front.ask(method, path, body, headers)
            assert answer.headers["x-request-id"] != given
            made.add(answer.headers["x-request-id"])
        assert len(made) == 5
        assert all(re.fullmatch(r"[\x21-\x7e]{1,128}", each) for each in made)


def _told(**more: Any) -> SimpleNamespace:
    request = {"client": "-", "method": "GET", "path": "/", "request_id": b"1"}
    return SimpleNamespace(**request, documents=0, failed=0, **more)


def test_a_full_pipe_stops_nobody_and_what_is_lost_is_told() -> None:
    reader, writer = os.pipe()
    count = 100_000

    async def work() -> bytes:
        log = Log(LogWriter(writer), is_json=False)
        for number in range(count):
            log.request(_told(), 200, number, 0.0)
            if number % 1000 == 0:
                await asyncio.sleep(0)
        taken = b""
        loop = asyncio.get_running_loop()
        while b"dropped" not in taken:
            taken += await loop.run_in_executor(None, os.read, reader, 1 << 20)
        log.close()
        return taken

    taken = asyncio.run(work())
    os.close(reader)
    os.close(writer)
    *lines, last = taken.decode().splitlines()
    assert all(re.fullmatch(r"\S+Z - GET / 200 \d+ B 0\.0 ms 1 0/0", line) for line in lines)
    assert last == f"{count - len(lines)} lines of the log were dropped"
    assert len(lines) > 1_000


def test_other_messages_have_the_same_form() -> None:
    reader, writer = os.pipe()

    async def work() -> None:
        log = Log(LogWriter(writer), is_json=True)
        try:
            raise ValueError("x" * 10_000)
        except ValueError:
            record = logging.getLogger("t").makeRecord(
                "t", logging.ERROR, "f", 1, "went %s", ("wrong",), sys.exc_info()
            )
        log.emit(record)
        log.close()

    asyncio.run(work())
    os.close(writer)
    with os.fdopen(reader, "rb") as read:
        (line,) = read.read().splitlines()
    told = json.loads(line)
    assert told["level"] == "error"
    assert told["message"].startswith("went wrong\nTraceback")
    assert told["message"].endswith("ValueError: " + "x" * 10_000)


def test_nobody_reads_the_log_and_serving_goes_on(address: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    async def work() -> None:
        log = Log(LogWriter(writer), is_json=False)
        log.request(_told(), 200, 0, 0.0)
        log.close()

    asyncio.run(work())
    os.close(writer)
