"""WebSockets: requests as messages, each answered by one, in order, several under way at once.

The sub-protocol `json` has text, as none may have; what is binary is protobuf, as Jina's own
clients send it. A client says with `{}`, or with one zero byte, that it sends no more; once all is
answered, the connection is closed with code 1000.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import msgspec
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jina.client.exchange import Reply
from jina.http.front import Front
from jina.http.messages import Garbage, Refused, answer_to, read_binary, read_json
from jina.http.ordered import CALLER, Caller, HungUp, InOrder, Lost
from jina.http.stream import Message, Receive, Scope, Send
from jina.http.watch import Seen, seen_of
from jina.wire.maps import SPLIT

END = b"\0"
"""The message of a client that sends no more."""

_PATHS = (b"/", b"/dry_run")
_PROTOCOLS = ("json", "bytes")
_GOING_AWAY = 1001
_UNSUPPORTED = 1003
_INVALID = 1007
_TRY_LATER = 1013
_MAX_REASON_BYTES = 123


def is_websocket(path: bytes) -> bool:
    """Whether a path takes WebSockets; it may have a query."""
    return path.partition(b"?")[0] in _PATHS


class FrontWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which tells those who serve it when it is lost."""

    _caller: Caller | None = None

    def handle_connect(self, event: Any) -> None:
        """A request to become a WebSocket."""
        super().handle_connect(event)
        if not self.close_sent:
            self._caller = Caller(self.transport)
            cast("dict[str, Any]", self.scope)[CALLER] = self._caller

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        super().connection_lost(exc)
        if self._caller is not None:
            self._caller.note_lost()


class _Closing(NamedTuple):
    """What ends a conversation, in its place among the answers."""

    code: int
    reason: str


class WebSockets:
    """The application for WebSockets.

    Args:
        front: that gets them.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await receive()
        offered = scope.get("subprotocols", [])
        protocol = next((name for name in offered if name in _PROTOCOLS), None)
        await send({"type": "websocket.accept", "subprotocol": protocol})
        conversation = _Conversation(self._front, protocol, receive, send, seen_of(scope))
        try:
            await conversation.run(scope[CALLER])
        except HungUp:
            pass
        except Lost:
            await send(_close(_Closing(_GOING_AWAY, "the Flow takes no more requests")))


class DryRun:
    """The application for a WebSocket that asks whether the Flow is ready.

    Args:
        front: that gets it.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        closing = _Closing(1000, "")
        if not self._front.hub.is_up:
            closing = _Closing(_TRY_LATER, "the Flow is not ready")
        elif message.get("text") is not None:
            await send({"type": "websocket.send", "text": "{}"})
        else:
            await send({"type": "websocket.send", "bytes": b""})
        await send(_close(closing))


class _Conversation:
    """One connection.

    Args:
        front: that got it.
        protocol: that was agreed on; None for none.
        receive: of ASGI.
        send: of ASGI.
        seen: the request that began it.
    """

    def __init__(
        self, front: Front, protocol: str | None, receive: Receive, send: Send, seen: Seen
    ) -> None:
        self._front = front
        self._protocol = protocol
        self._receive = receive
        self._send = send
        self._requests = InOrder(front, seen)

    async def run(self, caller: Caller) -> None:
        """Talk until one side ends it."""
        await self._requests.run(caller, self._read(), self._write())

    async def _read(self) -> None:
        while not _is_end(message := await self._next_message()):
            if not await self._take(message):
                break
        self._requests.end()
        while True:  # what is said behind the end is not listened to
            await self._next_message()

    async def _next_message(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise HungUp
        return message

    async def _take(self, message: Message) -> bool:
        """Send a request on; False for what ends the conversation."""
        text, data = message.get("text"), message.get("bytes")
        if (self._protocol == "json" and text is None) or (
            self._protocol == "bytes" and text is not None
        ):
            kind = "text" if self._protocol == "json" else "binary"
            reason = f"the sub-protocol {self._protocol} has {kind} messages"
            await self._requests.put(_Closing(_UNSUPPORTED, reason))
            return False
        try:
            if text is not None:
                asked = read_json(self._front, text)
            else:
                asked = read_binary(self._front, bytes(data or b""))
        except Garbage as error:
            await self._requests.put(_Closing(_INVALID, str(error)))
            return False
        except Refused as refused:
            await self._requests.put((refused.answer, refused.is_binary))
            return True
        await self._requests.submit(
            asked.request,
            asked.endpoint,
            asked.targets,
            asked,
            on_error=SPLIT,
            is_timed=True,
            timeout_s=self._front.settings.timeout,
        )
        return True

    async def _write(self) -> None:
        closing = _Closing(1000, "")
        while (answered := await self._requests.next()) is not None:
            answer, asked = answered
            if isinstance(answer, _Closing):
                closing = answer
                break
            body, is_binary = answer_to(asked, answer) if isinstance(answer, Reply) else answer
            await self._send(
                {"type": "websocket.send", "bytes": body}
                if is_binary
                else {"type": "websocket.send", "text": body.decode()}
            )
            self._requests.release()
        await self._send(_close(closing))


def _is_end(message: Message) -> bool:
    """Whether a client says that it sends no more."""
    text = message.get("text")
    if text is None:
        return bool(message.get("bytes") == END)
    if len(text) > 64:
        return False
    try:
        return bool(msgspec.json.decode(text) == {})
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False


def _close(closing: _Closing) -> Message:
    reason = closing.reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
    return {"type": "websocket.close", "code": closing.code, "reason": reason}
