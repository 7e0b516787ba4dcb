"""A front process: reads its assignment from standard input, and serves until SIGTERM.

python -m jina.http
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn
import uvloop

from jina.defaults import DRAIN_GRACE_S
from jina.excepts import ConfigError
from jina.graph.http import FrontAssignment
from jina.http.access import check_open
from jina.http.app import app_of
from jina.http.connection import FrontConfig
from jina.http.front import Front
from jina.http.protocol import FrontProtocol
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; the signal is not raised again, so that the front leaves the Flow, and says all."""
        await super().shutdown(sockets)
        self._captured_signals.clear()


async def serve(assignment: FrontAssignment) -> None:
    """Serve on the inherited sockets until a signal asks for the end."""
    front = Front(assignment)
    config = FrontConfig(
        front.watch.app(app_of(front)),
        http=FrontProtocol,
        ws=FrontWebSocket,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("x-content-type-options", "nosniff")],
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=int(DRAIN_GRACE_S),
        root_path=assignment.settings.root_path,
        ssl_certfile=assignment.settings.ssl_certfile or None,
        ssl_keyfile=assignment.settings.ssl_keyfile or None,
    )
    config.front = front
    load(config)
    front.open()
    try:
        server = _Server(config, assignment.ready)
        await server.serve([socket.socket(fileno=fd) for fd in assignment.sockets])
    finally:
        front.close()


def load(config: FrontConfig) -> None:
    """Make what the server needs of its settings.

    Raises:
        ConfigError: the files for TLS cannot be used.
    """
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        files = ", ".join(str(name) for name in (config.ssl_certfile, config.ssl_keyfile) if name)
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(
            f"the files for TLS cannot be used: {what}",
            where=files,
            hint="`ssl_certfile` and `ssl_keyfile` are in PEM, and belong together",
        ) from error


def main() -> int:
    """Run the front that standard input describes."""
    assignment = decode_msgpack(sys.stdin.buffer.read(), FrontAssignment)
    if assignment.parent:
        die_with_parent(assignment.parent, signal.SIGKILL)
    try:
        check_open(assignment.settings, _addresses(assignment.sockets))
        uvloop.run(serve(assignment))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _addresses(descriptors: list[int]) -> Iterator[str]:
    """Where the front listens; nothing for what is only reached through the file system."""
    for descriptor in descriptors:
        listener = socket.socket(fileno=os.dup(descriptor))
        with listener:
            if listener.family != socket.AF_UNIX:
                yield listener.getsockname()[0]


if __name__ == "__main__":
    sys.exit(main())
