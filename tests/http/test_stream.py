"""Streams of JSON lines through a front."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from websockets import Subprotocol
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside, is_answered
from tests.http.lines import LineStream
from tests.polling import wait_until
from tests.shell import Shell, descriptors_of, peak_bytes

WORKS = """\
import os
import time
from pathlib import Path

from jina import Executor, requests


class Works(Executor):
    @requests(on="/upper")
    def upper(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper() + parameters.get("suffix", "")

    @requests(on="/gate")
    def gate(self, docs, parameters, **kwargs):
        with open(parameters["seen"], "a") as seen:
            seen.writelines(doc.id + "\\n" for doc in docs)
        while not os.path.exists(parameters["until"]):
            time.sleep(0.01)

    @requests(on="/boom")
    def boom(self, docs, **kwargs):
        for doc in docs:
            if doc.text == "x":
                raise ValueError("no x")

    @requests(on="/count")
    def count(self, docs, **kwargs):
        docs[0].tags["count"] = len(docs)
"""
FLOW = """\
jtype: Flow
executors:
  - name: works
    uses: Works
    py_modules: works.py
"""
MIB = 1024 * 1024
VANISHING = int(os.environ.get("JINA_HTTP_VANISHING", "50"))


class Service(NamedTuple):
    """A front, and the Flow that it belongs to."""

    front: FrontProcess
    shell: Shell
    address: str

    def stream(self, path: str, *headers: str, **query: Any) -> LineStream:
        url = f"/stream{path}?{urlencode(query)}" if query else f"/stream{path}"
        return LineStream(self.front.port, url, *headers)

    def gate(self, name: str, **query: Any) -> Gate:
        until, seen = self.shell.folder / f"{name}.until", self.shell.folder / f"{name}.seen"
        parameters = json.dumps({"until": str(until), "seen": str(seen)})
        return Gate(self.stream("/gate", parameters=parameters, **query), until, seen)

    def queued(self) -> int:
        """Requests that wait for the Executor."""
        status = json.loads(self.shell.fork("flow", "status", "--json").out)
        return int(status["nodes"][0]["queued"])


class Gate(NamedTuple):
    """A stream whose Executor waits until it is told to go on."""

    stream: LineStream
    until: Path
    file: Path

    def seen(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []


@pytest.fixture(scope="module")
def service(shared_shell: Shell) -> Iterator[Service]:
    shared_shell.write("works.py", WORKS)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address) as front:
            assert is_answered(front, "/upper", {"data": [{"text": "a"}]})
            yield Service(front, shared_shell, address)


def texts(lines: list[Any]) -> list[str]:
    return [line["text"] for line in lines]


# --- lines in, outcomes out ---


def test_each_line_has_its_outcome_in_its_place(service: Service) -> None:
    with service.stream("/upper") as stream:
        stream.send(b'{"id":"a","text":"one"}\n\n{"text":"two"}\r\nno JSON\n{"text":')
        stream.send(b'"last"}')
        stream.end()
        head = stream.head()
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "content-type: application/x-ndjson" in head
        first, second, wrong, last = stream.lines()
        assert stream.is_whole
    assert first == {"id": "a", "mime_type": "text/plain", "text": "ONE"}
    key = second["id"].removesuffix("-3")
    assert (second["text"], last["text"], last["id"]) == ("TWO", "LAST", f"{key}-5")
    assert wrong["id"] == f"{key}-4"
    assert wrong["error"]["message"].startswith("<body>:4: not JSON")


def test_a_connection_that_is_kept_has_one_stream_after_the_other(service: Service) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.front.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.connect()
        first = connection.sock
        for _ in range(20):
            connection.request("PUT", "/stream/upper", b'{"text":"a"}\n{"text":"b"}\n')
            answer = connection.getresponse().read()
            assert [json.loads(line)["text"] for line in answer.splitlines()] == ["A", "B"]
            assert connection.sock is first  # it would be another one after a close


def test_what_an_executor_refuses_alone_is_an_error_of_that_line(service: Service) -> None:
    with service.stream("/boom") as stream:
        stream.send_docs({"text": "a"}, {"id": "b", "text": "x"}, {"text": "c"})
        stream.end()
        stream.head()
        first, failed, last = stream.lines()
    assert (first["text"], last["text"]) == ("a", "c")
    assert failed == {
        "id": "b",
        "error": {
            "type": "ValueError",
            "message": "no x",
            "executor": "works",
            "endpoint": "/boom",
        },
    }


def test_outcomes_are_those_of_jina_post(service: Service) -> None:
    data = b'{"id":"a","text":"one","price":3}\n{"id":"b","embedding":[1.5,2]}\n{"id":"c",\n'
    with service.stream("/upper", tensors="typed", exclude="mime_type") as stream:
        stream.send(data)
        stream.end()
        stream.head()
        streamed = stream.lines()
    options = ("--tensors", "typed", "--exclude", "mime_type", "--inputs", "-")
    posted = service.shell.fork("post", "/upper", *options, stdin=data).lines
    assert streamed[:2] == posted[:2]
    told = posted[2]["error"]["message"].replace("<stdin>", "<body>")
    assert streamed[2]["error"] == {**posted[2]["error"], "message": told}


def test_many_lines_come_back_in_order(service: Service) -> None:
    count = 20_000
    data = b"".join(b'{"id":"%d","text":"t"}\n' % number for number in range(count))
    answer = service.front.ask("PUT", "/stream/upper", data, {"Content-Type": "text/plain"})
    assert [json.loads(line)["id"] for line in answer.body.splitlines()] == [
        str(number) for number in range(count)
    ]


def test_an_empty_body_has_no_outcome(service: Service) -> None:
    with service.stream("/upper") as stream:
        stream.end()
        stream.head()
        assert stream.lines() == []
        assert stream.is_whole


def test_the_query_says_how_lines_are_sent(service: Service) -> None:
    docs = [{"id": str(number), "text": "a"} for number in range(5)]
    with service.stream("/upper", parameters='{"suffix": "!"}', select="text") as stream:
        stream.send_docs(*docs)
        stream.end()
        stream.head()
        assert stream.lines() == [{"text": "A!"}] * 5
    with service.stream("/count", request_size=2) as stream:
        stream.send_docs(*docs)
        stream.end()
        stream.head()
        assert [line.get("tags", {}).get("count") for line in stream.lines()] == [
            2,
            None,
            2,
            None,
            1,
        ]
    with service.stream("/upper", target="wor.*") as stream:
        stream.send_docs(docs[0])
        stream.end()
        stream.head()
        assert texts(stream.lines()) == ["A"]
    with service.stream("/boom", on_error="stop") as stream:
        stream.send_docs({"text": "a"}, {"text": "x"})
        stream.end()
        stream.head()
        assert [line["error"]["message"] for line in stream.lines()] == ["no x"] * 2


WRONG = {
    ("parameters", "[1]"): "expected a JSON object",
    ("parameters", "{"): "not JSON",
    ("target", "("): "the target '(' is not a regular expression",
    ("request_size", "0"): "expected a whole number from 1 to 10000",
    ("request_size", "many"): "expected a whole number",
    ("on_error", "ignore"): "expected one of stop, split, continue",
    ("tensors", "npy"): "expected one of list, typed, base64",
    ("select", "txt"): 'Documents have no field "txt"',
    ("exclude", "tagz"): 'Documents have no field "tagz"; did you mean',
    ("request-size", "1"): 'did you mean "request_size"?',
}


def test_a_wrong_query_is_refused_with_its_place(service: Service) -> None:
    for (name, value), message in WRONG.items():
        answer = service.front.ask("POST", f"/stream/upper?{urlencode({name: value})}", b"{}")
        assert answer.status == 422
        (told,) = answer.json()["detail"]
        assert (told["loc"], told["type"]) == (["query", name], "value_error")
        assert message in told["msg"]


def test_what_is_refused_is_refused_before_the_body(service: Service) -> None:
    with service.stream("/uper", "Expect: 100-continue") as stream:
        head = stream.head()
        assert head.startswith("HTTP/1.1 404 Not Found\r\n")
        assert "connection: close" in head
    answer = service.front.ask("POST", "/stream/uper", b"{}")
    assert answer.json() == {
        "error": {
            "type": "not_found",
            "message": "no Executor of the Flow serves /uper",
            "hint": "did you mean /stream/upper?",
        }
    }
    answer = service.front.ask("GET", "/stream/upper")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, PUT")
    answer = service.front.ask("POST", "/stream/upper", b"", {"Content-Encoding": "gzip"})
    assert answer.status == 415


def test_the_body_is_asked_for_before_the_answer_begins(service: Service) -> None:
    with service.stream("/upper", "Expect: 100-continue") as stream:
        assert stream.head() == "HTTP/1.1 100 Continue"
        assert stream.head().startswith("HTTP/1.1 200 OK")
        stream.send_docs({"text": "a"})
        assert stream.line()["text"] == "A"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reads_outcomes_while_it_sends(service: Service) -> None:
    url = f"http://127.0.0.1:{service.front.port}/stream/upper"
    command = ["curl", "-sN", "-T", ".", url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as curl:
        assert curl.stdin
        assert curl.stdout
        for text in ("one", "two", "three"):
            curl.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            assert json.loads(curl.stdout.readline())["text"] == text.upper()
        curl.stdin.close()
        assert curl.stdout.read() == b""
    assert curl.returncode == 0


# --- limits ---


def test_a_line_that_is_too_long_is_an_error_and_is_not_kept(service: Service) -> None:
    before = peak_bytes(service.front.process.pid)
    with service.stream("/upper") as stream:
        stream.send(b'{"text":"a"}\n')
        for _ in range(40):
            stream.send(b"x" * MIB)
        stream.send(b'\n{"text":"b"}\n')
        stream.end()
        stream.head()
        first, long, last = stream.lines()
    assert (first["text"], last["text"]) == ("A", "B")
    assert "16 MiB" in long["error"]["message"]
    assert peak_bytes(service.front.process.pid) - before < 64 * MIB


def test_a_sender_waits_while_the_flow_does_not_keep_up(service: Service) -> None:
    gate = service.gate("slow", request_size=1)
    line = json.dumps({"text": "x" * 100_000}).encode() + b"\n"
    with gate.stream as stream:
        sent = stream.send_until_full(line, 400)
        gate.until.touch()
        stream.finish_sending()
        stream.end()
        stream.head()
        assert len(stream.lines()) == sent + 1
        assert stream.is_whole


def test_a_sender_that_does_not_read_its_answers_waits(service: Service) -> None:
    line = json.dumps({"text": "x" * 100_000}).encode() + b"\n"
    with service.stream("/upper", request_size=1) as stream:
        sent = stream.send_until_full(line, 800)
        # It can go on once the answers have been read.
        stream.head()
        lines = [stream.line() for _ in range(sent - 20)]
        stream.finish_sending()
        stream.end()
        lines += stream.lines()
        assert len(lines) == sent + 1
        assert stream.is_whole


def test_silence_ends_a_stream_but_a_slow_executor_does_not(service: Service) -> None:
    with front_beside(service.address, silence_s=1) as front:
        assert is_answered(front, "/upper", {"data": [{"text": "a"}]})
        quick = service._replace(front=front)
        gate = quick.gate("silent")
        with gate.stream as slow, quick.stream("/upper") as silent:
            silent.send_docs({"text": "a"})
            silent.head()
            got = silent.line()
            assert got is not None, front.said()
            assert got["text"] == "A"
            slow.send_docs({"id": "s"})
            wait_until(gate.seen)
            assert silent.lines() == []
            assert not silent.is_whole
            gate.until.touch()
            slow.head()
            assert slow.line()["id"] == "s"


# --- what goes wrong ---


def test_whoever_hangs_up_cancels_what_has_not_begun(service: Service) -> None:
    gate = service.gate("left", request_size=1)
    with gate.stream as stream:
        stream.send_docs(*({"id": str(number)} for number in range(30)))
        stream.head()
        wait_until(gate.seen)
        stream.socket.shutdown(socket.SHUT_WR)
        assert stream.lines() == []  # the front is done with it
    # It is asked over the same connection, so it has read what was taken back when it answers.
    assert service.front.ask("GET", "/flow.json").status == 200
    wait_until(lambda: service.queued() == 0, what="nothing waits for the Executor")
    gate.until.touch()
    with service.stream("/upper") as after:
        after.send_docs({"id": "after"})
        after.head()
        assert after.line()["id"] == "after"
    assert gate.seen() in (["0"], ["0", "1"])


def test_nothing_is_left_of_streams_whose_clients_vanish(service: Service) -> None:
    pid = service.front.process.pid
    before = descriptors_of(pid)
    gates = [service.gate("vanished", request_size=1) for _ in range(VANISHING)]
    for gate in gates:
        gate.stream.send_docs(*({"id": str(number)} for number in range(20)))
    wait_until(gates[0].seen)
    for gate in gates:
        gate.stream.close()
    wait_until(lambda: descriptors_of(pid) <= before)
    wait_until(lambda: service.queued() == 0)
    gates[0].until.touch()
    with service.stream("/upper") as after:
        after.send_docs({"text": "a"})
        after.head()
        assert after.line()["text"] == "A"
    assert len(gates[0].seen()) <= 2


def test_a_body_that_breaks_off_or_is_no_body_is_cut(service: Service) -> None:
    for wrong in (b"zz\r\n", b"5\r\nabcdefgh\r\n"):
        with service.stream("/upper") as stream:
            stream.send_docs({"text": "a"})
            stream.head()
            assert stream.line()["text"] == "A"
            stream.socket.sendall(wrong)
            assert stream.lines() == []
            assert not stream.is_whole
    url = ("127.0.0.1", service.front.port)
    with socket.create_connection(url, PATIENCE_S) as connection:
        connection.sendall(b"POST /stream/upper HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 505 ")


def test_a_worker_or_a_gateway_that_is_killed_costs_no_line(service: Service) -> None:
    docs = [{"id": str(number)} for number in range(8)]
    kills = (lambda: service.shell.workers()["works/0"], service.shell.gateway)
    for name, victim in zip(("worker", "gateway"), kills, strict=True):
        gate = service.gate(name, request_size=1)
        with gate.stream as stream:
            stream.send_docs(*docs)
            stream.head()
            wait_until(gate.seen)
            os.kill(victim(), signal.SIGKILL)
            gate.until.touch()
            stream.end()
            assert [line["id"] for line in stream.lines()] == [doc["id"] for doc in docs]
            assert stream.is_whole


def test_a_front_that_is_killed_closes_its_streams(service: Service) -> None:
    with front_beside(service.address) as front:
        assert is_answered(front, "/upper", {"data": [{"text": "a"}]})
        with LineStream(front.port, "/stream/upper") as stream:
            stream.send_docs({"text": "a"})
            stream.head()
            assert stream.line()["text"] == "A"
            front.process.kill()
            assert stream.lines() == []
            assert not stream.is_whole


def test_a_flow_that_stops_cuts_its_streams(service: Service, shell: Shell) -> None:
    shell.write("works.py", WORKS)
    with shell.up(shell.write("flow.yml", FLOW)) as flow:
        address = shell.ps()[0]["addresses"][0]
        with front_beside(address) as front:
            assert is_answered(front, "/upper", {"data": [{"text": "a"}]})
            own = service._replace(front=front, shell=shell)
            gate = own.gate("stopped", request_size=1)
            with (
                gate.stream as busy,
                own.stream("/upper") as idle,
                connect(f"ws://127.0.0.1:{front.port}/", subprotocols=[Subprotocol("json")]) as web,
            ):
                sent = ["0"]
                busy.send_docs({"id": "0"})
                wait_until(gate.seen)
                flow.process.send_signal(signal.SIGTERM)

                def is_refused() -> bool:
                    sent.append(str(len(sent)))
                    busy.send_docs({"id": sent[-1]})
                    return bool(select.select([idle.socket], [], [], 0.05)[0])

                idle.head()
                wait_until(is_refused)
                assert idle.lines() == []
                assert not idle.is_whole
                with pytest.raises(ConnectionClosed):
                    web.recv(PATIENCE_S)
                assert web.close_code == 1001
                gate.until.touch()
                busy.head()
                answered = [line["id"] for line in busy.lines()]
                assert answered
                assert answered == sent[: len(answered)]
                assert not busy.is_whole
            answer = front.ask("POST", "/stream/upper", b"{}")
            assert answer.status == 503
            flow.process.wait(PATIENCE_S)
