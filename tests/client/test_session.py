"""A client whose gateway is silent, or gone."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from jina import Client
from jina.client import exchange, session
from jina.client.session import Session
from jina.excepts import ConnectError
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import pack_message, unpack_message
from jina.wire.maps import Route, Welcome, pack_map, unpack_route
from tests.shell import Shell, json_lines

SILENT_S = 1.3  # longer than the patience below and two questions


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "TIMEOUT_CONNECT_S", 0.3)


@pytest.mark.usefixtures("_impatient")
def test_a_gateway_that_is_silent_but_there_is_waited_for(shell: Shell) -> None:
    """And no request is done twice, however late its answers to our questions come."""
    with shell.up(shell.flow("Counter")):
        gateway = shell.gateway()
        address = shell.ps()[0]["addresses"][0]
        done_before = shell.ps()[0]["requests_done"]
        with Client(address) as client:
            inputs = (f"text {number}" for number in range(300))
            stream = client.stream("/", inputs, request_size=1)
            next(stream)
            os.kill(gateway, signal.SIGSTOP)
            waker = threading.Timer(SILENT_S, os.kill, [gateway, signal.SIGCONT])
            waker.start()
            assert sum(1 for _ in stream) == 299
            waker.join()
        assert shell.ps()[0]["requests_done"] == done_before + 300


@pytest.mark.usefixtures("_impatient")
def test_a_flow_that_ends_is_noticed(shell: Shell) -> None:
    with shell.up(shell.flow("Slow")) as up:
        address = shell.ps()[0]["addresses"][0]
        with Client(address) as client:
            stream = client.stream("/", (str(number) for number in range(10_000)), request_size=1)
            next(stream)
            os.kill(up.pid, signal.SIGKILL)
            with pytest.raises(ConnectError) as caught:
                for _ in stream:
                    pass
        up.end()
    assert str(caught.value) == (
        f"{address}: the Flow is gone\n"
        "help: `jina flow logs --flow flow` shows why; start it again with `jina flow up`"
    )


def test_the_good_bye_of_a_flow_concerns_no_later_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is kept outlives it, and serves the next Flow at the same address."""
    flow_file = shell.flow("Upper")
    # No connection and no other test has this host: nobody takes the port between the two Flows.
    host = ("--host", "127.0.0.2", "--insecure-no-auth")
    with shell.up(flow_file, *host, "--port", "0") as up:
        address = shell.ps()[0]["addresses"][-1]
        client = Client(address)
        assert client.post("/", "a", return_results=True)[0].docs[0].text == "A"
        assert up.end(signal.SIGTERM).code == 0
    with client:
        with shell.up(flow_file, *host, "--port", address.rpartition(":")[2]):
            assert client.post("/", "b", return_results=True)[0].docs[0].text == "B"
        # Not before: the longer the second Flow took to start, the longer until we connect again.
        monkeypatch.setattr(exchange, "TIMEOUT_CONNECT_S", 0.3)
        with pytest.raises(ConnectError, match="the Flow is gone"):
            client.post("/", "c")


def test_a_late_answer_before_a_good_bye_makes_it_concern_no_later_post(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client asks a slow gateway whether it is there; the post may be answered before that is."""
    context = sockets.open_context()
    router = sockets.open_router(context)
    address = sockets.bind(router, "tcp://127.0.0.1:*")
    thread = threading.Thread(target=answer_one_post_and_leave, args=[router])
    thread.start()
    with Client(address) as client:
        client.post("/", "a")
        thread.join()
        sockets.close(context)
        monkeypatch.setattr(exchange, "TIMEOUT_CONNECT_S", 0.3)
        with pytest.raises(ConnectError, match="the Flow is gone"):
            client.post("/", "b")


def answer_one_post_and_leave(router: sockets.Socket) -> None:
    """As a gateway: greet, answer a request, then a question that was asked meanwhile; BYE."""
    welcome = pack_map(Welcome("flow", {"a": ["/"]}, 16))
    while router.poll(30_000):
        message = sockets.receive(router, routed=True)
        header = unpack_message(message.header, message.frames)
        late = pack_message(wire.WELCOME, number=header.number, call=welcome)
        if header.kind == wire.HELLO:
            sockets.send(router, late, message.peer)
        elif header.kind == wire.REQUEST:
            route = pack_map(Route("", None, unpack_route(header.route).parts))
            frames = list(header.frames)
            reply = pack_message(wire.REPLY, frames, number=header.number, route=route)
            for said in (reply, late, pack_message(wire.BYE)):
                sockets.send(router, said, message.peer)
            sockets.wait_until_sent(router, 30)
            return


def test_a_post_while_the_gateway_is_replaced_waits_for_the_new_one(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")) as up:
        for _ in range(3):
            os.kill(shell.gateway(), signal.SIGKILL)
            done = shell.call("post", "/", "--quiet", stdin=json_lines(3))
            assert (done.code, done.err) == (0, "")
            assert [line["text"] for line in done.lines] == ["LINE 0", "LINE 1", "LINE 2"]
        assert up.err.count("gateway was killed by SIGKILL") == 3


def test_a_question_that_dies_with_the_gateway_is_asked_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Starting another gateway takes a busy machine a while.
    monkeypatch.setattr(session, "TIMEOUT_CONNECT_S", 60)
    with shell.up(shell.flow("Upper")):
        gateway = shell.gateway()
        with Session(shell.ps()[0]["addresses"][0]) as asking:
            os.kill(gateway, signal.SIGSTOP)
            killer = threading.Timer(0.2, os.kill, [gateway, signal.SIGKILL])
            killer.start()
            assert asking.status()["flow"] == "flow"
            killer.join()
        assert shell.gateway() != gateway
