"""Clients that are broken, slow, greedy, gone, or many: they get what they deserve, others theirs.

JINA_HOSTILE_SCALE=50 makes it 10,000 idle connections and 1,000 clients that vanish.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.http.fronts import PATIENCE_S, FrontProcess
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import JSON, Wire, chunked, head, post, wire
from tests.polling import wait_until
from tests.shell import Shell, peak_bytes

SCALE = int(os.environ.get("JINA_HOSTILE_SCALE", "1"))
IDLE = 200 * SCALE
VANISHING = 20 * SCALE
MIB = 1 << 20
CHUNKED = f"{JSON}Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def front(flow: Gated) -> Iterator[FrontProcess]:
    with flow.front(max_body=MIB) as found:
        yield found


@pytest.fixture(scope="module")
def hasty(flow: Gated) -> Iterator[FrontProcess]:
    """A front that waits for nobody."""
    with flow.front(head_s=0.3, body_s=0.3, silence_s=0.5, idle_s=0.5, max_body=64 * MIB) as found:
        yield found


def sockets_of(pid: int) -> int:
    """How many sockets a process has open."""
    found = 0
    for each in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/{pid}/fd/{each}").startswith("socket:")
    return found


def test_it_works(front: FrontProcess) -> None:
    assert front.post("/upper", UPPER).json()["data"]["docs"][0]["text"] == "A"


# --- what is not HTTP/1.1 ---

HOSTED = "Host: localhost\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        "\x16\x03\x01\x02\x00\x01\x00",
        "hello\r\n\r\n",
        f"FOO / HTTP/1.1\r\n{HOSTED}\r\n",
        "GET /livez HTTP/1.1\r\n\r\n",
        "GET /livez\r\n\r\n",
        "GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        f"GET http:///livez HTTP/1.1\r\n{HOSTED}\r\n",
        f"GET http://me@localhost/livez HTTP/1.1\r\n{HOSTED}\r\n",
        f"GET ftp://localhost/livez HTTP/1.1\r\n{HOSTED}\r\n",
        "GET http://localhost/livez HTTP/1.1\r\n\r\n",
        f"OPTIONS * HTTP/1.1\r\n{HOSTED}\r\n",
        "GET /livez HTTP/1.1\nHost: localhost\n\n",
        "GET /livez HTTP/1.1\r\nHost: localhost\n\r\n",
        f"GET /livez HTTP/1.1\r\n{HOSTED}{HOSTED}\r\n",
        f"GET /livez HTTP/1.1\r\n{HOSTED}A: b\r\n c\r\n\r\n",
        f"GET /livez HTTP/1.1\r\n{HOSTED}A : b\r\n\r\n",
        f"GET /livez HTTP/1.1\r\n{HOSTED}: b\r\n\r\n",
        f"GET /livez HTTP/1.1\r\n{HOSTED}A: b\0c\r\n\r\n",
        f"GET /li\tvez HTTP/1.1\r\n{HOSTED}\r\n",
        f"GET /é HTTP/1.1\r\n{HOSTED}\r\n",
        head("POST", "/upper", f"{JSON}Content-Length: 2\r\nContent-Length: 2\r\n") + "{}",
        head("POST", "/upper", f"{JSON}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
        head("POST", "/upper", f"{JSON}Content-Length: -1\r\n"),
        head("POST", "/upper", f"{JSON}Content-Length: +2\r\n") + "{}",
        head("POST", "/upper", f"{JSON}Content-Length: 2, 2\r\n") + "{}",
        head("POST", "/upper", f"{JSON}Content-Length: {10**30}\r\n"),
        head("POST", "/upper", f"{JSON}Content-Length: x\r\n"),
        head("POST", "/upper", f"{JSON}Transfer-Encoding: gzip, chunked\r\n"),
        head("POST", "/upper", f"{JSON}Transfer-Encoding: identity\r\n"),
        head("POST", "/upper", CHUNKED, version="1.0") + "0\r\n\r\n",
        head("POST", "/upper", CHUNKED) + "zz\r\n",
        head("POST", "/upper", CHUNKED) + "-1\r\n",
        head("POST", "/upper", CHUNKED) + "1\nx\n0\n\n",
        head("POST", "/upper", CHUNKED) + "fffffffffffffffff\r\n",
        head("PUT", "/upper", CHUNKED) + "2\r\n{}xx\r\n",
    ],
)
def test_what_is_not_http_is_400_and_the_end(front: FrontProcess, request_: str) -> None:
    with wire(front.port) as client:
        client.send(request_)
        answer = client.answer()
        assert answer.status == 400
        assert answer.json()["error"]["type"] == "bad_request"
        assert answer.headers["connection"] == "close"
        assert client.is_closed()


def test_the_whole_answer_to_bad_framing(front: FrontProcess) -> None:
    with wire(front.port) as client:
        client.send("GET /livez HTTP/1.1\r\n\r\n")
        answer = client.answer()
        assert answer.json() == {
            "error": {"type": "bad_request", "message": "the header Host is missing"}
        }
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_header_behind_a_body_in_chunks_counts_for_nothing(front: FrontProcess) -> None:
    with wire(front.port) as client:
        client.send(chunked("/upper", UPPER, "Origin: http://evil.example\r\n"))
        assert client.answer().json()["data"]["docs"][0]["text"] == "A"


def test_http_1_0_is_answered_once(front: FrontProcess) -> None:
    for request_ in (post("/upper", UPPER), head().encode()):
        with wire(front.port) as client:
            client.send(request_.replace(b"HTTP/1.1", b"HTTP/1.0"))
            answer = client.answer()
            assert answer.status == 200
            assert answer.headers["connection"] == "close"
            assert client.is_closed()


def test_a_target_may_name_the_server(front: FrontProcess) -> None:
    with wire(front.port) as client:
        for target in ("http://localhost/status", "HTTP://127.0.0.1:8080/status?x=1"):
            client.send(f"GET {target} HTTP/1.1\r\nHost: other.example\r\n\r\n")
            answer = client.answer()
            assert answer.status == 200
            assert "envs" in answer.json()
        client.send(post("/upper", UPPER).replace(b"/upper", b"http://localhost/upper", 1))
        assert client.answer().json()["data"]["docs"][0]["text"] == "A"
        client.send(f"GET http://localhost HTTP/1.1\r\n{HOSTED}\r\n")
        assert client.answer().status == 404
        client.send(f"GET http://evil.example/status HTTP/1.1\r\n{HOSTED}\r\n")
        answer = client.answer()
        assert answer.status == 403
        assert answer.json()["error"]["type"] == "forbidden_host"


# --- one after the other ---


def test_pipelined_requests_are_answered_in_order(front: FrontProcess) -> None:
    def upper(text: str, method: str = "POST") -> bytes:
        return post("/upper", {"data": [{"text": text}]}).replace(b"POST", method.encode(), 1)

    some = [upper("a"), head().encode(), chunked("/upper", UPPER), upper("b", "PUT"), upper("c")]
    refused = [post("/upper", UPPER, "Content-Type: text/plain\r\n"), head(path="/none").encode()]
    with wire(front.port) as client:
        client.send(b"".join([*some, *refused] * 20))
        for _ in range(20):
            answers = [client.answer() for _ in range(7)]
            assert [each.status for each in answers] == [200, 200, 200, 200, 200, 415, 404]
            texts = [answers[at].json()["data"]["docs"][0]["text"] for at in (0, 2, 3, 4)]
            assert texts == ["A", "A", "B", "C"]


def test_requests_behind_one_that_is_under_way_wait_in_the_system(
    flow: Gated, front: FrontProcess
) -> None:
    gate = flow.gate("queue")
    with wire(front.port) as client:
        client.send(post("/gate", gate.body()))
        wait_until(gate.seen)
        client.socket.setblocking(False)
        block = head().encode() * 2000
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 512 * MIB:
                sent += client.socket.send(block)
        assert sent < 512 * MIB
        assert peak_bytes(front.process.pid) < 512 * MIB
        client.socket.settimeout(PATIENCE_S)
        gate.open()
        assert client.answer().status == 200
        assert client.answer().body == b"ok\n"


# --- too slow ---


@pytest.mark.parametrize("part", ["G", "GET /livez HTTP/1.1\r\n", head()[:-2]])
def test_a_slow_head_is_408(hasty: FrontProcess, part: str) -> None:
    with wire(hasty.port) as client:
        client.send(part)
        answer = client.answer()
        assert answer.status == 408
        assert answer.json() == {
            "error": {
                "type": "timeout",
                "message": "the head of the request did not come within 0.3 s",
            }
        }
        assert client.is_closed()


@pytest.mark.parametrize(
    "part",
    [
        post("/upper", UPPER)[:-1],
        post("/upper", UPPER).replace(b"POST", b"PUT")[:-1],
        head("POST", "/upper", CHUNKED).encode() + b"1\r\n{\r\n",
        post("/none", UPPER)[:-1],
    ],
)
def test_a_slow_body_is_408(hasty: FrontProcess, part: bytes) -> None:
    with wire(hasty.port) as client:
        client.send(part)
        answer = client.answer()
        if answer.status != 404:  # told at once, as its body is not read
            assert answer.status == 408
            assert answer.json()["error"]["message"] == (
                "the body of the request did not come within 0.3 s"
            )
        assert client.is_closed()


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        ("GET /", "a"),
        (head("POST", "/upper", f"{JSON}Content-Length: 100000\r\n"), " "),
        (head("PUT", "/upper", CHUNKED), "1\r\n \r\n"),
    ],
)
def test_a_trickle_does_not_help(hasty: FrontProcess, start: str, drop: str) -> None:
    with wire(hasty.port) as client:
        client.send(start)
        while not select.select([client.socket], [], [], 0.02)[0]:
            client.send(drop)
        assert client.answer().status == 408


def test_who_says_nothing_is_left_without_a_word(hasty: FrontProcess) -> None:
    with wire(hasty.port) as silent, wire(hasty.port) as idle:
        idle.send(head())
        assert idle.answer().status == 200
        assert idle.is_closed()
        assert silent.is_closed()


def test_who_does_not_read_is_cut_off(flow: Gated) -> None:
    with flow.front(silence_s=0.5, max_body=64 * MIB) as front, socket.socket() as sock:
        before = sockets_of(front.process.pid)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(PATIENCE_S)
        sock.connect(("127.0.0.1", front.port))
        sock.sendall(post("/upper", {"data": [{"text": "x" * 8 * MIB}]}))
        assert select.select([sock], [], [], PATIENCE_S)[0], "the answer begins"
        wait_until(lambda: sockets_of(front.process.pid) <= before, what="it is cut off")


# --- too much ---


def test_a_large_head_is_431(front: FrontProcess) -> None:
    for filler in ("A: " + "b" * 40_000, "A: b\r\n" * 8_000, "A: " + "b" * (1 << 20)):
        with wire(front.port) as client:
            with contextlib.suppress(ConnectionError):  # it is not read to its end
                client.send(f"GET /livez HTTP/1.1\r\n{HOSTED}{filler}\r\n\r\n")
            answer = client.answer()
            assert answer.status == 431
            assert answer.json() == {
                "error": {
                    "type": "head_too_large",
                    "message": "the head is larger than 32,768 bytes",
                }
            }


@pytest.mark.parametrize("path", ["/upper", "/stream/upper"])
@pytest.mark.parametrize("start", ["0\r\nX: ", "0\r\n", "2;x="])
def test_what_is_around_a_body_has_a_limit(front: FrontProcess, path: str, start: str) -> None:
    filler = "A: b\r\n" * 50_000 if start == "0\r\n" else "b" * (1 << 20)
    with wire(front.port) as client:
        with contextlib.suppress(ConnectionError):  # it is not read to its end
            client.send(head("PUT", path, CHUNKED) + "2\r\n{}\r\n" + start + filler)
        answer = client.answer()
        assert answer.status == 431
        assert answer.json() == {
            "error": {
                "type": "framing_too_large",
                "message": "what is around the body, as in trailers, is larger than 32,768 bytes",
            }
        }


def test_a_body_in_chunks_of_one_byte_is_read_in_turns(front: FrontProcess) -> None:
    body = b'{"data": [{"text": "a%b"}]}' % (b" " * 50_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with wire(front.port) as client:
        client.send(head("POST", "/upper", CHUNKED).encode() + chunks + head().encode())
        assert client.answer().json()["data"]["docs"][0]["text"] == f"A{' ' * 50_000}"
        assert client.answer().body == b"ok\n"


def test_a_large_body_is_413_before_it_is_sent(front: FrontProcess) -> None:
    for more in ("", "Expect: 100-continue\r\n"):
        for method in ("POST", "PUT"):
            with wire(front.port) as client:
                client.send(head(method, "/upper", f"{JSON}{more}Content-Length: {MIB + 1}\r\n"))
                answer = client.answer()
                assert answer.status == 413
                assert answer.json()["error"] == {
                    "type": "too_large",
                    "message": "the body is larger than 1,048,576 bytes",
                    "hint": "send fewer Documents at once, or JSON lines to /stream/ENDPOINT; "
                    "`max_body` is the limit",
                }
                assert client.is_closed()


def test_who_sends_a_large_body_all_the_same_can_read_why_not(front: FrontProcess) -> None:
    for headers in (f"{JSON}Content-Length: {4 * MIB}\r\n", CHUNKED):
        with wire(front.port) as client:
            client.send(head("POST", "/upper", headers))
            for _ in range(64):
                client.send(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            assert client.answer().status == 413


def test_a_body_within_the_limit_is_asked_for(front: FrontProcess) -> None:
    body = b'{"data": [{"text": "expected"}]}'
    for method in ("POST", "PUT"):
        with wire(front.port) as client:
            length = f"Content-Length: {len(body)}\r\n"
            client.send(head(method, "/upper", f"{JSON}Expect: 100-continue\r\n{length}"))
            assert client.answer().status == 100
            client.send(body)
            assert client.answer().json()["data"]["docs"][0]["text"] == "EXPECTED"


def test_bodies_together_have_a_limit(flow: Gated) -> None:
    with flow.front(max_waiting_bytes=3_000) as front:
        gate = flow.gate("bytes")
        with wire(front.port) as first, wire(front.port) as second, wire(front.port) as third:
            first.send(post("/gate", gate.body("x" * 2_000)))
            wait_until(gate.seen)
            for client, size in ((second, 2_000), (third, 4_000)):
                client.send(post("/upper", {"data": [{"text": "x" * size}]}))
                answer = client.answer()
                assert answer.status == 503
                assert answer.headers["retry-after"] == "1"
                assert answer.json() == {
                    "error": {
                        "type": "full",
                        "message": "too many requests wait for their turn",
                        "hint": "try again later",
                    }
                }
            gate.open()
            assert first.answer().status == 200
        assert front.post("/upper", UPPER).status == 200


def test_more_connections_than_may_be(flow: Gated) -> None:
    with flow.front(max_connections=3) as front, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(wire(front.port)) for _ in range(3)]
        for client in clients:
            client.send(head())
            assert client.answer().status == 200
        with wire(front.port) as fourth:
            answer = fourth.answer()
            assert answer.status == 503
            assert answer.json()["error"]["message"] == "too many connections are open"
            assert answer.headers["connection"] == "close"
            assert fourth.is_closed()
        clients[0].socket.close()
        wait_until(lambda: front.ask("GET", "/livez").status == 200, PATIENCE_S)


def test_many_idle_connections_cost_others_nothing(front: FrontProcess) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = sockets_of(front.process.pid)
    with contextlib.ExitStack() as stack:
        for number in range(IDLE):
            client = stack.enter_context(wire(front.port))
            if number % 2:
                client.send("GET /")
        wait_until(lambda: sockets_of(front.process.pid) >= before + IDLE)
        for _ in range(10):
            assert front.post("/upper", UPPER).status == 200
    wait_until(lambda: sockets_of(front.process.pid) <= before, what="they are closed")
    assert peak_bytes(front.process.pid) < 512 * MIB


# --- gone ---


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_clients_that_vanish_cancel_their_requests(
    flow: Gated, front: FrontProcess, method: str
) -> None:
    flow.is_idle()
    before = sockets_of(front.process.pid)
    gate = flow.gate(f"vanish-{method}")
    clients: list[Wire] = []
    with contextlib.ExitStack() as stack:
        for number in range(VANISHING):
            client = stack.enter_context(wire(front.port))
            client.send(post("/gate", gate.body(str(number))).replace(b"POST", method.encode(), 1))
            clients.append(client)
        wait_until(lambda: flow.held() == min(VANISHING, 1_000), what="all are under way")
    wait_until(lambda: flow.held() <= 1, what="none but the one that runs is held")
    wait_until(lambda: sockets_of(front.process.pid) <= before, what="they are closed")
    gate.open()
    flow.is_idle()
    assert len(gate.seen()) == 1
    assert front.post("/upper", UPPER).status == 200


def test_who_vanishes_in_the_middle_of_a_body_leaves_nothing(front: FrontProcess) -> None:
    before = sockets_of(front.process.pid)
    parts = (
        post("/upper", UPPER)[:-5],
        post("/upper", UPPER).replace(b"POST", b"PUT")[:-5],
        head("POST", "/upper", CHUNKED).encode() + b"1\r\n{\r\n",
        head("POST", "/stream/upper", CHUNKED).encode() + b"1\r\n{\r\n",
        b"GET / HT",
    )
    with contextlib.ExitStack() as stack:
        for part in parts * 10:
            stack.enter_context(wire(front.port)).send(part)
    wait_until(lambda: sockets_of(front.process.pid) <= before, what="they are closed")
    assert front.post("/upper", UPPER).status == 200


# --- the end of things ---


def test_a_gateway_that_is_killed_is_told_of_until_there_is_another(
    flow: Gated, front: FrontProcess
) -> None:
    with wire(front.port) as client:
        client.send(post("/upper", UPPER))
        assert client.answer().status == 200
        os.kill(flow.shell.gateway(), signal.SIGKILL)
        seen = set()

        def is_back() -> bool:
            client.send(post("/upper", UPPER))
            answer = client.answer()
            seen.add(answer.status)
            if answer.status == 503:
                assert answer.headers["retry-after"] == "1"
                assert answer.json()["error"]["type"] == "unavailable"
            return answer.status == 200 and bool(flow.shell.processes("jina.runtime.gateway"))

        wait_until(is_back, PATIENCE_S)
        assert seen <= {200, 503}


def test_a_front_that_stops_answers_what_is_under_way(flow: Gated) -> None:
    gate = flow.gate("stop")
    with flow.front() as front, wire(front.port) as busy, wire(front.port) as idle:
        with wire(front.port) as half:
            idle.send(head())
            assert idle.answer().status == 200
            busy.send(post("/gate", gate.body()))
            wait_until(gate.seen)
            half.send(head()[:20])
            front.ask("GET", "/livez")  # it has seen the half
            front.process.send_signal(signal.SIGTERM)
            assert idle.is_closed()
            half.send(head()[20:])
            answer = half.answer()
            assert answer.status == 503
            assert answer.json() == {
                "error": {"type": "stopping", "message": "the server is stopping"}
            }
            assert half.is_closed()
            busy.send(post("/upper", UPPER))  # not read any more
            gate.open()
            answer = busy.answer()
            assert answer.status == 200
            assert answer.headers["connection"] == "close"
            assert busy.is_closed()
        assert front.process.wait(PATIENCE_S) in {0, -signal.SIGTERM}
