"""A front beside a running Flow, started as the program does, for the tests of one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from jina.graph.http import FrontAssignment, HttpSettings
from tests.polling import poll

PATIENCE_S = 60


class Answer(NamedTuple):
    """An answer, read whole."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class FrontProcess(NamedTuple):
    """A front that accepts connections."""

    process: subprocess.Popen[bytes]
    port: int
    output: str  # file that has what it prints

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; what is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            named = {"Content-Type": "application/json"} if data is not None else {}
            connection.request(method, path, data, {**named, **(headers or {})})
            response = connection.getresponse()
            pairs = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, pairs, response.read())

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, headers)

    def said(self) -> str:
        with open(self.output) as file:
            return file.read()


@contextlib.contextmanager
def front_beside(
    address: str,
    *,
    flow: str = "flow",
    directory: str = "",
    slot: int = 0,
    program: str = "",
    listen: str = "127.0.0.1",
    **settings: Any,
) -> Iterator[FrontProcess]:
    """Start a front for the gateway at an address, and end it with SIGTERM.

    Args:
        address: of the gateway.
        flow: its name.
        directory: where it counts.
        slot: which of the fronts it is.
        listen: address that it listens on.
        program: Python that runs instead of the front's own.
        **settings: see `HttpSettings`.
    """
    with (
        socket.create_server((listen, 0)) as listener,
        tempfile.TemporaryFile() as stdin,
        tempfile.NamedTemporaryFile() as output,
    ):
        os.set_inheritable(listener.fileno(), True)
        assignment = FrontAssignment(
            settings=HttpSettings(**settings),
            flow=flow,
            address=address,
            sockets=[listener.fileno()],
            slot=slot,
            directory=directory,
            parent=os.getpid(),
        )
        stdin.write(msgspec.msgpack.encode(assignment))
        stdin.seek(0)
        process = subprocess.Popen(
            [sys.executable, *(("-c", program) if program else ("-m", "jina.http"))],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
        )
        front = FrontProcess(process, listener.getsockname()[1], output.name)
        try:
            yield front
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            finally:
                process.kill()
                process.wait()


def is_answered(front: FrontProcess, path: str, body: Any) -> bool:
    """Wait until the front has found its Flow."""
    return poll(lambda: front.post(path, body).status not in (404, 503), PATIENCE_S)
