"""Streams: JSON lines in and out over one request that may never end.

The answer begins before the request ends, and has one outcome for each line, in order. A stream
that was answered whole ends with the last chunk of its body; any other is cut, so that whoever
asked knows that lines without an outcome were not processed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from msgspec import structs

from jina.client.requests import Request
from jina.defaults import ENDLESS_LINE_BYTES, MIB, REQUEST_IDLE_S
from jina.http.answers import Answered, told
from jina.http.front import Front
from jina.http.hints import near_path
from jina.http.ordered import CALLER, Caller, HungUp, InOrder, Lost
from jina.http.private import shown_outcomes
from jina.http.rest import unserved
from jina.http.stream_query import StreamQuery, read_query
from jina.http.watch import Seen, seen_of
from jina.names import DEFAULT_ENDPOINT
from jina.readers import Chunk
from jina.readers.lines import CutLines, LineCutter
from jina.readers.stream_keys import random_key
from jina.wire.maps import DOCS, LINES, Part, pack_map

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

NAME = "<body>"  # of a stream, in messages about its lines

_REQUEST_BYTES = 8 * MIB  # of the lines in one request; one line alone may be longer
_CUT_S = 1.0  # that a connection that is cut stays, for what was written to be read
HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between passes the lines on as they come
]
_HEAD: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/x-ndjson"), *HEADERS],
}


class Streams:
    """The application for everything under /stream.

    Args:
        front: that gets the requests.
    """

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = "/" + scope["path_params"]["path"]
        query = self._refused(scope, endpoint) or self._read_query(scope)
        if isinstance(query, Answered):
            await _answer(query, send)
            return
        stream = _Stream(self._front, endpoint, query, receive, send, seen_of(scope))
        await stream.run(scope[CALLER])

    def _refused(self, scope: Scope, endpoint: str) -> Answered | None:
        """What is wrong with a request, before any of its body is read."""
        if scope["method"] not in ("POST", "PUT"):
            told_so = told(405, "method_not_allowed", "a stream is sent with POST or PUT")
            return structs.replace(told_so, headers=[(b"allow", b"POST, PUT")])
        if scope["http_version"] == "1.0":
            return told(505, "http_version", "a stream needs HTTP/1.1")
        coded = [value for name, value in scope["headers"] if name == b"content-encoding"]
        if coded not in ([], [b"identity"]):
            return told(415, "content_encoding", "a stream cannot be compressed")
        hub = self._front.hub
        if hub.welcome is None or hub.is_stopping or self._front.is_stopping:
            is_ready = hub.welcome is not None
            message = "the Flow is stopping" if is_ready else "the Flow is not ready yet"
            return told(503, "unavailable", message)
        served = self._front.served
        if endpoint in served or DEFAULT_ENDPOINT in served:
            return None
        if endpoint == "/":
            return unserved(self._front, "/stream/")
        near = near_path(endpoint, served)
        hint = f"did you mean /stream{near}?" if near else f"it serves {', '.join(sorted(served))}"
        return told(404, "not_found", f"no Executor of the Flow serves {endpoint}", hint)

    def _read_query(self, scope: Scope) -> StreamQuery | Answered:
        welcome = self._front.hub.welcome
        assert welcome is not None
        return read_query(scope["query_string"], welcome)


class _Stream:
    """One stream.

    Args:
        front: that got the request.
        endpoint: of the Executors.
        query: how its lines are sent.
        receive: of ASGI.
        send: of ASGI.
        seen: the request.
    """

    def __init__(
        self,
        front: Front,
        endpoint: str,
        query: StreamQuery,
        receive: Receive,
        send: Send,
        seen: Seen,
    ) -> None:
        self._endpoint = endpoint
        self._query = query
        self._receive = receive
        self._send = send
        self._silence_s = front.settings.silence_s
        self._call = structs.replace(query.call, source=NAME, key=random_key())
        self._packed = pack_map(self._call)
        self._requests = InOrder(front, seen)
        self._cutter = LineCutter()
        self._unbroken_bytes = 0  # since a line last ended
        self._heard_at = 0.0

    async def run(self, caller: Caller) -> None:
        """Answer the request."""
        self._heard_at = asyncio.get_running_loop().time()
        try:
            await self._requests.run(caller, self._read(), self._write(), self._listen())
        except (HungUp, Lost):
            await self._cut(caller.transport)

    # --- lines that come ---

    async def _read(self) -> None:
        """Send the lines of the body, and then wait for the other side to go."""
        is_partial = is_last = is_whole = False
        while True:
            cut = self._cutter.take(
                self._query.request_size, _REQUEST_BYTES, partial=is_partial or is_whole
            )
            if cut is not None:
                self._unbroken_bytes = 0
                await self._submit(cut)
            elif is_whole:
                break
            elif is_last:
                self._cutter.finish()
                is_whole = True
            else:
                message = await self._next_message(is_waiting=not is_partial)
                is_partial = message is None
                is_last = message is not None and self._feed(message)
        self._requests.end()
        await self._gone()
        raise HungUp

    async def _next_message(self, is_waiting: bool) -> Message | None:
        """What comes next; None if lines are at hand and nothing follows them at once.

        Args:
            is_waiting: lines may be at hand.
        """
        try:
            if is_waiting and self._cutter.held_bytes:
                return await asyncio.wait_for(self._receive(), REQUEST_IDLE_S)
            return await self._receive()
        except TimeoutError:
            return None

    def _feed(self, message: Message) -> bool:
        """Take a part of the body; whether it is the last."""
        if message["type"] == "http.disconnect":
            raise HungUp
        self._heard_at = asyncio.get_running_loop().time()
        block = message.get("body", b"")
        self._unbroken_bytes += len(block)
        if self._unbroken_bytes > ENDLESS_LINE_BYTES:
            raise Lost
        self._cutter.feed(block)
        return not message.get("more_body", False)

    async def _submit(self, cut: CutLines) -> None:
        data = cut.data
        if data.isspace() and not cut.oversize:
            return  # blank lines have no outcome
        call, packed = self._call, self._packed
        if cut.oversize:
            call = structs.replace(call, oversize=list(cut.oversize))
            packed = pack_map(call)
        chunk = Chunk([data], cut.lines, cut.first_line, NAME, call.key, cut.oversize)
        request = Request(
            [Part(LINES, DOCS, 1, cut.lines)], [data], cut.lines, cut.first_line, packed, chunk
        )
        await self._requests.submit(
            request, self._endpoint, self._query.targets, call, on_error=self._query.on_error
        )

    async def _listen(self) -> None:
        """End a stream whose sender says nothing for long, while nothing is under way."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._silence_s / 10)
            if not self._requests.is_idle:
                self._heard_at = loop.time()
            elif loop.time() - self._heard_at > self._silence_s:
                raise Lost

    # --- outcomes that go ---

    async def _write(self) -> None:
        # The reader asks for the body first, so that a client that waits for "100 Continue" gets
        # it before the head of the answer.
        await asyncio.sleep(0)
        await self._send(_HEAD)
        while (answered := await self._requests.next()) is not None:
            reply, call = answered
            lines = bytes(shown_outcomes(reply, self._endpoint, call).lines)
            if lines:
                await self._send({"type": "http.response.body", "body": lines, "more_body": True})
            self._requests.release()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _cut(self, transport: asyncio.Transport) -> None:
        """Close the connection without the end of the answer.

        What still comes is thrown away first: else what was written could be lost with it.
        """
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
        else:
            transport.close()
        try:
            await asyncio.wait_for(self._gone(), _CUT_S)
        except TimeoutError:
            transport.abort()
            await self._gone()

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _answer(answered: Answered, send: Send) -> None:
    """Refuse a request; what it still sends is not read."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answered.body)),
        (b"connection", b"close"),
        *answered.headers,
    ]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": answered.body})
