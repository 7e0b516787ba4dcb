"""The gateway's socket for clients: where it listens, and whose messages count."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from jina.defaults import DELIVERY_GRACE_S, QUEUED_PER_CLIENT
from jina.runtime.control import Configure
from jina.runtime.guard import Guard
from jina.runtime.inquiries import Inquiries
from jina.transport import sockets
from jina.transport.keys import CLIENT


class FrontDoor:
    """A ROUTER on a local socket and, with keys, on encrypted ones.

    Args:
        context: of the gateway.
        configure: says the addresses to listen on, the local one first.
        guard: decides who is let in.
        told: gives the answer to a kind of question, as JSON.

    Raises:
        BadKeys: the keys cannot be used.
        ConnectError: an address cannot be bound.
    """

    def __init__(
        self,
        context: sockets.Context,
        configure: Configure,
        guard: Guard,
        told: Callable[[int], bytes],
    ) -> None:
        self.socket = sockets.open_router(context, queue=QUEUED_PER_CLIENT)
        self._guard = guard
        self._is_secured = False
        self.is_listening = False
        """Whether messages are polled for."""
        self.addresses: list[str] = []
        """Where it listens, with the ports that the system chose."""
        self._inquiries = Inquiries(context, configure.directory, told)
        for address in configure.front:
            # The folder of a local socket protects it. Whatever is bound later asks for a key.
            if not self._is_secured and address[:4] != "ipc:":
                self._is_secured = guard.secure(self.socket)
            self.addresses.append(sockets.bind(self.socket, address))

    def open(self, poller: sockets.Poller) -> None:
        """Have whoever asks something, or asks to be let in, polled."""
        self._guard.open(poller)
        poller.register(self._inquiries.socket, sockets.POLLIN)

    def answer(self, source: object) -> bool:
        """Answer whoever asks something or to be let in, if that is what the poller has found."""
        if source is self._inquiries.socket:
            self._inquiries.answer()
            return True
        return self._guard.answer(source)

    def receive(self) -> sockets.Message:
        """The next message."""
        return sockets.receive(self.socket, routed=True, is_known=self._is_secured)

    def why_not(self, message: sockets.Message) -> str:
        """Why the sender of a message may not send it; "" if it may."""
        return self._guard.why_not(message.user, CLIENT)

    def listen(self, poller: sockets.Poller, wanted: bool) -> None:
        """Have messages polled for, or not; the others wait in their queues."""
        if wanted == self.is_listening:
            return
        self.is_listening = wanted
        if wanted:
            poller.register(self.socket, sockets.POLLIN)
        else:
            poller.unregister(self.socket)

    def end(self, context: sockets.Context, *, is_drained: bool) -> None:
        """Close every socket of the gateway.

        Args:
            context: of the gateway.
            is_drained: clients get time to take their last answers.
        """
        began = time.monotonic()
        if is_drained:
            sockets.wait_until_sent(self.socket, DELIVERY_GRACE_S)
        sockets.close(context)
        if time.monotonic() - began >= DELIVERY_GRACE_S:
            print(
                f"a client has not fetched its last responses within {DELIVERY_GRACE_S:g} s",
                file=sys.stderr,
                flush=True,
            )
