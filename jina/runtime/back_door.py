"""The gateway's socket for workers: here, and with keys on other machines."""

from __future__ import annotations

from jina.runtime.guard import Guard
from jina.transport import sockets
from jina.transport.keys import WORKER

_LEAVE_S = 1.0


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

    def close(self) -> None:
        """Close it, after what workers of other machines were told last had a moment to leave."""
        if self.address:
            sockets.wait_until_sent(self.socket, _LEAVE_S)
