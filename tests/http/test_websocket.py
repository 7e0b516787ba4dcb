"""WebSockets of a front: recorded conversations of Jina's gateways, and what else may come."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from google.protobuf import json_format
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside, is_answered
from tests.http.protos import message_of
from tests.http.recordings import FOLDER
from tests.http.sockets import BINARY, CLOSE, TEXT, frame, handshake, replayed
from tests.polling import wait_until
from tests.shell import Shell, descriptors_of

UPPER = """\
import os
import time

import numpy as np

from jina import Document, DocumentArray, Executor, requests


class Upper(Executor):
    @requests(on="/index")
    def upper(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper() + str(parameters.get("suffix", ""))

    @requests(on="/search")
    def search(self, docs, **kwargs):
        for doc in docs:
            match = Document(id="m1", text="match", tags={"n": 1}, adjacency=1)
            match.scores["cosine"] = 0.25
            doc.matches.append(match)

    @requests(on="/fail")
    def fail(self, **kwargs):
        raise ValueError("boom")

    @requests(on="/status")
    def status(self, **kwargs):
        return DocumentArray([Document(id="s", text="fine")])

    @requests(on="/half")
    def half(self, docs, **kwargs):
        if any(doc.text == "x" for doc in docs):
            raise ValueError("no x")

    @requests(on="/gate")
    def gate(self, docs, parameters, **kwargs):
        open(parameters["seen"], "w").close()
        while not os.path.exists(parameters["until"]):
            time.sleep(0.01)
"""
FLOW = """\
jtype: Flow
executors:
  - name: upper
    uses: Upper
    py_modules: upper.py
"""
ANY = "(any)"
_MASKED = {"request_id", "start_time", "end_time", "pod_id", "stacks"}
_FILES = {"2.0": "jina-2.0.24-ws.jsonl", "3": "jina-3.34.0-ws.jsonl"}
_IN_ANSWERS_OF_FLOWS_HERE = {"mime_type"}


class Service(NamedTuple):
    """A front, and the Flow that it belongs to."""

    front: FrontProcess
    shell: Shell
    address: str

    def connect(self, *protocols: Any, path: str = "/") -> ClientConnection:
        url = f"ws://127.0.0.1:{self.front.port}{path}"
        return connect(url, subprotocols=protocols or None, open_timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def service(shared_shell: Shell) -> Iterator[Service]:
    shared_shell.write("upper.py", UPPER)
    with shared_shell.up(shared_shell.write("flow.yml", FLOW)):
        address = shared_shell.ps()[0]["addresses"][0]
        with front_beside(address, api=2) as front:
            assert is_answered(front, "/index", {"data": ["a"]})
            yield Service(front, shared_shell, address)


def recorded(release: str) -> list[dict[str, Any]]:
    lines = (FOLDER / _FILES[release]).read_text().splitlines()
    return [json.loads(line) for line in lines]


def masked(value: Any) -> Any:
    """What can be compared; without what docs/http.md says is different on purpose."""
    if isinstance(value, list):
        return [masked(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: ANY if key in _MASKED else masked("upper" if each == "Upper" else each)
        for key, each in value.items()
        if key not in _IN_ANSWERS_OF_FLOWS_HERE
    }


def test_recorded_clients_are_answered_as_they_were(service: Service) -> None:
    for release, name in (("2.0", "jina.RequestProto"), ("3", "jina.DataRequestProto")):
        for case in recorded(release):
            if "raw" not in case:
                continue
            head, found = replayed(service.front.port, base64.b64decode(case["raw"]))
            assert head.startswith("HTTP/1.1 101 "), case["name"]
            *messages, close = found
            assert (close.opcode, close.code) == (CLOSE, case["code"]), case["name"]
            assert {each.opcode for each in messages} == {BINARY}
            answers = [
                json_format.MessageToDict(
                    message_of(release, name, each.payload),
                    preserving_proto_field_name=True,
                )
                if each.payload
                else ""
                for each in messages
            ]
            assert masked(answers) == masked(case["answered"]), case["name"]


def test_recorded_conversations_in_json_go_as_they_went(service: Service) -> None:
    for case in recorded("3"):
        if "raw" in case or case["name"] in ("json_bad", "json_no_data"):
            continue  # dropped without a word by the original
        protocols = [case["protocol"]] if case["protocol"] else []
        with service.connect(*protocols, path=case["path"]) as connection:
            for message in case["sent"]:
                connection.send(message if isinstance(message, str) else b"")
            answers = [
                json.loads(each) if isinstance(each, str) else {"bytes": each.decode()}
                for each in connection
            ]
            assert connection.subprotocol == ("json" if case["protocol"] == "json" else None)
            assert connection.close_code == case["code"]
        expected = [
            {**each, "data": answer["data"]} if each.get("data") == ANY else each
            for each, answer in zip(case["answered"], answers, strict=True)
        ]
        assert masked(answers) == masked(expected), case["name"]


def ask(connection: ClientConnection, **request: Any) -> dict[str, Any]:
    connection.send(json.dumps(request))
    answer: dict[str, Any] = json.loads(connection.recv(PATIENCE_S))
    return answer


def test_what_fails_is_told_and_the_conversation_goes_on(service: Service) -> None:
    with service.connect("json") as connection:
        failed = ask(
            connection, data=[{"id": "a"}], execEndpoint="/fail", header={"request_id": "r"}
        )
        assert failed["header"]["request_id"] == "r"
        assert failed["header"]["status"]["description"] == "ValueError('boom')"
        assert [doc["id"] for doc in failed["data"]] == ["a"]
        docs = [{"id": "a", "text": "a"}, {"id": "b", "text": "x"}]
        partly = ask(connection, data=docs, exec_endpoint="/half")
        assert partly["header"]["status"]["code"] == 1
        assert partly["header"]["status"]["description"].startswith("1 of 2 Documents failed")
        assert [doc["id"] for doc in partly["data"]] == ["a", "b"]
        wrong = ask(connection, data=3)
        assert wrong["header"]["status"]["description"] == (
            "ValueError('body.data: value is not a valid list')"
        )
        bad = ask(connection, data=[{"text": "a", "buffer": "YQ=="}], execEndpoint="/index")
        assert "one Document has one content" in bad["header"]["status"]["description"]
        nobody = ask(connection, data=[{"id": "a"}], execEndpoint="/nobody")
        assert [doc["id"] for doc in nobody["data"]] == ["a"]
        unread = ask(connection, data=["a"], execEndpiont="/index")
        assert "did you mean `execEndpoint`?" in unread["header"]["status"]["description"]
        missing = ask(connection, execEndpoint="/status")
        assert [doc["text"] for doc in missing["data"]] == ["fine"]
        fine = ask(connection, data=["hi"], execEndpoint="/index", parameters={"suffix": "!"})
        assert [doc["text"] for doc in fine["data"]] == ["HI!"]
        assert "status" not in fine["header"]


def test_many_requests_at_once_are_answered_in_order(service: Service) -> None:
    with service.connect("json") as connection:
        for number in range(100):
            data = [{"id": str(number), "text": "a"}]
            connection.send(json.dumps({"data": data, "execEndpoint": "/index"}))
        connection.send("{}")
        ids = [json.loads(each)["data"][0]["id"] for each in connection]
    assert ids == [str(number) for number in range(100)]


GARBAGE = {
    "text that is no JSON": (["json"], "{", 1007),
    "binary junk": ([], os.urandom(1000) + b"\xff", 1007),
    "no bytes": (["bytes"], b"", 1007),
    "deep nesting": (["json"], '{"a":' * 100_000, 1007),
    "binary in json": (["json"], b"\x0a\x00", 1003),
    "text in bytes": (["bytes"], '{"data":[]}', 1003),
    "too large": (["json"], "x" * (17 << 20), 1009),
    "too large a binary": ([], b"x" * (17 << 20), 1009),
    "binary nested too deeply": ([], b"\x0a\x01a\x1a" + b"\x80\x01" + b"\x0a\x7e" * 64, 1007),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_closes_the_connection_with_a_code_that_fits(service: Service, name: str) -> None:
    protocols, message, code = GARBAGE[name]
    with service.connect(*protocols) as connection:
        with contextlib.suppress(ConnectionClosed):  # while it is sent
            connection.send(message)
        with pytest.raises(ConnectionClosed):
            connection.recv(PATIENCE_S)
        assert connection.close_code == code


def test_broken_frames_close_the_connection(service: Service) -> None:
    for sent, code in (
        (frame(TEXT, b"\xff\xfe"), 1007),
        (frame(3, b""), 1002),
        (b"\x81\x00", 1002),  # not masked
    ):
        head, found = replayed(service.front.port, handshake() + sent)
        assert head.startswith("HTTP/1.1 101 ")
        assert [(each.opcode, each.code) for each in found] == [(CLOSE, code)]
    answer = service.front.ask("GET", "/index", headers={"Upgrade": "websocket"})
    assert answer.status in (400, 404, 405, 426)


def test_answers_before_garbage_are_given(service: Service) -> None:
    with service.connect("json") as connection:
        connection.send('{"data": ["a"], "execEndpoint": "/index"}')
        connection.send("garbage")
        assert json.loads(connection.recv(PATIENCE_S))["data"][0]["text"] == "A"
        with pytest.raises(ConnectionClosed):
            connection.recv(PATIENCE_S)
        assert connection.close_code == 1007
        reason = connection.close_reason or ""
        assert reason.startswith("not JSON: ")
        assert reason.count("not JSON") == 1


def test_nothing_is_left_of_clients_that_vanish(service: Service) -> None:
    until, seen = service.shell.folder / "ws.until", service.shell.folder / "ws.seen"
    request = {"data": ["a"], "execEndpoint": "/gate", "parameters": {}}
    request["parameters"] = {"until": str(until), "seen": str(seen)}
    address = ("127.0.0.1", service.front.port)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(socket.create_connection(address, PATIENCE_S))
            client.sendall(handshake())
            assert client.recv(1000).startswith(b"HTTP/1.1 101 ")
            client.sendall(frame(TEXT, json.dumps(request).encode()))
        wait_until(seen.exists)
    pid = service.front.process.pid
    wait_until(lambda: descriptors_of(pid) < 30)
    until.touch()
    with service.connect("json") as connection:
        assert ask(connection, data=["a"], execEndpoint="/index")["data"][0]["text"] == "A"


def test_a_worker_or_a_gateway_that_is_killed_costs_no_message(service: Service) -> None:
    for name in ("worker", "gateway"):
        until, seen = (service.shell.folder / f"ws-{name}.{kind}" for kind in ("until", "seen"))
        parameters = {"until": str(until), "seen": str(seen)}
        with service.connect("json") as connection:
            for number in range(5):
                data = [{"id": str(number)}]
                request = {"data": data, "execEndpoint": "/gate", "parameters": parameters}
                connection.send(json.dumps(request))
            connection.send("{}")
            wait_until(seen.exists)
            shell = service.shell
            victim = shell.workers()["upper/0"] if name == "worker" else shell.gateway()
            os.kill(victim, signal.SIGKILL)
            until.touch()
            ids = [json.loads(each)["data"][0]["id"] for each in connection]
            assert ids == [str(number) for number in range(5)]


def test_a_front_that_ends_closes_its_websockets(service: Service) -> None:
    with front_beside(service.address) as front:
        assert is_answered(front, "/index", {"data": ["a"]})
        with service._replace(front=front).connect("json") as connection:
            front.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                connection.recv(PATIENCE_S)
            assert connection.close_code in (1001, 1012)
