"""The gateway's socket for workers: here, and with keys on other machines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from jina.excepts import WireError
from jina.runtime.guard import Guard
from jina.transport import sockets
from jina.transport.keys import WORKER
from jina.wire.header import CANCEL, pack_message

_LEAVE_S = 1.0
_SEE_OFF_S = 5.0  # that workers of other machines have to read that the Flow has ended
_LOOK_MS = 20


class BackDoor:
    """A ROUTER on a local socket and, if wanted, on a tcp address for workers and their agents.

    Args:
        context: of the gateway.
        local: address for the workers of this machine.
        remote: address for those of others; "" for none.
        guard: decides who is let in there.

    Raises:
        BadKeys: the keys cannot be used.
        ConnectError: an address cannot be bound.
    """

    def __init__(self, context: sockets.Context, local: str, remote: str, guard: Guard) -> None:
        self.socket = sockets.open_router(context)
        self._guard = guard
        self._is_secured = False
        self.address = ""
        """Where it listens to other machines, with the port that the system chose."""
        sockets.bind(self.socket, local)  # its folder protects it: no key is asked for there
        if remote:
            self._is_secured = guard.secure(self.socket)
            self.address = sockets.bind(self.socket, remote)

    def receive(self) -> sockets.Message:
        """The next message."""
        return sockets.receive(self.socket, routed=True, is_known=self._is_secured)

    def why_not(self, message: sockets.Message) -> str:
        """Why the sender of a message may not send it; "" if it may."""
        return self._guard.why_not(message.user, WORKER)

    def close(self, elsewhere: Iterable[bytes]) -> None:
        """Close it, once workers of other machines have had a moment to leave.

        A connection that ends takes with it what its worker has not read: that the Flow has ended.

        Args:
            elsewhere: those workers.
        """
        left, deadline = list(elsewhere), time.monotonic() + _SEE_OFF_S
        while left and time.monotonic() < deadline:
            # A CANCEL of nothing is ignored by whoever gets it.
            cancel = pack_message(CANCEL)
            left = [each for each in left if sockets.send_if_connected(self.socket, cancel, each)]
            if left and self.socket.poll(_LOOK_MS):
                with contextlib.suppress(WireError):  # nobody waits for it
                    self.receive()
        if self.address:
            sockets.wait_until_sent(self.socket, _LEAVE_S)
