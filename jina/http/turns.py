"""Bytes that are dear to read wait for their turn, so nobody keeps the loop from the others.

A chunk of one byte costs as much as one of a mebibyte, and so does a small request. What comes in
one go is therefore read in slices, those of all connections in turns, and each round of the loop
gives only so much time to them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from jina.defaults import KIB

SLICE_BYTES = 8 * KIB  # that one connection may have parsed in its turn
_ROUND_S = 0.005  # for the slices of all connections


class Reader(Protocol):
    """A connection with bytes that wait."""

    def read_on(self) -> None:
        """Read a slice of them."""


class Turns:
    """The connections that have more to read, the next one first."""

    def __init__(self) -> None:
        self._waiting: deque[Reader] = deque()
        self._is_due = False

    def add(self, reader: Reader, loop: asyncio.AbstractEventLoop) -> None:
        """Have a connection read on when it is its turn.

        Args:
            reader: the connection; it is called once.
            loop: that it is on.
        """
        self._waiting.append(reader)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._go_round, loop)

    def _go_round(self, loop: asyncio.AbstractEventLoop) -> None:
        end = time.perf_counter() + _ROUND_S
        try:
            while self._waiting and time.perf_counter() < end:
                self._waiting.popleft().read_on()
        finally:
            self._is_due = bool(self._waiting)
            if self._is_due:
                loop.call_soon(self._go_round, loop)


class Flow(FlowControl):
    """uvicorn's control of a connection, which also stops reading while bytes wait."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._is_asked_to_pause = False
        self._is_behind = False

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        self._is_asked_to_pause = True
        super().pause_reading()

    def resume_reading(self) -> None:
        """Read again, unless bytes wait."""
        self._is_asked_to_pause = False
        if not self._is_behind:
            super().resume_reading()

    def fall_behind(self) -> None:
        """Bytes wait: read no more until `catch_up`."""
        self._is_behind = True
        super().pause_reading()

    def catch_up(self) -> None:
        """No bytes wait any more."""
        self._is_behind = False
        if not self._is_asked_to_pause:
            super().resume_reading()
