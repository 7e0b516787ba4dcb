"""The gateway's socket for clients: where it listens, and whose messages count."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from jina.defaults import QUEUED_PER_CLIENT
from jina.runtime.control import Configure
from jina.runtime.inquiries import Inquiries
from jina.transport import sockets
from jina.transport.curve import Doorkeeper, with_own_key
from jina.transport.keys import CLIENT, GATEWAY_ROLE, AllowList, own_key


class FrontDoor:
    """A ROUTER on a local socket and, with keys, on encrypted ones.

    Args:
        context: of the gateway.
        configure: says the addresses to listen on, the local one first, and the folder with the
            gateway's own key and those that it lets in, if it has them.
        told: gives the answer to a kind of question, as JSON.

    Raises:
        BadKeys: the keys cannot be used.
        ConnectError: an address cannot be bound.
    """

    def __init__(
        self, context: sockets.Context, configure: Configure, told: Callable[[int], bytes]
    ) -> None:
        addresses, keys = configure.front, configure.keys
        self.socket = sockets.open_router(context, queue=QUEUED_PER_CLIENT)
        self._allowed = AllowList(Path(keys)) if keys else None
        self._keeper: Doorkeeper | None = None
        self._told = ""
        self.addresses: list[str] = []
        """Where it listens, with the ports that the system chose."""
        self._inquiries = Inquiries(context, configure.directory, told)
        for address in addresses:
            # The folder of a local socket protects it. Whatever is bound later asks for a key.
            if self._allowed is not None and self._keeper is None and address[:4] != "ipc:":
                with_own_key(self.socket, own_key(Path(keys), GATEWAY_ROLE))
                self._keeper = Doorkeeper(context, self._allowed)
            self.addresses.append(sockets.bind(self.socket, address))

    def open(self, poller: sockets.Poller) -> None:
        """Have whoever asks something, or asks to be let in, polled, too."""
        poller.register(self._inquiries.socket, sockets.POLLIN)
        if self._keeper is not None:
            poller.register(self._keeper.socket, sockets.POLLIN)

    def answer(self, source: object) -> bool:
        """Answer whoever asks something or to be let in, if that is what the poller has found."""
        if source is self._inquiries.socket:
            self._inquiries.answer()
            return True
        if self._keeper is None or source is not self._keeper.socket:
            return False
        self._keeper.answer()
        if (
            self._allowed is not None
            and (problem := str(self._allowed.problem or "")) != self._told
        ):
            self._told = problem
            if problem:
                print(f"the list of keys stays as it was: {problem}", file=sys.stderr, flush=True)
        return True

    def receive(self) -> sockets.Message | None:
        """The next message; None if its sender is not let in any more, or is no client."""
        if self._keeper is None:
            return sockets.receive(self.socket, routed=True)
        message = sockets.receive(self.socket, routed=True, is_known=True)
        if message.user:
            key = self._keeper.key_of(message.user)
            if key is None or key.role != CLIENT:
                return None
        return message
