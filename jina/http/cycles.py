"""Requests as uvicorn's protocol sees them: those without a task, and the end of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, ClassVar

from jina.http.answers import Answered
from jina.http.watch import Seen

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class _NoEvent:
    """What uvicorn wakes its task with, where there is none."""

    def set(self) -> None:
        """Nobody waits."""


class OwnCycle(Seen, eq=False, kw_only=True):
    """A request that is answered without a task; uvicorn takes it for a cycle of its own.

    Attributes:
        keep_alive: the connection may stay open.
        more_body: its body is not whole.
        disconnected: for uvicorn, as all that follows.
    """

    message_event: ClassVar[_NoEvent] = _NoEvent()

    keep_alive: bool
    more_body: bool = True
    disconnected: bool = False
    response_complete: bool = False


class Refused(OwnCycle, eq=False, kw_only=True):
    """A request that is refused as soon as the rest of it has been read."""

    answered: Answered


class Outlet:
    """A transport, as uvicorn's cycle uses it, that is closed in another way.

    Args:
        transport: of the connection.
        close: instead of the transport's.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


def ending_with(
    app: App, cycle: Any, headers: Sequence[tuple[bytes, bytes]], stop: Callable[[], None]
) -> App:
    """An application that ends when whoever asked has gone, without a word.

    Args:
        app: that answers.
        cycle: uvicorn's, of the request.
        headers: of every answer, beside those that the application gives.
        stop: called if the application is cancelled, though somebody still waits.
    """

    async def run(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        try:
            await app(scope, receive, send_more if headers else send)
        except asyncio.CancelledError:
            if not cycle.disconnected:
                stop()

    return run
