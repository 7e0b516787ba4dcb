"""The link to the gateway: requests go out within the window, replies come back as callbacks.

One connection, see `jina.http.dealers`: no thread, and no task for a request. What a gateway has
lost is sent again to the one that replaces it, as `jina.client.exchange` does.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from jina.client.exchange import Reply
from jina.client.requests import Request
from jina.excepts import ConnectError, WireError
from jina.http.asks import GONE, Ask, Full
from jina.http.dealers import dealer_to
from jina.http.questions import Inquirer, Questions
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import (
    REQUEST_TIMEOUT,
    STOPPING,
    ErrorInfo,
    Hello,
    Part,
    Route,
    Way,
    Welcome,
    pack_map,
    unpack_map,
    unpack_route,
)

__all__ = ["GONE", "Ask", "Full", "Hub"]

WINDOW = 1_000  # requests that the gateway is asked to take at once
_TICK_S = 0.5  # between looks at silence and deadlines
_LATE_S = 1.0  # beyond a request's own time, which the gateway keeps: then it is given up here
_STRAIGHT = Way()
_log = logging.getLogger("jina.http")


class Hub:
    """A connection to one gateway, shared by everything that this process serves.

    Args:
        address: of the gateway.
        who: this process is, for the Flow's log.
        max_waiting: requests that may wait beyond the window.
        max_waiting_bytes: of all requests that are here.
        keys: folder of the key that the gateway asks for; "" if it asks for none.
    """

    def __init__(
        self, address: str, who: str, max_waiting: int, max_waiting_bytes: int, keys: str = ""
    ) -> None:
        self.address = address
        self.welcome: Welcome | None = None
        """What the gateway said at the greeting; None before the Flow has been up."""
        self.is_stopping = False
        """The Flow takes no new requests."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when the gateway has said (again) what the Flow serves."""
        self._who = who
        self._max_waiting = max_waiting
        self._max_bytes = max_waiting_bytes
        self._context = sockets.open_context()
        self._dealer = dealer_to(
            address, keys, self._context, self._on_message, self._on_link, self._fill
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._has_heard = True  # since the last tick
        self._is_sending_due = False
        self._number = 0
        self._bytes = 0
        self._held = 0
        self._window = 0  # requests that the gateway takes at once
        self._waiting: deque[Ask] = deque()
        self._under_way: dict[int, Ask] = {}
        self._questions = Questions()
        self._inquirer = Inquirer(self._context, address)

    # --- life ---

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to connect; `is_up` and `welcome` tell when there is a gateway."""
        self._loop = loop
        self._dealer.open(loop)
        self._inquirer.open(loop)
        self._on_tick()

    def close(self) -> None:
        """Say good-bye, and end what is under way."""
        if self._tick is not None:
            self._tick.cancel()
        self._inquirer.close()
        self._dealer.close(pack_message(wire.BYE))
        sockets.close(self._context)

    @property
    def is_linked(self) -> bool:
        """Whether there is a connection to a gateway, ready or not."""
        return self._dealer.is_up

    @property
    def is_up(self) -> bool:
        """Whether a gateway is connected that takes requests."""
        return self._dealer.is_up and self.welcome is not None and not self.is_stopping

    @property
    def in_progress(self) -> int:
        """Requests that have no answer yet."""
        return len(self._under_way) + len(self._waiting) + self._held

    @property
    def is_crowded(self) -> bool:
        """Whether half of what may wait here does: what can wait elsewhere then should."""
        return 2 * len(self._waiting) > self._max_waiting or 2 * self._bytes > self._max_bytes

    # --- requests ---

    def check(self, ask: Ask) -> None:
        """Whether a request would be taken.

        Raises:
            ConnectError: there is no gateway, or it takes no more requests.
            Full: as many wait as may.
        """
        if not self.is_up:
            raise ConnectError(self._why_not(), where=self.address)
        has_room = len(self._waiting) + self._held < self._max_waiting or self._has_room_now()
        if not has_room or self._bytes + ask.size > self._max_bytes:
            raise Full

    def _has_room_now(self) -> bool:
        """Likewise, with what was only gathered sent: that does not count as waiting."""
        self._fill()
        waiting = len(self._waiting) + self._held
        return waiting < self._max_waiting or (not waiting and len(self._under_way) < self._window)

    def hold(self, requests: int, size: int) -> None:
        """Count requests that wait elsewhere before they are submitted; negative where they end."""
        self._held += requests
        self._bytes += size

    def submit(self, ask: Ask) -> None:
        """Send a request as soon as the window has room for it.

        Raises:
            ConnectError: see `check`.
            Full: likewise.
        """
        self.check(ask)
        self._bytes += ask.size
        if ask.timeout_s is not None:
            ask.due = self._now() + ask.timeout_s
        self._waiting.append(ask)
        # What comes from several connections in one turn of the loop is sent in one go: the gateway
        # then wakes up once.
        if not self._is_sending_due and self._loop is not None:
            self._is_sending_due = True
            self._loop.call_soon(self._fill)

    def cancel(self, ask: Ask) -> None:
        """Nobody waits for this request any more; `done` is not called."""
        if ask.number == 0:
            if ask in self._waiting:
                self._waiting.remove(ask)
                self._bytes -= ask.size
        elif self._under_way.pop(ask.number, None) is not None:
            self._bytes -= ask.size
            if self._dealer.is_up:
                self._send(pack_message(wire.CANCEL, number=ask.number))
            self._fill()

    async def post(
        self,
        request: Request,
        endpoint: str,
        targets: tuple[str, ...] | None = None,
        *,
        timeout_s: float | None = None,
        on_error: str = "",
        is_timed: bool = False,
    ) -> Reply:
        """Send a request and wait for its reply; whoever cancels this cancels the request.

        Raises:
            ConnectError: see `check`.
            Full: likewise.
        """
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def done(reply: Reply) -> None:
            if not future.done():
                future.set_result(reply)

        ask = Ask(
            request,
            endpoint,
            targets,
            done,
            sum(map(len, request.frames)),
            timeout_s=timeout_s,
            on_error=on_error,
            is_timed=is_timed,
        )
        self.submit(ask)
        try:
            return await future
        except asyncio.CancelledError:
            self.cancel(ask)
            raise

    async def question(self, kind: int) -> bytes:
        """Ask the gateway something; the answer as JSON.

        Args:
            kind: `wire.STATUS` or `wire.DESCRIBE`.

        Raises:
            ConnectError: there is no gateway, or it does not listen yet.
            TimeoutError: it has not answered.
        """
        if self._inquirer.is_up:
            return await self._inquirer.ask(kind)
        if not self._dealer.is_up or self.welcome is None:  # it does not listen to clients yet
            raise ConnectError(self._why_not(), where=self.address)
        return await self._questions.ask(kind, self._send)

    def _why_not(self) -> str:
        if self.is_stopping:
            return "the Flow is stopping"
        if self.welcome is None:
            return "the Flow is not ready yet"
        return "the gateway of the Flow is being replaced, or gone"

    def _fill(self) -> None:
        """Send what the window has room for, unless the gateway is behind with reading."""
        self._is_sending_due = False
        has_room, now = not self._dealer.is_behind, self._now()
        while has_room and self._waiting and len(self._under_way) < self._window:
            ask = self._waiting.popleft()
            self._number += 1
            ask.number = self._number
            self._under_way[ask.number] = ask
            self._send_request(ask, now)
        self._dealer.flush()

    def _send_request(self, ask: Ask, now: float) -> None:
        request = ask.request
        left = None if ask.timeout_s is None else max(0.0, int((ask.due - now) * 100) / 100)
        try:
            message = pack_message(
                wire.REQUEST,
                request.frames,
                number=ask.number,
                rows=request.rows,
                base=request.base,
                route=_route(
                    ask.endpoint, ask.targets, request.parts[0], left, ask.is_timed, ask.on_error
                )
                if len(request.parts) == 1
                else pack_map(
                    Route(
                        ask.endpoint,
                        None if ask.targets is None else list(ask.targets),
                        request.parts,
                        deadline=left,
                        is_timed=ask.is_timed,
                        on_error=ask.on_error,
                    )
                ),
                call=request.call,
            )
            self._dealer.send(message)
        except WireError as error:
            self._end(ask, ErrorInfo("jina.excepts.WireError", str(error)))

    def _send(self, message: Sequence[Any]) -> None:
        self._dealer.send(message)
        self._dealer.flush()

    # --- what comes ---

    def _on_message(self, header: bytes, frames: Sequence[Any]) -> None:
        try:
            self._take(unpack_message(header, frames))
        except WireError as error:
            _log.warning("a message of the gateway was dropped: %s", error)
        except Exception:  # of somebody's `done`; the other messages are read all the same
            _log.exception("a reply could not be passed on")

    def _take(self, header: Header) -> None:
        self._has_heard = True
        if header.kind == wire.REPLY:
            ask = self._under_way.pop(header.number, None)
            if ask is not None:
                self._bytes -= ask.size
                route = unpack_route(header.route)
                way = unpack_map(Way, header.call) if header.call else _STRAIGHT
                frames = list(header.frames)
                ask.done(Reply(ask.request, None, route.parts, frames, route.served, way))
                if self._waiting:
                    self._fill()
        elif header.kind in (wire.ERROR, wire.REFUSED):
            error = unpack_map(ErrorInfo, sockets.payload(header.frames[0]))
            if header.kind == wire.REFUSED and error.type == STOPPING:
                self.is_stopping = True
            ask = self._under_way.get(header.number)
            if ask is not None:
                way = unpack_map(Way, header.call) if header.call else _STRAIGHT
                self._end(ask, error, way)
        elif header.kind == wire.WELCOME:
            self._welcomed(unpack_map(Welcome, header.call), header.number)
        elif header.kind == wire.BYE:
            self.is_stopping = True
        else:
            self._questions.take(header)

    def _end(self, ask: Ask, error: ErrorInfo, way: Way = _STRAIGHT) -> None:
        """Answer a request with an error."""
        self._under_way.pop(ask.number, None)
        self._bytes -= ask.size
        ask.done(Reply(ask.request, error, [], [], 0, way))
        self._fill()

    def _welcomed(self, welcome: Welcome, last: int) -> None:
        self.welcome = welcome
        self._window = welcome.window_requests
        self.is_stopping = False
        held = set(welcome.held)
        for number, ask in list(self._under_way.items()):
            if number <= last and number not in held:
                self._send_request(ask, self._now())
        self._dealer.flush()
        self.on_change()
        self._fill()

    def _on_link(self) -> None:
        if self._dealer.is_up:
            self._say_hello()

    def _say_hello(self) -> None:
        who = pack_map(Hello(f"{self._who} (process {os.getpid()})", WINDOW))
        self._send(pack_message(wire.HELLO, number=self._number, call=who))

    # --- time ---

    def _now(self) -> float:
        return self._loop.time() if self._loop is not None else 0.0

    def _on_tick(self) -> None:
        """Give up what is over its time, and ask a silent gateway what it holds."""
        if self._loop is None:
            return
        self._tick = self._loop.call_later(_TICK_S, self._on_tick)
        now = self._now()
        late = ErrorInfo(REQUEST_TIMEOUT, "the Flow has not answered in time")
        for ask in [each for each in self._waiting if each.timeout_s and each.due < now]:
            self._waiting.remove(ask)
            self._end(ask, late)
        for ask in [
            each for each in self._under_way.values() if each.timeout_s and each.due + _LATE_S < now
        ]:
            self._end(ask, late)
        if not self._dealer.is_up:
            if self.is_gone:
                self._give_up()
        elif self._under_way and not self._has_heard:
            self._say_hello()
        self._has_heard = False

    @property
    def is_gone(self) -> bool:
        """Whether the run directory has been removed: nobody will come back to this address."""
        path = self.address.removeprefix("ipc://")
        return path != self.address and not os.path.isdir(os.path.dirname(path))

    def _give_up(self) -> None:
        self.is_stopping = True
        gone = ErrorInfo(GONE, "the Flow is gone")
        for ask in [*self._under_way.values(), *self._waiting]:
            self._end(ask, gone)
        self._waiting.clear()


@lru_cache(maxsize=256)
def _route(
    endpoint: str,
    targets: tuple[str, ...] | None,
    part: Part,
    deadline: float | None,
    is_timed: bool,
    on_error: str,
) -> bytes:
    """The route map of a request; those of a front are mostly alike."""
    named = None if targets is None else list(targets)
    return pack_map(
        Route(endpoint, named, [part], deadline=deadline, is_timed=is_timed, on_error=on_error)
    )
