"""A front process: reads its assignment from standard input, and serves until SIGTERM.

python -m jina.http
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType

import uvicorn
import uvloop

from jina.defaults import DRAIN_GRACE_S
from jina.excepts import ConfigError
from jina.graph.http import MET, SERVES, FrontAssignment
from jina.http.access import check_open
from jina.http.app import app_of
from jina.http.config import FrontConfig, FrontLoop, load
from jina.http.ending import hear_out
from jina.http.front import Front
from jina.http.protocol import FrontProtocol
from jina.http.ready import Ready
from jina.http.short_stream import ShortStreams
from jina.http.websocket import FrontWebSocket
from jina.runtime.parent import die_with_parent
from jina.runtime.structs import decode_msgpack

_GARBAGE = 10_000  # objects, before the collector looks for circles; requests make none


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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what is under way; tell those that have waited too long."""
        await hear_out(self.servers, sockets or [])
        await super().shutdown(sockets)
        for connection in list(self._front.deadlines.connections):
            connection.give_up()
        # The signal is not raised again: the front leaves the Flow, and says what it has to say.
        self._captured_signals.clear()


async def serve(assignment: FrontAssignment) -> None:
    """Serve on the inherited sockets until a signal asks for the end."""
    front = Front(assignment)
    ready, changed = Ready(assignment.ready), front.hub.on_change

    def welcomed() -> None:
        changed()
        ready.tell(MET)

    front.hub.on_change = welcomed
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
        timeout_graceful_shutdown=int(DRAIN_GRACE_S),
        root_path=assignment.settings.root_path,
        ssl_certfile=assignment.settings.ssl_certfile or None,
        ssl_keyfile=assignment.settings.ssl_keyfile or None,
    )
    config.front = front
    config.short_streams = ShortStreams(front)
    load(config)
    gc.freeze()  # what is loaded stays; the collector need not walk it again
    gc.set_threshold(_GARBAGE)
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
    try:
        check_open(assignment.settings, _addresses(assignment.sockets))
        head_s = assignment.settings.head_s
        uvloop.run(serve(assignment), loop_factory=lambda: FrontLoop(head_s))
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
