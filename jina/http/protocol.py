"""One connection: bodies of Documents go straight to the Flow, all else through Starlette.

A subclass of uvicorn's protocol. A request to one of the front's POST paths whose length is known
is read here, and answered from the callback of the hub: no task, no ASGI message. That halves its
cost. The head of one like it before is not even read. Whatever is rarer takes uvicorn's own way to
`jina.http.app`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec

from jina.client.exchange import Reply
from jina.defaults import REQUEST_IDLE_S
from jina.excepts import ConnectError
from jina.http import limits, rest, short_stream
from jina.http.answers import Answered, told
from jina.http.connection import Connection
from jina.http.cycles import OwnCycle
from jina.http.front import METHODS
from jina.http.heads import Known
from jina.http.hub import Ask, Full
from jina.http.reading import HEAD, OVER
from jina.http.rest import Asked
from jina.http.short_stream import Short
from jina.http.watch import REQUEST_ID, new_id

_LONG_WAY = frozenset((b"expect", b"content-encoding", b"upgrade"))  # of streams
_OWN = frozenset((b"expect", b"upgrade", REQUEST_ID))  # headers of heads that are not remembered

LOG = logging.getLogger("jina.http")


class HotRequest(OwnCycle, eq=False, kw_only=True):
    """A request that is read and answered here.

    Attributes:
        body: as far as it has come in pieces.
        ask: what the Flow was asked.
    """

    body: bytearray = msgspec.field(default_factory=bytearray)
    ask: Ask | None = None


class ShortCycle(OwnCycle, eq=False, kw_only=True):
    """The beginning of a stream, of which it is not known yet whether it is short.

    Attributes:
        length: of its whole body, in bytes.
        body: as far as it has come.
        ask: what the Flow was asked.
        timer: until the rest of the body is not waited for.
    """

    length: int
    body: bytearray = msgspec.field(default_factory=bytearray)
    ask: Ask | None = None
    timer: asyncio.TimerHandle | None = None


class FrontProtocol(Connection):
    """See the module."""

    # --- bytes ---

    def data_received(self, data: bytes) -> None:
        """Take a request whose head is known; have any other one read."""
        if not self.is_between_requests:
            super().data_received(data)
            return
        found = self.front.heads.find(data)
        if found is not None and self._took_known(*found):
            return
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before and self._state != OVER:
            self._remember(data)

    def _took_known(self, known: Known, body: bytes) -> bool:
        """Take a whole request; False if it has to be read after all."""
        front, size = self.front, len(body)
        has_room = front.body_bytes + size <= self._settings.max_waiting_bytes
        if front.is_stopping or not size or size > self._settings.max_body or not has_room:
            return False
        self.url, self.method = known.url, known.method
        self.headers, self.found = known.headers, known.found
        if known.endpoint is not None:
            hot = HotRequest(keep_alive=True, request_id=new_id(), endpoint=known.endpoint)
            self.take_whole(hot)
            self._received_hot(hot, body)
            return True
        short = None
        if size <= short_stream.MOST_BYTES:
            short = self.config.short_streams.read(known.url, body)
        if short is None:
            return False
        cycle = ShortCycle(keep_alive=True, request_id=new_id(), length=size)
        self.take_whole(cycle)
        if self._submitted_short(cycle, short):
            return True
        self.front.watch.forget(cycle)
        self._state = HEAD
        return False

    def _remember(self, data: bytes) -> None:
        """Know the head of the next request that has the same."""
        cycle = self.cycle
        is_own = isinstance(cycle, HotRequest | ShortCycle)
        if is_own and cycle.keep_alive and not (cycle.more_body or self.found.keys() & _OWN):
            endpoint = self.front.endpoints.get(self.url)
            known = Known(self.url, self.method, self.headers, self.found, endpoint)
            self.front.heads.remember(data, known)

    # --- what the parser finds ---

    def begin(self, keep_alive: bool, length: int) -> None:
        """Decide which way the request takes."""
        endpoint = self.front.endpoints.get(self.url)
        if endpoint is None and self._may_be_short(length):
            request_id = self.request_id()
            self.take(ShortCycle(keep_alive=keep_alive, request_id=request_id, length=length))
            return
        is_posted = self.method == b"POST" and ("POST" in self.front.methods.get(self.url, METHODS))
        if endpoint is None or not length or not is_posted:
            super().begin(keep_alive, length)
            return
        request_id = self.request_id()
        self.take(HotRequest(keep_alive=keep_alive, request_id=request_id, endpoint=endpoint))
        if self.found.get(b"expect", b"").lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _may_be_short(self, length: int) -> bool:
        return (
            0 < length <= short_stream.MOST_BYTES
            and self.url.startswith(short_stream.PREFIX + b"/")
            and self.method in (b"POST", b"PUT")
            and self.parser.get_http_version() == "1.1"
            and not self.found.keys() & _LONG_WAY
        )

    def _feed(self, data: bytes) -> None:
        super()._feed(data)
        cycle = self.cycle
        if isinstance(cycle, ShortCycle) and cycle.more_body and cycle.timer is None:
            cycle.timer = self.loop.call_later(REQUEST_IDLE_S, self._on_more_to_come, cycle)

    def _on_more_to_come(self, cycle: ShortCycle) -> None:
        """What is here is not held back for the rest."""
        current: Any = self.cycle
        is_over = cycle.response_complete or self.transport.is_closing()
        if current is cycle and cycle.more_body and not is_over:
            self._take_long_way(cycle)

    def _take_long_way(self, cycle: ShortCycle) -> None:
        """Give a stream to uvicorn after all."""
        self.front.watch.forget(cycle)
        self.cycle = None  # type: ignore[assignment]
        super().begin(cycle.keep_alive, cycle.length)
        super().on_body(bytes(cycle.body))

    def on_body(self, body: bytes) -> None:
        """More of the body."""
        cycle = self.cycle
        if isinstance(cycle, ShortCycle):
            cycle.body += body
        elif not isinstance(cycle, HotRequest):
            super().on_body(body)
        elif self.is_body_small(len(body)):
            cycle.body += body

    def received(self, cycle: OwnCycle) -> None:
        """The request is whole."""
        if isinstance(cycle, ShortCycle):
            self._received_short(cycle)
            return
        if not isinstance(cycle, HotRequest):
            super().received(cycle)
            return
        body = bytes(cycle.body)
        cycle.body.clear()
        self._received_hot(cycle, body)

    # --- the Flow ---

    def _received_hot(self, hot: HotRequest, body: bytes) -> None:
        hot.more_body = False
        try:
            asked = rest.prepare(self.front, hot.endpoint, self.found, body)
        except Exception:  # a bug of ours must not end the front
            LOG.exception("a request could not be read")
            asked = limits.internal()
        if isinstance(asked, Answered):
            self.answer(hot, asked)
        else:
            self._submit(hot, asked)

    def _received_short(self, cycle: ShortCycle) -> None:
        cycle.more_body = False
        if cycle.timer is not None:
            cycle.timer.cancel()
        short = self.config.short_streams.read(self.url, bytes(cycle.body))
        if short is None or not self._submitted_short(cycle, short):
            self._take_long_way(cycle)
            super(Connection, self).on_message_complete()

    def _submitted_short(self, cycle: ShortCycle, short: Short) -> bool:
        """Send a short stream; False if there is no room for it now."""

        def done(reply: Reply) -> None:
            cycle.ask = None
            self.front.watch.replied(cycle, short.endpoint, reply)
            self.answer(cycle, short.answer(reply))

        query, request = short.query, short.request
        ask = Ask(
            request,
            short.endpoint,
            query.targets,
            done,
            len(request.frames[0]),
            on_error=query.on_error,
            template=short.template,
        )
        try:
            self.front.link.submit(ask)
        except (ConnectError, Full):
            return False
        cycle.endpoint = short.endpoint
        cycle.ask = ask
        return True

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
        hot = self.cycle if isinstance(self.cycle, HotRequest | ShortCycle) else None
        if hot is not None and hot.ask is not None:
            self.front.link.cancel(hot.ask)
            hot.ask = None
        super().connection_lost(exc)
