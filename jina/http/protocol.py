"""One connection: bodies of Documents go straight to the Flow, all else through Starlette.

A subclass of uvicorn's protocol. A request to one of the front's POST paths whose length is known
is read here, and answered from the callback of the hub: no task, no ASGI message. That halves its
cost. Whatever is rarer takes uvicorn's own way to `jina.http.app`.
"""

from __future__ import annotations

import logging

from jina.client.exchange import Reply
from jina.excepts import ConnectError
from jina.http import limits, rest
from jina.http.answers import Answered, told
from jina.http.connection import Connection
from jina.http.cycles import OwnCycle
from jina.http.hub import Ask, Full
from jina.http.rest import Asked
from jina.http.watch import REQUEST_ID

LOG = logging.getLogger("jina.http")


class HotRequest(OwnCycle):
    """A request that is read and answered here."""

    __slots__ = ("ask", "body", "headers")

    def __init__(
        self, endpoint: str, headers: rest.Headers, keep_alive: bool, request_id: bytes | None
    ) -> None:
        super().__init__(keep_alive, request_id)
        self.endpoint = endpoint
        self.headers = headers
        self.body = bytearray()
        self.ask: Ask | None = None


class FrontProtocol(Connection):
    """See the module."""

    # --- what the parser finds ---

    def begin(self, keep_alive: bool, length: int) -> None:
        """Decide which way the request takes."""
        endpoint = self.front.endpoints.get(self.url)
        if endpoint is None or not length or self.parser.get_method() != b"POST":
            super().begin(keep_alive, length)
            return
        self.take(HotRequest(endpoint, self.headers, keep_alive, self.found.get(REQUEST_ID)))
        if self.found.get(b"expect", b"").lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """More of the body."""
        cycle = self.cycle
        if not isinstance(cycle, HotRequest):
            super().on_body(body)
        elif self.is_body_small(len(body)):
            cycle.body += body

    def received(self, cycle: OwnCycle) -> None:
        """The request is whole."""
        if not isinstance(cycle, HotRequest):
            super().received(cycle)
            return
        cycle.more_body = False
        try:
            asked = rest.prepare(self.front, cycle.endpoint, cycle.headers, bytes(cycle.body))
        except Exception:  # a bug of ours must not end the front
            LOG.exception("a request could not be read")
            asked = limits.internal()
        cycle.body.clear()
        if isinstance(asked, Answered):
            self.answer(cycle, asked)
        else:
            self._submit(cycle, asked)

    # --- the Flow ---

    def _submit(self, hot: HotRequest, asked: Asked) -> None:
        def done(reply: Reply) -> None:
            hot.ask = None
            self.front.watch.replied(hot, asked.endpoint, reply)
            try:
                answered = rest.finish(asked, reply)
            except Exception:  # a bug of ours must not end the front
                LOG.exception("an answer could not be written")
                answered = limits.internal()
            self.answer(hot, answered)

        hot.endpoint = asked.endpoint
        hot.ask = rest.ask_of(asked, self.front.settings.timeout, done)
        try:
            self.front.link.submit(hot.ask)
        except ConnectError as error:
            hot.ask = None
            self.answer(hot, told(503, "unavailable", error.what))
        except Full:
            hot.ask = None
            self.answer(hot, limits.full())

    # --- the end ---

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up cancels the request that is under way."""
        hot = self.cycle if isinstance(self.cycle, HotRequest) else None
        if hot is not None and hot.ask is not None:
            self.front.link.cancel(hot.ask)
            hot.ask = None
        super().connection_lost(exc)
