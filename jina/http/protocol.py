"""One connection: bodies of Documents go straight to the Flow, all else through Starlette.

A subclass of uvicorn's protocol. A request to one of the front's POST paths whose length is known
is read here, and answered from the callback of the hub: no task, no ASGI message. That halves its
cost. Whatever is rarer takes uvicorn's own way to `jina.http.app`.
"""

from __future__ import annotations

from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from jina.client.exchange import Reply
from jina.excepts import ConnectError
from jina.http import rest
from jina.http.answers import Answered, told
from jina.http.front import Front
from jina.http.hub import Ask, Full
from jina.http.ordered import CALLER, Caller
from jina.http.rest import Asked


class FrontConfig(uvicorn.Config):
    """uvicorn's settings, and the front that they are for."""

    front: Front


class _NoEvent:
    """What uvicorn wakes its task with, where there is none."""

    def set(self) -> None:
        """Nobody waits."""


class HotRequest:
    """A request that is read and answered here; the protocol takes it for a cycle of its own."""

    __slots__ = (
        *("ask", "body", "disconnected", "endpoint", "headers", "keep_alive", "more_body"),
        "response_complete",
    )
    message_event = _NoEvent()

    def __init__(self, endpoint: str, headers: rest.Headers, keep_alive: bool) -> None:
        self.endpoint = endpoint
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.ask: Ask | None = None
        self.disconnected = False
        self.response_complete = False


class FrontProtocol(HttpToolsProtocol):
    """See the module."""

    config: FrontConfig

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.front = self.config.front
        self._hot: HotRequest | None = None
        self._caller: Caller | None = None

    # --- what the parser finds ---

    def on_message_begin(self) -> None:
        """A request begins; its scope is only made where uvicorn needs it."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._hot = None

    def on_headers_complete(self) -> None:
        """Decide which way the request takes."""
        cycle = self.cycle
        is_free = cycle is None or cycle.response_complete
        endpoint = self.front.endpoints.get(self.url)
        if endpoint is not None and is_free and self._is_hot():
            keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
            self._hot = HotRequest(endpoint, self.headers, keep_alive)
            self.cycle = self._hot  # type: ignore[assignment]
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        if self._caller is None:
            self._caller = Caller(self.transport)
        cast("dict[str, Any]", self.scope)[CALLER] = self._caller
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _is_hot(self) -> bool:
        if self.parser.get_method() != b"POST" or self.expect_100_continue:
            return False
        length = 0
        for name, value in self.headers:
            if name == b"content-length":
                length = int(value)
            elif name in (b"transfer-encoding", b"upgrade"):
                return False
        return 0 < length <= self.front.settings.max_body

    def on_body(self, body: bytes) -> None:
        """More of the body."""
        if self._hot is not None:
            self._hot.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        hot = self._hot
        if hot is None:
            super().on_message_complete()
            return
        self._hot = None
        hot.more_body = False
        self.flow.pause_reading()  # until it is answered: a pipelined one waits in the kernel
        asked = rest.prepare(self.front, hot.endpoint, hot.headers, bytes(hot.body))
        if isinstance(asked, Answered):
            self._answer(hot, asked)
        else:
            self._submit(hot, asked)

    # --- the Flow ---

    def _submit(self, hot: HotRequest, asked: Asked) -> None:
        def done(reply: Reply) -> None:
            if not hot.disconnected:
                self._answer(hot, rest.finish(asked, reply))

        hot.ask = rest.ask_of(asked, self.front.settings.timeout, done)
        try:
            self.front.hub.submit(hot.ask)
        except ConnectError as error:
            hot.ask = None
            self._answer(hot, told(503, "unavailable", error.what))
        except Full:
            hot.ask = None
            self._answer(hot, told(503, "full", "too many requests wait for their turn"))

    def _answer(self, hot: HotRequest, answered: Answered) -> None:
        hot.ask = None
        head = [STATUS_LINE[answered.status]]
        for name, value in self.server_state.default_headers:
            head += [name, b": ", value, b"\r\n"]
        for name, value in answered.headers:
            head += [name, b": ", value, b"\r\n"]
        if not hot.keep_alive:
            head.append(b"connection: close\r\n")
        head += [b"content-type: ", answered.content_type]
        head.append(b"\r\ncontent-length: %d\r\n\r\n" % len(answered.body))
        head.append(answered.body)
        self.transport.write(b"".join(head))
        hot.response_complete = True
        if not hot.keep_alive:
            self.transport.close()
        self.on_response_complete()

    # --- the end ---

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up cancels the request that is under way."""
        hot = self.cycle if isinstance(self.cycle, HotRequest) else None
        if hot is not None and hot.ask is not None:
            self.front.hub.cancel(hot.ask)
            hot.ask = None
        if self._caller is not None:
            self._caller.note_lost()
        super().connection_lost(exc)
