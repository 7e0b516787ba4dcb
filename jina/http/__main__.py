"""A front process: reads its assignment from standard input, and serves until SIGTERM.

python -m jina.http
"""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType

import uvicorn
import uvloop

from jina.defaults import DRAIN_GRACE_S
from jina.graph.http import MET, SERVES, FrontAssignment
from jina.http.app import app_of
from jina.http.front import Front
from jina.http.protocol import FrontConfig, FrontProtocol
from jina.http.ready import Ready
from jina.http.websocket import FrontWebSocket
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack

_IDLE_S = 75  # that a connection may stay open between requests


class _Server(uvicorn.Server):
    """A server that tells whoever started it that it serves, and takes nothing new at its end.

    Args:
        config: of it.
        ready: told when it does.
    """

    def __init__(self, config: FrontConfig, ready: Ready) -> None:
        super().__init__(config)
        self._front = config.front
        self._ready = ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal asks for the end: what comes from now on is answered with 503."""
        self._front.is_stopping = self._front.hub.is_stopping = True
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets)
        self._ready.tell(SERVES)


async def serve(assignment: FrontAssignment) -> None:
    """Serve on the inherited sockets until a signal asks for the end."""
    front = Front(assignment)
    ready, changed = Ready(assignment.ready), front.hub.on_change

    def welcomed() -> None:
        changed()
        ready.tell(MET)

    front.hub.on_change = welcomed
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
        server = _Server(config, ready)
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
