"""A front process: reads its assignment from standard input, and serves until SIGTERM.

python -m jina.http
"""

from __future__ import annotations

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
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack

_IDLE_S = 75  # that a connection may stay open between requests


async def serve(assignment: FrontAssignment) -> None:
    """Serve on the inherited sockets until a signal asks for the end."""
    front = Front(assignment)
    config = FrontConfig(
        app_of(front),
        http=FrontProtocol,
        ws="websockets-sansio",
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
        await uvicorn.Server(config).serve([socket.socket(fileno=fd) for fd in assignment.sockets])
    finally:
        front.close()


def main() -> int:
    """Run the front that standard input describes."""
    assignment = decode_msgpack(sys.stdin.buffer.read(), FrontAssignment)
    if assignment.parent:
        die_with_parent(assignment.parent, signal.SIGTERM)
    uvloop.run(serve(assignment))
    return 0


if __name__ == "__main__":
    sys.exit(main())
