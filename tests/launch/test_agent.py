"""An agent and what it tells a gateway, which the test plays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from jina import __version__
from jina.graph.plan import PlannedNode
from jina.launch.agent_home import AgentHome
from jina.runtime import agency, control
from jina.runtime.agency import agent_message, from_agent
from jina.runtime.board import Board
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import pack_message, unpack_message
from jina.wire.maps import DOCS, LINES, Call, Part, Route, pack_map
from tests.polling import wait_until
from tests.shell import ZOO, Running, Shell, is_alive

_PATIENCE_S = 30.0
NODE = PlannedNode(name="moody", needs=["gateway"], is_external=True)
_T = TypeVar("_T")


class Gateway:
    """A gateway's socket for workers, and an agent that connects to it."""

    def __init__(self) -> None:
        self._context = sockets.open_context()
        self.socket = sockets.open_router(self._context)
        self.address = sockets.bind(self.socket, "tcp://127.0.0.1:*")
        self.agent = b""
        self.ready: list[str] = []  # identities of workers

    def hear(self, kind: type[_T]) -> _T:
        """The next message of the agent that is of this kind."""
        while True:
            assert self.socket.poll(int(_PATIENCE_S * 1000)), f"no {kind.__name__} came"
            message = sockets.receive(self.socket, routed=True)
            header = unpack_message(message.header, message.frames)
            if header.kind == wire.READY:
                self.ready.append(message.peer.decode())
            elif header.kind == wire.AGENT:
                self.agent = message.peer
                if isinstance(found := from_agent(header), kind):
                    return found

    def say(self, message: msgspec.Struct) -> None:
        sockets.send(self.socket, agent_message(message), self.agent)

    def admit(self, lease_s: float = 60.0) -> control.Expect:
        """Let the agent in; the worker that it starts then."""
        self.let_in(self.hear(agency.Greet).at, lease_s)
        return self.hear(control.Expect)

    def let_in(self, at: float, lease_s: float = 60.0, number: int = 0) -> None:
        """Answer a greeting of that time."""
        self.say(
            agency.Admitted(flow="search", node=NODE, numbers=[number], lease_s=lease_s, at=at)
        )

    def wait_ready(self, expected: control.Expect) -> None:
        while expected.identity not in self.ready:
            self.say(agency.Heard(at=self.hear(agency.Beat).at))
        self.say(control.WorkerReady(identity=expected.identity, endpoints=["/moody"]))

    def ask(self, worker: str, number: int, text: str) -> None:
        """Send a worker a request."""
        route = pack_map(Route("/moody", None, [Part(LINES, DOCS, 1, 1)]))
        line = b'{"text": "%s"}\n' % text.encode()
        call = pack_map(Call({}))
        message = pack_message(
            wire.REQUEST, [line], number=number, rows=1, base=1, route=route, call=call
        )
        sockets.send(self.socket, message, worker.encode())

    def close(self) -> None:
        sockets.close(self._context)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    found = Gateway()
    yield found
    found.close()


@pytest.fixture
def agent(shell: Shell, gateway: Gateway) -> Iterator[Running]:
    shell.write("moody.yml", f"jtype: Moody\npy_modules: [{ZOO}]\n")
    words = ("executor", "serve", "moody.yml", "--name", "moody", "--gateway", gateway.address)
    with shell.start(*words) as running:
        yield running
    wait_until(lambda: not shell.processes("jina."), what="no worker is left")


def test_it_says_of_its_workers_what_a_supervisor_says(gateway: Gateway, agent: Running) -> None:
    greet = gateway.hear(agency.Greet)
    assert (greet.node, greet.shard, greet.replicas) == ("moody", None, 1)
    assert (greet.pid, greet.jina, greet.msgspec) == (agent.pid, __version__, msgspec.__version__)
    gateway.let_in(greet.at, number=3)
    expected = gateway.hear(control.Expect)
    assert (expected.node, expected.replica, expected.shard) == ("moody", 3, None)
    started = gateway.hear(control.Started)
    assert is_alive(started.pid)
    gateway.let_in(time.monotonic(), 10.0, number=3)
    gateway.wait_ready(expected)
    report = gateway.hear(agency.Beat).reports[expected.identity]
    assert (report.name, report.pid, report.agent) == ("moody/3", started.pid, agent.pid)
    agent.process.send_signal(signal.SIGINT)
    assert gateway.hear(control.Retire).identity == expected.identity
    gateway.say(control.Retired(identity=expected.identity))
    sockets.send(gateway.socket, pack_message(wire.DRAIN), expected.identity.encode())
    assert gateway.hear(control.Died).begun == 0
    gateway.hear(agency.Leave)
    assert agent.end().code == 0


def test_a_death_is_told_with_what_was_begun(gateway: Gateway, agent: Running) -> None:
    expected = gateway.admit(lease_s=5.0)
    gateway.wait_ready(expected)
    gateway.ask(expected.identity, 77, "die")
    died = gateway.hear(control.Died)
    assert (died.identity, died.begun) == (expected.identity, 77)
    assert "was killed by SIGKILL" in died.reason
    again = gateway.hear(control.Expect)
    assert again.identity != expected.identity
    agent.end(signal.SIGKILL)


def test_it_ends_its_workers_when_it_hears_nothing(gateway: Gateway, agent: Running) -> None:
    expected = gateway.admit(lease_s=60.0)
    started = gateway.hear(control.Started)
    gateway.let_in(time.monotonic(), 3.0)  # on a busy machine it comes late, but not by as much
    died = gateway.hear(control.Died)
    assert died.identity == expected.identity
    agent.wait_for("ending moody/0: nothing was heard of the gateway for 3 s")
    wait_until(lambda: not is_alive(started.pid))
    assert gateway.admit().identity != expected.identity  # it asks again, and begins anew
    agent.end(signal.SIGKILL)


def test_what_was_on_its_way_for_longer_than_the_lease_starts_nothing(
    gateway: Gateway, agent: Running
) -> None:
    gateway.let_in(gateway.hear(agency.Greet).at - 61)
    greet = gateway.hear(agency.Greet)  # it asks again
    assert greet.identities == []
    gateway.say(agency.Wait(why="somebody may still be alive", seconds=7.0))
    agent.wait_for("somebody may still be alive; it may serve in 7 s")
    gateway.let_in(greet.at)
    gateway.hear(control.Expect)
    agent.end(signal.SIGKILL)


def test_a_gateway_that_does_not_know_it_is_told_what_it_has(
    gateway: Gateway, agent: Running
) -> None:
    expected = gateway.admit()
    gateway.say(agency.WhoIsIt())
    greet = gateway.hear(agency.Greet)
    assert (greet.identities, greet.numbers) == ([expected.identity], [0])
    gateway.let_in(greet.at)
    again = gateway.hear(control.Expect)
    assert (again.identity, again.is_running) == (expected.identity, True)
    agent.end(signal.SIGKILL)


@pytest.mark.parametrize(("is_usage", "code"), [(True, 2), (False, 4)])
def test_one_that_is_turned_away_ends(
    gateway: Gateway, agent: Running, is_usage: bool, code: int
) -> None:
    gateway.hear(agency.Greet)
    gateway.say(agency.TurnedAway(what="not you", hint="go home", is_usage=is_usage))
    done = agent.end()
    assert (done.code, done.err) == (
        code,
        f"error: {gateway.address}: not you\nhelp: go home\n",
    )


def test_a_gateway_of_another_protocol_is_told(gateway: Gateway, agent: Running) -> None:
    gateway.hear(agency.Greet)
    (frame,) = pack_message(wire.DRAIN)
    sockets.send(gateway.socket, [frame[:2] + b"\x09" + frame[3:]], gateway.agent)
    done = agent.end()
    assert done.code == 4
    assert "a message of protocol version 9, this is version 1" in done.err


def test_others_open_the_board_and_nothing_is_left_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = AgentHome("tcp://127.0.0.1:1")
    assert os.listdir(tmp_path) == []
    code = "import sys; from jina.runtime.board import Board; Board(sys.argv[1])[5] = 9"
    subprocess.run([sys.executable, "-c", code, str(home.board)], check=True)
    board = Board(home.board)
    assert board[5] == 9
    board.close()
    home.close()
