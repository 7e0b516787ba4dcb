"""The end of a front: who has connected by then is answered, and not cut off."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Sequence

_MOST_S = 1.0  # that it takes new connections although it ends
_TURNS = 3  # of the loop: to accept, to read, to answer


async def hear_out(servers: Sequence[asyncio.Server], sockets: Sequence[socket.socket]) -> None:
    """Take the connections that wait in the queue of the system, then listen no more.

    A queue that is closed resets its connections, and so does a connection that is closed before
    what came on it was read. The front is stopping already: it answers them with 503. Whoever
    started it has seen to it that the queue grows no more, unless others go on serving.

    Args:
        servers: that listen.
        sockets: on which they do.
    """
    loop = asyncio.get_running_loop()
    waiting = select.poll()
    for listener in sockets:
        waiting.register(listener, select.POLLIN)
    until = loop.time() + _MOST_S
    while waiting.poll(0) and loop.time() < until:
        await asyncio.sleep(0)
    for server in servers:
        server.close()
    for _ in range(_TURNS):
        await asyncio.sleep(0)
