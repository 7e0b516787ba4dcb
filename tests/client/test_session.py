"""A client whose gateway is silent, or gone."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from jina import Client
from jina.client import session
from jina.excepts import ConnectError
from tests.shell import Shell, json_lines

SILENT_S = 1.3  # longer than the patience below and two questions


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TIMEOUT_CONNECT_S", 0.3)


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
        "help: its own terminal or log says why; start it again with `jina flow up`"
    )


@pytest.mark.usefixtures("_impatient")
def test_the_good_bye_of_a_flow_concerns_no_later_one(shell: Shell) -> None:
    """A connection that is kept outlives it, and serves the next Flow at the same address."""
    flow_file = shell.flow("Upper")
    with shell.up(flow_file, "--port", "0") as up:
        address = shell.ps()[0]["addresses"][-1]
        client = Client(address)
        assert client.post("/", "a", return_results=True)[0].docs[0].text == "A"
        assert up.end(signal.SIGTERM).code == 0
    with client:
        with shell.up(flow_file, "--port", address.rpartition(":")[2]):
            assert client.post("/", "b", return_results=True)[0].docs[0].text == "B"
        with pytest.raises(ConnectError, match="the Flow is gone"):
            client.post("/", "c")


def test_a_post_while_the_gateway_is_replaced_waits_for_the_new_one(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")) as up:
        for _ in range(3):
            os.kill(shell.gateway(), signal.SIGKILL)
            done = shell.run("post", "/", stdin=json_lines(3))
            assert (done.code, done.err) == (0, "")
            assert [line["text"] for line in done.lines] == ["LINE 0", "LINE 1", "LINE 2"]
        assert up.err.count("gateway was killed by SIGKILL") == 3


def test_a_question_that_dies_with_the_gateway_is_asked_again(shell: Shell) -> None:
    with shell.up(shell.flow("Upper")):
        gateway = shell.gateway()
        with session.Session(shell.ps()[0]["addresses"][0]) as asking:
            os.kill(gateway, signal.SIGSTOP)
            killer = threading.Timer(0.2, os.kill, [gateway, signal.SIGKILL])
            killer.start()
            assert asking.status()["flow"] == "flow"
            killer.join()
        assert shell.gateway() != gateway
