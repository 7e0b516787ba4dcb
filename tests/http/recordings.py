"""Requests that the gateways and clients of Jina were recorded with, and what was answered.

One file for each folder of recordings, one line for each exchange; tracebacks are left out.
"""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "recorded"
PATIENCE_S = 60


class Exchange(NamedTuple):
    """A request as it came, and its answer.

    `body` is None where it was not JSON, or is a page of the gateway itself.
    """

    name: str
    request: bytes
    status: int
    body: Any

    @property
    def sent(self) -> Any:
        """The JSON that was sent, None where there was none."""
        with contextlib.suppress(ValueError):
            return json.loads(self.request.partition(b"\r\n\r\n")[2])
        return None


def exchanges(folder: str) -> list[Exchange]:
    """All of one folder."""
    lines = (FOLDER / f"{folder}.jsonl").read_text().splitlines()
    return [
        Exchange(each["name"], each["request"].encode("latin-1"), each["status"], each["body"])
        for each in map(json.loads, lines)
    ]


def replayed(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request that is sent as it was recorded: status, headers and body."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            headers = {}
            while line := answer.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            return status, headers, answer.read(int(headers.get("content-length", 0)))
