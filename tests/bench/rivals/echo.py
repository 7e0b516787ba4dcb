"""The floor: frames go to another process and come back unread.

python -m tests.bench.rivals.echo server ADDRESS
python -m tests.bench.rivals.echo lines ADDRESS IN OUT
python -m tests.bench.rivals.echo blobs ADDRESS SIZE COUNT
python -m tests.bench.rivals.echo frames ADDRESS
python -m tests.bench.rivals.echo latency ADDRESS SIZE COUNT      against `frames`
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice

import zmq

BATCH = 100
WINDOW = 16
HEADER = b"h" * 90  # as long as a request's header frame
NO_COPY_BYTES = 64 * 1024  # pyzmq sends larger frames faster without a copy


def run_server(address: str) -> None:
    """Send back what comes."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(address)
        print("ready", flush=True)
        recv, send = socket.recv, socket.send
        while True:
            sender, header, body = recv(), recv(), recv(copy=False)
            send(sender, zmq.SNDMORE)
            send(header, zmq.SNDMORE)
            send(body, copy=len(body) < NO_COPY_BYTES)


def _stream(address: str, bodies: Iterator[bytes], done: Callable[[bytes], object]) -> None:
    in_flight = 0
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(address)
        while True:
            while in_flight < WINDOW and (body := next(bodies, b"")):
                socket.send(HEADER, zmq.SNDMORE)
                socket.send(body, copy=len(body) < NO_COPY_BYTES)
                in_flight += 1
            if not in_flight:
                return
            socket.recv()
            reply = socket.recv(copy=False)
            done(reply.buffer)
            in_flight -= 1


def run_lines(address: str, source: str, target: str) -> None:
    """Send the file's lines, a hundred in a frame."""
    with open(source, "rb") as lines, open(target, "wb") as out:
        chunks = iter(lambda: b"".join(islice(lines, BATCH)), b"")
        _stream(address, chunks, out.write)


def run_blobs(address: str, size: str, count: str) -> None:
    """Send `count` frames of `size` bytes."""
    blob = bytes(int(size))
    _stream(address, (blob for _ in range(int(count))), len)


def run_frames(address: str) -> None:
    """Send back what comes in a single frame."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(address)
        print("ready", flush=True)
        recv, send = socket.recv, socket.send
        while True:
            sender, frame = recv(), recv()
            send(sender, zmq.SNDMORE)
            send(frame)


def run_latency(address: str, size: str, count: str) -> None:
    """Send one small frame at a time, and print the round trips in µs."""
    frame = HEADER + b"x" * int(size)
    times = []
    clock = time.perf_counter_ns
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(address)
        for _ in range(int(count)):
            start = clock()
            socket.send(frame)
            socket.recv()
            times.append((clock() - start) / 1000)
    print(json.dumps(times))


if __name__ == "__main__":
    MODES: dict[str, Callable[..., None]] = {
        "server": run_server,
        "lines": run_lines,
        "blobs": run_blobs,
        "frames": run_frames,
        "latency": run_latency,
    }
    MODES[sys.argv[1]](*sys.argv[2:])
