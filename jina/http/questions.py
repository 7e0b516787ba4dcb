"""Questions to the gateway: STATUS and DESCRIBE, on a connection of their own where there is one.

The gateway of a Flow on this machine answers them at any time; that of another machine, only while
it takes requests, for they come on the same connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from jina.excepts import WireError
from jina.transport import asking, sockets
from jina.wire.header import Header, pack_message, unpack_message

_ANSWER_S = 2.0  # that the gateway has to answer


class Questions:
    """Those that have no answer yet; who asks the same at once gets the same answer."""

    def __init__(self) -> None:
        self._askers: dict[int, list[asyncio.Future[bytes]]] = {}

    async def ask(self, kind: int, send: Callable[[Sequence[Any]], None]) -> bytes:
        """Ask, and wait for the answer.

        Args:
            kind: `wire.STATUS` or `wire.DESCRIBE`.
            send: sends a message to the gateway.

        Raises:
            TimeoutError: it has not answered.
        """
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        askers = self._askers.setdefault(kind, [])
        askers.append(future)
        if len(askers) == 1:
            send(pack_message(kind))
        try:
            return await asyncio.wait_for(future, _ANSWER_S)
        finally:
            if future in self._askers.get(kind, ()):  # else answered, with all others
                self._askers[kind].remove(future)

    def take(self, header: Header) -> None:
        """Give an answer to whoever asked; another message is nobody's."""
        if header.kind not in self._askers:
            return
        answer = bytes(sockets.payload(header.frames[0]))
        for future in self._askers.pop(header.kind):
            if not future.done():
                future.set_result(answer)


class Inquirer:
    """A connection for questions alone.

    Args:
        context: of the hub.
        front: address of the gateway for clients.
    """

    def __init__(self, context: sockets.Context, front: str) -> None:
        self._address = asking.address_beside(front)
        self._questions = Questions()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1
        if self._address:
            self._socket = sockets.open_lasting_dealer(context, timeout_s=_ANSWER_S)
            self._link = sockets.Link(self._socket)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to connect, if there is an address for this."""
        if not self._address:
            return
        sockets.connect(self._socket, self._address)
        self._loop = loop
        self._descriptor = sockets.descriptor(self._socket)
        loop.add_reader(self._descriptor, self._on_messages)

    def close(self) -> None:
        """Listen no more; the context closes the socket."""
        if self._loop is not None:
            self._loop.remove_reader(self._descriptor)

    @property
    def is_up(self) -> bool:
        """Whether the gateway can be asked here."""
        return self._loop is not None and self._link.is_up

    async def ask(self, kind: int) -> bytes:
        """See `Questions.ask`."""
        return await self._questions.ask(kind, self._send)

    def _send(self, message: Sequence[Any]) -> None:
        sockets.send(self._socket, message)
        # Sending may take the news of a message from the descriptor, which tells only of changes.
        if self._loop is not None:
            self._loop.call_soon(self._on_messages)

    def _on_messages(self) -> None:
        while True:
            try:
                message = sockets.receive(self._socket, routed=False)
                self._questions.take(unpack_message(message.header, message.frames))
            except sockets.NothingCame:
                return
            except WireError:  # as if it had not come
                continue
