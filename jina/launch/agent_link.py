"""An agent's connection to a gateway, which may not be there yet, go, and come back."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable

import msgspec

from jina.excepts import ConnectError
from jina.runtime.agency import ToAgent, agent_message, to_agent
from jina.transport import sockets
from jina.transport.curve import Credentials
from jina.wire import header as wire
from jina.wire.header import unpack_message


class AgentLink:
    """Sends and receives messages of the kind AGENT, on a loop.

    Args:
        address: of the gateway, for workers.
        keys: folder of the keys that it is shown; "" for none.
        selector: of the loop.

    Raises:
        BadKeys: the keys cannot be used.
        ConnectError: it is not an address.
    """

    def __init__(self, address: str, keys: str, selector: selectors.BaseSelector) -> None:
        self.address = address
        self._keys = Credentials(keys) if keys else None
        self._context = sockets.open_context()
        identity = f"agent/{os.getpid()}-{os.urandom(6).hex()}"
        # It keeps what has come: a gateway that ends says so last.
        self._socket = sockets.open_lasting_dealer(
            self._context, timeout_s=0.0, identity=identity.encode()
        )
        self._link = sockets.Link(self._socket)
        try:
            if self._keys:
                self._keys.show_on(self._socket)
            sockets.connect(self._socket, address)
        except BaseException:
            sockets.close(self._context)
            raise
        nothing: Callable[[], None] = lambda: None  # noqa: E731  # `hear` looks after each wake
        for descriptor in (sockets.descriptor(self._socket), self._link.descriptor):
            selector.register(descriptor, selectors.EVENT_READ, nothing)

    @property
    def is_up(self) -> bool:
        """Whether there is a gateway at the other end."""
        return self._link.is_up

    def send(self, message: msgspec.Struct) -> bool:
        """Send a message; False if there is nobody to take it."""
        if not self._link.is_up:
            return False
        sockets.send(self._socket, agent_message(message))
        return True

    def hear(self) -> list[ToAgent]:
        """What has come.

        Raises:
            WireError: of what is none of our messages.
            ConnectError: the gateway does not let us in.
        """
        found: list[ToAgent] = []
        try:
            while True:
                message = sockets.receive(self._socket, routed=False)
                header = unpack_message(message.header, message.frames)
                if header.kind == wire.AGENT:
                    found.append(to_agent(header))
        except sockets.NothingCame:
            pass
        if not found and (refusal := self._link.refusal):
            raise self._refused(refusal)
        return found

    def close(self) -> None:
        """Close the connection; what was said last gets a moment to leave."""
        sockets.wait_until_sent(self._socket, 1.0)
        sockets.close(self._context)

    def _refused(self, why: str) -> ConnectError:
        if self._keys is None:
            what = "the gateway lets in only those who have a key"
            hint = "use --keys DIR; `jina keys new NAME --role worker` makes a key"
        elif why == "key":
            what = f'the gateway does not list the key "{self._keys.name}"'
            hint = f"copy {self._keys.name}.pub into the gateway's folder of keys"
        else:
            what = "the gateway there does not have the key that is expected of it, or has none"
            hint = f"copy the gateway's .pub file into {self._keys.folder}"
        return ConnectError(what, where=self.address, hint=hint)
