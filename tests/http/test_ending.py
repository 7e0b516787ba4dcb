"""The end of a front, on the loop that it runs on."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: uvloop keeps a pipe until that ends.
PROGRAM = """
import asyncio, socket
import uvloop
from jina.http.ending import hear_out

class Answers(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data.upper())
        self.transport.close()

async def serve(listener, address):
    server = await asyncio.get_running_loop().create_server(Answers, sock=listener)
    clients = []
    for _ in range(40):  # the loop accepts none of them meanwhile
        clients.append(socket.create_connection(address, timeout=30))
        clients[-1].sendall(b"hello")
    await hear_out([server], [listener])
    return clients

listener = socket.create_server(("127.0.0.1", 0), backlog=100)
clients = uvloop.run(serve(listener, listener.getsockname()))
print({client.recv(100) for client in clients})
"""


def test_who_waits_in_the_queue_is_answered_before_it_is_closed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("{b'HELLO'}\n", "")
