"""Every request passes here at its beginning and its end: its id, the counts, the access log."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from jina.client.exchange import Reply
from jina.http.access_log import Log
from jina.http.metrics import GONE, OTHER, Metrics
from jina.wire.maps import FAILURES

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

REQUEST_ID = b"x-request-id"
SEEN = "jina.seen"
"""In the scope of a request: its `Seen`, once its task has begun."""
_is_sane = re.compile(rb"[\x20-\x7e]{1,128}").fullmatch


class Seen(msgspec.Struct, eq=False, kw_only=True):
    """What is known of one request.

    Attributes:
        request_id: as its answer has it.
        started: when it came; time of `perf_counter`.
        endpoint: of the Executors that its Documents go to.
        documents: that have their outcomes.
        failed: how many of those are errors.
        is_over: it was counted.
        status: of the answer.
        sent: bytes of the answer's body.
        client: address of whoever asked.
        method: of HTTP.
        path: likewise.
    """

    request_id: bytes
    started: float = msgspec.field(default_factory=time.perf_counter)
    endpoint: str = ""
    documents: int = 0
    failed: int = 0
    is_over: bool = False
    status: int = 0
    sent: int = 0
    client: str = ""
    method: str = ""
    path: str = ""


def answered_id(given: bytes | None) -> bytes:
    """The id that whoever asked has given, if it may be written into an answer; else a new one."""
    return given if given and _is_sane(given) else new_id()


def sane_id(request_id: bytes) -> str:
    """A request's id that may be written into an answer; "" if it is none."""
    return request_id.decode("ascii") if _is_sane(request_id) else ""


_PREFIX = os.urandom(6).hex().encode()
_NUMBERS = itertools.count(1)


def new_id() -> bytes:
    """An id for a request that has none."""
    return b"%b-%x" % (_PREFIX, next(_NUMBERS))


def seen_of(scope: Message) -> Seen:
    """What is known of the request of an ASGI scope."""
    seen: Seen = scope[SEEN]
    return seen


class Watch:
    """Counts requests, and writes the access log.

    Args:
        metrics: of this front.
        log: for a line for each request; None for no lines.
    """

    def __init__(self, metrics: Metrics, log: Log | None) -> None:
        self._metrics = metrics
        self.log = log
        self.began = metrics.began
        """To be called at the beginning of each request; then `ended` follows."""

    def forget(self, seen: Seen) -> None:
        """A request is watched under another name from here on."""
        seen.is_over = True
        self._metrics.forgot()

    def replied(self, seen: Seen, endpoint: str, reply: Reply) -> None:
        """Documents of a request have their outcomes.

        Args:
            seen: the request.
            endpoint: of the Executors.
            reply: of the Flow.
        """
        total = failed = 0
        if reply.error is not None:
            total = failed = reply.request.rows
        else:
            for part in reply.parts:
                total += part.rows
                failed += part.rows if part.kind == FAILURES else part.failed
        seen.endpoint = endpoint
        seen.documents += total
        seen.failed += failed
        self._metrics.documents(endpoint, total, failed)

    def ended(self, seen: Seen, status: int, size: int) -> None:
        """A request is over; a second time, nothing happens.

        Args:
            seen: the request.
            status: of HTTP; GONE if the client hung up first.
            size: of the answer's body, in bytes.
        """
        if seen.is_over:
            return
        seen.is_over = True
        seconds = time.perf_counter() - seen.started
        self._metrics.ended(seen.endpoint or OTHER, status, seconds)
        if self.log is not None:
            self.log.request(seen, status, size, seconds)

    def app(self, app: App) -> App:
        """The same app; its requests are watched, and their answers have an X-Request-ID."""

        async def watched(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await self._watch(app, scope, receive, send)
            elif scope["type"] == "websocket":
                await self._watch_socket(app, scope, receive, send)
            else:
                await app(scope, receive, send)

        return watched

    async def _watch(self, app: App, scope: Message, receive: Receive, send: Send) -> None:
        seen = _seen(scope, scope["method"])
        self.began()

        def end() -> None:
            self.ended(seen, seen.status or GONE, seen.sent)

        try:
            await app(scope, receive, _marking(seen, send, end))
        except Exception:
            seen.status = seen.status or 500
            raise
        finally:
            end()

    async def _watch_socket(self, app: App, scope: Message, receive: Receive, send: Send) -> None:
        """A WebSocket counts as one request, but its time is that of a conversation."""
        seen = _seen(scope, "GET")
        try:
            await app(scope, receive, _marking(seen, send, lambda: None))
        finally:
            status = seen.status or 500
            self._metrics.met(status)
            if self.log is not None:
                self.log.request(seen, status, seen.sent, time.perf_counter() - seen.started)


def _seen(scope: Message, method: str) -> Seen:
    given = next((value for name, value in scope["headers"] if name == REQUEST_ID), None)
    seen = scope[SEEN] = Seen(request_id=answered_id(given))
    seen.client = client_text(scope.get("client"))
    seen.method = method
    seen.path = scope["path"]
    return seen


def client_text(client: tuple[str, int] | None) -> str:
    """The address of a client, as the access log has it."""
    return f"{client[0]}:{client[1]}" if client else "-"


def _marking(seen: Seen, send: Send, end: Callable[[], None]) -> Send:
    """Send what an app sends; the beginning of its answer gets the id of the request.

    Args:
        seen: the request.
        send: of the server.
        end: called before the last of the answer is sent: whoever has it finds it counted.
    """

    async def marked(message: Message) -> None:
        kind = message["type"]
        if kind in ("http.response.body", "websocket.http.response.body"):
            seen.sent += len(message.get("body", b""))
            if not message.get("more_body", False):
                end()
        elif kind == "websocket.send":
            seen.sent += len(message.get("bytes") or message.get("text") or "")
        elif kind == "websocket.close":
            seen.status = seen.status or 403
        else:
            seen.status = message.get("status", 101)
            headers = [*message.get("headers", ()), (REQUEST_ID, seen.request_id)]
            message = {**message, "headers": headers}
        await send(message)

    return marked
