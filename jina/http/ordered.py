"""Requests of one connection: several under way at once, answered in order, no more than it may.

Streams and WebSockets share it. Whoever sends waits for room, so it stops reading its connection
where the Flow is slow, and where the other side does not read its answers.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Coroutine
from typing import Any

from jina.client.exchange import Reply
from jina.client.requests import Request
from jina.defaults import MIB
from jina.excepts import ConnectError
from jina.http.front import Front
from jina.http.hub import GONE, Ask, Full
from jina.http.watch import Seen
from jina.wire.maps import STOPPING

WINDOW_REQUESTS = 16  # of one connection: under way, or answered and not yet written
WINDOW_BYTES = 32 * MIB  # of those; one alone may be larger
_AGAIN_S = 0.05  # until a request that the hub has no room for is offered again
_LOOK_S = 0.5  # between looks at whether both sides are still there


class Lost(Exception):
    """The Flow takes no more: what was sent and has no answer was not processed."""


class HungUp(Exception):
    """Whoever asked is gone."""


CALLER = "jina.caller"
"""In the scope of a request: its `Caller`."""


class Caller:
    """The connection that a request came by.

    Args:
        transport: of it.

    Attributes:
        lost: done once it is closed.
    """

    __slots__ = ("lost", "transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def note_lost(self) -> None:
        """It is closed."""
        if not self.lost.done():
            self.lost.set_result(None)

    @property
    def has_hung_up(self) -> bool:
        """Whether the other side has closed it, even while it is not being read."""
        if self.lost.done() or self.transport.is_closing():
            return True
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLRDHUP)
        return bool(poll.poll(0))


class _Sent:
    """A request that waits for its turn to be written."""

    __slots__ = ("about", "ask", "reply", "size")

    def __init__(self, about: Any, size: int, reply: asyncio.Future[Any]) -> None:
        self.about = about
        self.size = size
        self.reply = reply
        self.ask: Ask | None = None


class InOrder:
    """The requests of one connection.

    Args:
        front: that got the connection.
        seen: the request that it began with.
    """

    def __init__(self, front: Front, seen: Seen) -> None:
        self._front = front
        self._seen = seen
        self._hub = front.hub
        self._sent: deque[_Sent] = deque()
        self._bytes = 0
        self._is_whole = False  # nothing more is sent
        self._has_room = asyncio.Event()
        self._has_sent = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._sent

    # --- the sender ---

    async def submit(
        self,
        request: Request,
        endpoint: str,
        targets: tuple[str, ...] | None,
        about: Any = None,
        *,
        on_error: str = "",
        is_timed: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        """Send a request once there is room for it.

        Args:
            request: what to send.
            endpoint: of the Executors.
            targets: names of the nodes that take part; None for all.
            about: it, for whoever writes its answer.
            on_error: what becomes of it at a node that raises.
            is_timed: the reply says how long it waited and ran at each node.
            timeout_s: that its answer may take; None for no limit.
        """
        size = sum(map(len, request.frames))
        sent = await self._place(about, size)

        def done(reply: Reply) -> None:
            self._front.watch.replied(self._seen, endpoint, reply)
            if not sent.reply.done():
                self._bytes += sum(map(len, reply.frames)) - sent.size
                sent.size = sum(map(len, reply.frames))
                sent.reply.set_result(reply)

        sent.ask = Ask(
            request,
            endpoint,
            targets,
            done,
            size,
            timeout_s=timeout_s,
            on_error=on_error,
            is_timed=is_timed,
        )
        if not await self._is_taken(sent.ask):
            sent.reply.set_result(None)

    async def put(self, answer: Any, about: Any = None) -> None:
        """Put something among the answers that needs no request, once there is room for it."""
        sent = await self._place(about, 0)
        sent.reply.set_result(answer)

    def end(self) -> None:
        """Nothing more is sent."""
        self._is_whole = True
        self._has_sent.set()

    async def _place(self, about: Any, size: int) -> _Sent:
        while len(self._sent) >= WINDOW_REQUESTS or (
            self._sent and self._bytes + size > WINDOW_BYTES
        ):
            self._has_room.clear()
            await self._has_room.wait()
        sent = _Sent(about, size, asyncio.get_running_loop().create_future())
        self._sent.append(sent)
        self._bytes += size
        self._has_sent.set()
        return sent

    async def _is_taken(self, ask: Ask) -> bool:
        """Give a request to the hub, which may be full, or between two gateways.

        It waits here while the hub is crowded, so that those who cannot wait are still taken.

        Returns:
            False when the Flow takes no more; what it has taken before is still answered.
        """
        while not self._front.is_stopping:
            try:
                if self._hub.is_crowded:
                    raise Full
                self._hub.submit(ask)
            except (ConnectError, Full):
                if self._hub.is_stopping or self._hub.is_gone:
                    return False
                await asyncio.sleep(_AGAIN_S)
            else:
                return True
        return False

    # --- the writer ---

    async def next(self) -> tuple[Any, Any] | None:
        """The next answer, and what it is about; None at the end.

        `release` gives its room away, once it is written.

        Raises:
            Lost: the Flow did not take this request, or has stopped.
        """
        while not self._sent:
            if self._is_whole:
                return None
            self._has_sent.clear()
            await self._has_sent.wait()
        sent = self._sent[0]
        answer = await sent.reply
        if answer is None:
            raise Lost
        if isinstance(answer, Reply) and answer.error and answer.error.type in (STOPPING, GONE):
            raise Lost
        return answer, sent.about

    def release(self) -> None:
        """The answer that `next` gave is written."""
        self._bytes -= self._sent.popleft().size
        self._has_room.set()

    # --- the end ---

    async def run(self, caller: Caller, *jobs: Coroutine[Any, Any, None]) -> None:
        """Do several things at once until the first one ends, or one side is gone.

        Whatever is under way then is cancelled.

        Args:
            caller: that they are done for.
            *jobs: of whom the first to end, ends all.

        Raises:
            HungUp: the other side has closed the connection.
            Lost: there is no Flow any more.
            Exception: what one of them raises.
        """
        tasks = [asyncio.ensure_future(job) for job in (*jobs, self._watch(caller))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # Once it is answered, the other side counts as gone: what has ended well decides.
            if all(task.exception() is not None for task in done):
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._cancel()

    async def _watch(self, caller: Caller) -> None:
        """Look whether both sides are still there, and whether the Flow takes more."""
        loop = asyncio.get_running_loop()
        last_up = loop.time()
        while True:
            await asyncio.wait([caller.lost], timeout=_LOOK_S)
            if caller.has_hung_up:
                raise HungUp
            if self._hub.is_up:
                last_up = loop.time()
            is_over = self._hub.is_stopping or self._front.is_stopping
            if is_over and not self._is_whole and self.is_idle:
                raise Lost
            if loop.time() - last_up > self._front.settings.timeout:
                raise Lost

    def _cancel(self) -> None:
        for sent in self._sent:
            if sent.ask is not None:
                self._hub.cancel(sent.ask)  # nothing, if it has its answer
            sent.reply.cancel()
        self._sent.clear()
