"""A front process: reads its assignment from standard input, and serves until SIGTERM.

python -m jina.http
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

import uvicorn
import uvloop

from jina.defaults import DRAIN_GRACE_S
from jina.graph.http import FrontAssignment
from jina.http.app import app_of
from jina.http.front import Front
from jina.http.protocol import FrontConfig, FrontProtocol
from jina.http.websocket import FrontWebSocket
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack

_IDLE_S = 75  # that a connection may stay open between requests


class _Server(uvicorn.Server):
    """A server that tells whoever started it that it serves.

    Args:
        config: of it.
        ready: descriptor to which a byte is written; -1 for none.
    """

    def __init__(self, config: FrontConfig, ready: int) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        if self._ready >= 0:
            with contextlib.suppress(OSError):  # nobody waits for it any more
                os.write(self._ready, b".")
            os.close(self._ready)
            self._ready = -1


async def serve(assignment: FrontAssignment) -> None:
    """Serve on the inherited sockets until a signal asks for the end."""
    front = Front(assignment)
    config = FrontConfig(
        app_of(front),
        http=FrontProtocol,
        ws=FrontWebSocket,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=int(DRAIN_GRACE_S),
        root_path=assignment.settings.root_path,
        ssl_certfile=assignment.settings.ssl_certfile or None,
        ssl_keyfile=assignment.settings.ssl_keyfile or None,
    )
    config.front = front
    front.open()
    try:
        server = _Server(config, assignment.ready)
        await server.serve([socket.socket(fileno=fd) for fd in assignment.sockets])
    finally:
        front.close()


def main() -> int:
    """Run the front that standard input describes."""
    assignment = decode_msgpack(sys.stdin.buffer.read(), FrontAssignment)
    if assignment.parent:
        die_with_parent(assignment.parent, signal.SIGKILL)
    uvloop.run(serve(assignment))
    return 0


if __name__ == "__main__":
    sys.exit(main())
