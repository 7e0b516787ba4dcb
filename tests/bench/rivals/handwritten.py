"""The program that people write instead of a Flow: two processes with pyzmq, msgpack and orjson.

    python -m tests.bench.rivals.handwritten worker ADDRESS STYLE
    python -m tests.bench.rivals.handwritten client ADDRESS STYLE KEY IN OUT

No errors, no order across workers, no restarts, no checks: it only does the work.
"""

from __future__ import annotations

import sys
from itertools import islice

import msgpack
import zmq

from tests.bench.styles import STYLES

BATCH = 100
WINDOW = 16


def run_worker(address: str, style: str) -> None:
    """Unpack a batch, work, pack it back."""
    work = STYLES[style].work
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(address)
        print("ready", flush=True)
        while True:
            sender = socket.recv()
            documents = msgpack.unpackb(socket.recv())
            for document in documents:
                work(document)
            socket.send(sender, zmq.SNDMORE)
            socket.send(msgpack.packb(documents))


def run_client(address: str, style: str, key: str, source: str, target: str) -> None:
    """Read and parse lines, keep a window of batches under way, write what comes back."""
    import orjson

    loads, dumps, packb, unpackb = orjson.loads, orjson.dumps, msgpack.packb, msgpack.unpackb
    to_document = STYLES[style].to_document
    number = in_flight = 0
    at_end = False
    with (
        zmq.Context() as context,
        context.socket(zmq.DEALER) as socket,
        open(source, "rb") as lines,
        open(target, "wb") as out,
    ):
        socket.connect(address)
        while True:
            while in_flight < WINDOW and not at_end:
                batch = []
                for line in islice(lines, BATCH):
                    number += 1
                    batch.append(to_document(loads(line), key, number))
                if not batch:
                    at_end = True
                    break
                socket.send(packb(batch))
                in_flight += 1
            if not in_flight:
                return
            documents = unpackb(socket.recv())
            in_flight -= 1
            out.write(b"\n".join(map(dumps, documents)) + b"\n")


if __name__ == "__main__":
    {"worker": run_worker, "client": run_client}[sys.argv[1]](*sys.argv[2:])
