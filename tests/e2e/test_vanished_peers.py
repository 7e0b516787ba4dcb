"""A client and a Flow on tcp, one of which vanishes, or stands still for a while."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from jina import Client
from jina.client import exchange
from jina.excepts import ConnectError
from jina.transport import sockets
from tests.e2e.test_faults import assert_all_in_order
from tests.polling import wait_until
from tests.shell import Shell, json_lines
from tests.silence import ends, silence

TCP = "with: {port: 0}\n"


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long this process bears a silence, as a client; a Flow has its own patience."""
    monkeypatch.setattr(sockets, "TCP_PROBE_S", 1)
    monkeypatch.setattr(sockets, "TCP_SILENCE_S", 2)


def address_of(shell: Shell) -> str:
    (flow,) = shell.ps()
    (address,) = [each for each in flow["addresses"] if each.startswith("tcp://")]
    return str(address)


@pytest.mark.usefixtures("_impatient")
def test_a_connection_that_fell_silent_is_made_anew_and_no_line_is_lost(shell: Shell) -> None:
    with shell.up(shell.flow("Slow"), "--port", "0"):
        with Client(address_of(shell)) as client:
            inputs = (f"text {number}" for number in range(100))
            stream = client.stream("/", inputs, request_size=1)
            responses = [next(stream)]
            assert silence(client.address) == 1
            responses += stream
        assert [each.docs[0].text for each in responses] == [f"text {n}" for n in range(100)]


@pytest.mark.usefixtures("_impatient")
def test_a_flow_that_vanished_without_a_word_is_told_of(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shell.up(shell.flow("Slow"), "--port", "0") as up:
        address = address_of(shell)
        with Client(address) as client:
            stream = client.stream("/", (str(number) for number in range(10_000)), request_size=1)
            next(stream)
            assert silence(address) == 1
            up.end(signal.SIGKILL)
            monkeypatch.setattr(exchange, "TIMEOUT_CONNECT_S", 1.0)
            with pytest.raises(ConnectError, match=f"^{address}: the Flow is gone\n"):
                for _ in stream:
                    pass


def test_a_client_and_a_flow_at_rest_ask_for_each_other(shell: Shell) -> None:
    with shell.up(shell.flow("Upper"), "--port", "0"), Client(address_of(shell)) as client:
        client.post("/", inputs=["text"])
        wait_until(lambda: [*ends(client.address).values()] == [True, True])


@pytest.mark.parametrize("whom", ["post", "gateway", "supervisor", "upper/0"])
def test_whoever_stands_still_for_a_while_goes_on(shell: Shell, whom: str) -> None:
    """Ctrl-Z and `fg`, in the middle of a post: no line is lost, none is there twice."""
    count = 20_000
    with shell.up(shell.flow("Upper"), "--port", "0") as up:
        pids: dict[str, Callable[[], int]] = {
            "gateway": shell.gateway,
            "supervisor": lambda: up.pid,
            "upper/0": lambda: shell.workers()["upper/0"],
        }
        data = shell.write("data.jsonl", json_lines(count))
        address = address_of(shell)
        with shell.start("post", "/", "--address", address, "--inputs", data) as post:
            lines = [post.read_line().decode()]
            pid = post.pid if whom == "post" else pids[whom]()
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: state_of(pid) == "T")
            if whom == "post":
                os.kill(pid, signal.SIGCONT)
            lines += [post.read_line().decode() for _ in range(99)]  # the rest of one request
            os.kill(pid, signal.SIGCONT)
            lines += post.end().out.splitlines()
        assert_all_in_order(lines, count)


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
