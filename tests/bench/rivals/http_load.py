"""A light client: some connections, each with one POST after the other, in a process of its own.

python -m tests.bench.rivals.http_load PORT PATH CONTENT_TYPE BODY CONNECTIONS COUNT WANTED

Prints how long it took, each round trip in µs of the second half, and checks that each answer has
the text WANTED as often as the first one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvloop


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.answer = b""
        self.length = -1  # of the whole answer; -1 until its head is here
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.ask()

    def ask(self) -> None:
        if self.load.left:
            self.load.left -= 1
            self.answer, self.length = b"", -1
            self.sent_at = time.perf_counter()
            self.transport.write(self.load.request)
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if self.length < 0 and (end := self.answer.find(b"\r\n\r\n")) >= 0:
            head = self.answer[:end].lower()
            at = head.find(b"content-length: ")
            self.length = 0
            if at >= 0:
                self.length = end + 4 + int(head[at + 16 :].split(b"\r\n", 1)[0])
        if self.length < 0:
            return
        is_whole = (
            len(self.answer) >= self.length
            if self.length
            else self.answer.endswith(b"\r\n0\r\n\r\n")
        )
        if is_whole:
            self.load.took(self.answer, (time.perf_counter() - self.sent_at) * 1e6)
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost()


class Load:
    """All of it."""

    def __init__(self, request: bytes, connections: int, count: int, wanted: bytes) -> None:
        self.request = request
        self.connections = connections
        self.left = count
        self.count = count
        self.wanted = wanted
        self.found = 0
        self.times: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def took(self, answer: bytes, time_us: float) -> None:
        found = answer.count(self.wanted)
        self.found = self.found or found
        if not found or found != self.found or b" 200 " not in answer[:20]:
            self.left = 0
            self.fail(f"a wrong answer: {answer[:500]!r}")
        self.times.append(time_us)

    def lost(self) -> None:
        self.connections -= 1
        if len(self.times) == self.count and not self.done.done():
            self.done.set_result(None)
        elif not self.connections:
            self.fail(f"only {len(self.times)} of {self.count} answers")

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(SystemExit(why))


async def main(
    port: str, path: str, kind: str, body: str, connections: str, count: str, wanted: str
) -> None:
    data = Path(body).read_bytes()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    load = Load(head.encode() + data, int(connections), int(count), wanted.encode())
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    for _ in range(int(connections)):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", int(port))
    await load.done
    wall = time.perf_counter() - start
    print(json.dumps({"wall_s": wall, "us": load.times[load.count // 2 :]}))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
