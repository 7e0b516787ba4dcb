"""The bytes of one connection on their way to the parser: in pieces, in turns, and not too many.

A piece ends where a request may end, so the parser never reads on into the next one, which is held
back until its predecessor is answered.
"""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jina.http import limits
from jina.http.answers import Answered
from jina.http.bounds import Bounds
from jina.http.config import FrontConfig
from jina.http.turns import SLICE_BYTES, Flow

HEAD, BODY, BUSY, OVER = range(4)
"""Where a connection stands: between requests or within a head; within a body; a request is whole
and has no answer yet; what still comes is thrown away."""

NEVER = float("inf")


class Reading(HttpToolsProtocol):
    """See the module; `jina.http.connection` says what becomes of what is read."""

    config: FrontConfig
    flow: Flow

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.front = self.config.front
        self._settings = self.front.settings
        self._state = HEAD
        self._head_bytes = 0  # of the head that is being read
        self._framing_bytes = 0  # since the last byte of a body in chunks
        self._bounds = Bounds()
        self._held = bytearray()  # of the next requests
        self._backlog = b""  # that waits for its turn
        self._is_feeding = False
        self._due = NEVER

    @property
    def is_between_requests(self) -> bool:
        """Whether what comes next begins a request."""
        return self._state == HEAD and not (self._head_bytes or self._held or self._backlog)

    def data_received(self, data: bytes) -> None:
        """Read what belongs to the request that is under way, and hold the rest."""
        if self._state == BUSY or self._held:
            self._hold(data)
        elif self._backlog:
            self._backlog += data
        else:
            self._read(data)

    def read_on(self) -> None:
        """Read a slice of what waits."""
        data, self._backlog = self._backlog, b""
        self._read(data)
        if not self._backlog and not self.transport.is_closing():
            self.flow.catch_up()

    def _read(self, data: bytes) -> None:
        self._is_feeding = True
        try:
            self._feed(data)
        finally:
            self._is_feeding = False

    def _feed(self, data: bytes) -> None:
        at, left = 0, SLICE_BYTES
        while at < len(data) and self._state != OVER:
            if self._state == BUSY:
                self._hold(data[at:])
                return
            is_cheap = bool(self._bounds.left)
            if not is_cheap and left <= 0:
                self._wait_for_turn(data[at:])
                return
            piece = data[at:] if is_cheap else data[at : at + left]
            end = self._bounds.end_in(piece)
            piece = piece[:end]
            at += end
            if not is_cheap:
                left -= end
                if not self._is_small(end):
                    return
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade:
                if self._state != OVER and self._is_upgrading():
                    self._leave_to_websocket(data[at:])
                    return
            except httptools.HttpParserError as error:
                if self._state != OVER:
                    self._cut(limits.bad_request(f"this is not HTTP/1.1: {error}"))

    def _wait_for_turn(self, data: bytes) -> None:
        self._backlog = data
        self.flow.fall_behind()
        self.front.turns.add(self, self.loop)

    def _is_small(self, size: int) -> bool:
        """Count bytes that the parser keeps, or that say nothing; whether more may come."""
        if self._state == HEAD:
            return self._is_head_small(size)
        self._framing_bytes += size
        if self._framing_bytes <= limits.MAX_HEAD_BYTES:
            return True
        self._cut(limits.large_framing())
        return False

    def _is_head_small(self, size: int) -> bool:
        if self._head_bytes == 0:
            self._due = self.loop.time() + self._settings.head_s
        self._head_bytes += size
        if self._head_bytes <= limits.MAX_HEAD_BYTES:
            return True
        self._cut(limits.large_head())
        return False

    def _hold(self, data: bytes) -> None:
        if self._state == OVER or (self.cycle is not None and not self.cycle.keep_alive):
            return
        self._held += data
        if len(self._held) > limits.HELD_BYTES:
            self.flow.pause_reading()

    def _is_upgrading(self) -> bool:
        raise NotImplementedError

    def _leave_to_websocket(self, rest: bytes) -> None:
        raise NotImplementedError

    def _cut(self, answered: Answered) -> None:
        raise NotImplementedError
