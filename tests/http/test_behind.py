"""A gateway that does not read: what waits for it can be taken back, and counts."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from tests.http.fronts import FrontProcess
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import post
from tests.shell import Shell, peak_bytes

MIB = 1 << 20
LARGE = post("/upper", {"data": [{"text": "a" * MIB}]})


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@contextlib.contextmanager
def stopped(flow: Gated) -> Iterator[None]:
    """The gateway, while it does nothing."""
    gateway = flow.shell.gateway()
    os.kill(gateway, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(gateway, signal.SIGCONT)


def ask_and_go(front: FrontProcess) -> None:
    """A client that sends a request, waits for a moment and hangs up."""
    with socket.create_connection(("127.0.0.1", front.port)) as client:
        client.sendall(LARGE)
        time.sleep(0.01)


def test_clients_that_hang_up_leave_nothing_behind(flow: Gated) -> None:
    with flow.front(max_waiting_bytes=8 * MIB) as front:
        ask_and_go(front)
        before = peak_bytes(front.process.pid)
        with stopped(flow):
            for _ in range(100):
                ask_and_go(front)
        assert peak_bytes(front.process.pid) - before < 50 * MIB
        assert front.post("/upper", UPPER).status == 200
