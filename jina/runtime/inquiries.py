"""Questions to the gateway that are answered at any time.

Clients are not listened to until every node is known, nor while the Flow holds as much as it may.
How it is, and what is missing, is asked most just then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from jina.defaults import QUEUED_PER_CLIENT
from jina.excepts import WireError
from jina.transport import asking, sockets
from jina.wire import header as wire
from jina.wire.header import pack_message, unpack_message


class Inquiries:
    """A ROUTER in the run directory, for STATUS and DESCRIBE.

    Args:
        context: of the gateway.
        directory: of the Flow.
        told: gives the answer to a kind of question, as JSON.

    Raises:
        ConnectError: the address cannot be bound.
    """

    def __init__(
        self, context: sockets.Context, directory: str, told: Callable[[int], bytes]
    ) -> None:
        self.socket = sockets.open_router(context, queue=QUEUED_PER_CLIENT)
        self._told = told
        sockets.bind(self.socket, asking.address_in(directory))

    def answer(self) -> None:
        """Answer one question; what is none is dropped."""
        with contextlib.suppress(WireError, sockets.NothingCame):
            message = sockets.receive(self.socket, routed=True)
            kind = unpack_message(message.header, message.frames).kind
            if kind in (wire.STATUS, wire.DESCRIBE):
                answer = pack_message(kind, [self._told(kind)])
                sockets.send_if_connected(self.socket, answer, message.peer)
