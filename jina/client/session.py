"""A client's connection: sends requests within its window, gives replies back in order.

One poll loop, no thread: it sends while the window has room and input is at hand, receives, and
yields whatever is next in order. A slow consumer of the replies slows the reading of the input.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from math import ceil
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

from jina.client.requests import Request, RequestSource
from jina.defaults import (
    MAX_FRAME_BYTES,
    REQUEST_IDLE_S,
    TIMEOUT_CONNECT_S,
    WINDOW_REQUESTS,
)
from jina.excepts import ConnectError, PostTimeout, WireError
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import pack_header, unpack_header
from jina.wire.maps import ErrorInfo, Part, Route, Welcome, pack_map, unpack_map

_PING_S = 0.5  # of silence, before the gateway is asked whether it is there
_BYE_S = 0.2
_NEVER = float("inf")


class Reply(NamedTuple):
    """The answer to one request.

    Attributes:
        request: what was sent.
        error: why it failed as a whole; None when it did not.
        parts: of the body.
        frames: of the body.
        served: how many nodes were bound to the endpoint.
    """

    request: Request
    error: ErrorInfo | None
    parts: list[Part]
    frames: list[Any]
    served: int


class Session:
    """A connection to one gateway.

    Args:
        address: of the gateway.
        timeout_connect_s: how long the greeting may take.

    Raises:
        ConnectError: nobody answers there.
    """

    def __init__(self, address: str, *, timeout_connect_s: float = TIMEOUT_CONNECT_S) -> None:
        if address.startswith("ipc://") and not os.path.exists(address[len("ipc://") :]):
            raise ConnectError(
                "no Flow listens there", where=address, hint="`jina flow ps` lists what runs"
            )
        self.address = address
        self._context = sockets.open_context()
        self._number = 0
        self._pinged_at = 0  # number of the last request that was sent before the last HELLO
        self._heard_at = time.monotonic()
        self.bytes_in_flight = 0
        try:
            self._socket = sockets.open_dealer(self._context)
            sockets.connect(self._socket, address)
            self._poller = sockets.Poller()
            self._poller.register(self._socket, sockets.POLLIN)
            self.welcome = self._greet(timeout_connect_s)
        except BaseException:
            sockets.close(self._context)
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say good-bye and close the connection."""
        with contextlib.suppress(sockets.PeerGone):
            sockets.send(self._socket, pack_header(wire.BYE))
        sockets.wait_until_sent(self._socket, _BYE_S)
        sockets.close(self._context)

    def status(self, timeout_s: float = TIMEOUT_CONNECT_S) -> dict[str, Any]:
        """Ask the gateway how its workers are.

        Raises:
            ConnectError: no answer in time.
        """
        self._ask(pack_header(wire.STATUS), timeout_s)
        message = self._await(wire.STATUS, timeout_s)
        return msgspec.json.decode(sockets.payload(message.frames[0]))  # type: ignore[no-any-return]

    def exchange(
        self,
        endpoint: str,
        source: RequestSource,
        *,
        target: str = "",
        window: int = WINDOW_REQUESTS,
        timeout_s: float | None = None,
    ) -> Iterator[Reply]:
        """Send the requests of `source` and yield their replies in the same order.

        Args:
            endpoint: such as "/index".
            source: of requests.
            target: regular expression for the names of the nodes that take part.
            window: requests under way at once; the gateway's own limit holds too.
            timeout_s: the longest time without any reply while requests are under way.

        Raises:
            PostTimeout: no reply in time.
            ConnectError: the Flow is gone.
        """
        window = max(1, min(window, self.welcome.window_requests))
        under_way: dict[int, Request] = {}
        replies: dict[int, Reply] = {}
        next_number = self._number + 1  # whose reply is yielded next
        quiet_since = asked_at = time.monotonic()
        partial_at = _NEVER  # when the lines at hand are sent without waiting for more
        is_polled = -1  # the input's descriptor, while it is polled
        self.bytes_in_flight = 0
        try:
            while True:
                wants_input = False
                while (
                    not source.at_end
                    and len(under_way) + len(replies) < window
                    and self.bytes_in_flight < MAX_FRAME_BYTES
                ):
                    request = source.next()
                    if request is None and time.monotonic() >= partial_at:
                        partial_at = _NEVER
                        request = source.partial()
                    if request is None:
                        wants_input = not source.at_end
                        break
                    if not under_way:
                        quiet_since = asked_at = self._heard_at = time.monotonic()
                    self._number += 1
                    under_way[self._number] = request
                    self.bytes_in_flight += _size(request)
                    self._send(endpoint, target, self._number, request)
                if source.at_end and not under_way and not replies:
                    return
                descriptor = source.fileno() if wants_input else None
                is_polled = self._poll_input(is_polled, -1 if descriptor is None else descriptor)
                wait_s = min(_PING_S, max(0.0, partial_at - time.monotonic()))
                ready = self._poller.poll(ceil(wait_s * 1000))
                now = time.monotonic()
                for each, _ in ready:
                    if each is self._socket:
                        if self._receive(endpoint, target, under_way, replies):
                            quiet_since = asked_at = now
                    else:
                        partial_at = now + REQUEST_IDLE_S
                if under_way and now - asked_at > _PING_S:
                    asked_at = now
                    if timeout_s is not None and now - quiet_since > timeout_s:
                        raise PostTimeout(
                            f"no reply for {timeout_s:g} s, with {len(under_way)} requests "
                            "under way",
                            where=self.address,
                            hint="raise --timeout, or look at the workers with `jina flow ps`",
                        )
                    self._ping()
                    if now - self._heard_at > TIMEOUT_CONNECT_S:
                        raise ConnectError(
                            "the Flow is gone",
                            where=self.address,
                            hint="its own terminal or log says why; start it again with "
                            "`jina flow up`",
                        )
                while next_number in replies:
                    reply = replies.pop(next_number)
                    next_number += 1
                    yield reply
        finally:
            self._poll_input(is_polled, -1)

    def _poll_input(self, before: int, now: int) -> int:
        if before != now:
            if before >= 0:
                self._poller.unregister(before)
            if now >= 0:
                self._poller.register(now, sockets.POLLIN)
        return now

    def _send(self, endpoint: str, target: str, number: int, request: Request) -> None:
        """Send one request. Where no gateway is connected just now, the next ping finds out."""
        header = pack_header(
            wire.REQUEST,
            frames=len(request.frames),
            number=number,
            rows=request.rows,
            base=request.base,
            route=pack_map(Route(endpoint, target, request.parts)),
            call=request.call,
        )
        with contextlib.suppress(sockets.PeerGone):
            sockets.send(self._socket, header, request.frames)

    def _receive(
        self,
        endpoint: str,
        target: str,
        under_way: dict[int, Request],
        replies: dict[int, Reply],
    ) -> bool:
        """Take in one message; True when it is the answer to a request."""
        message = sockets.receive(self._socket, routed=False)
        header = unpack_header(message.header)
        self._heard_at = time.monotonic()
        if header.kind == wire.WELCOME:
            held = set(unpack_map(Welcome, header.call).held)
            for number, request in under_way.items():
                if number <= self._pinged_at and number not in held:
                    self._send(endpoint, target, number, request)
            return False
        if header.kind not in (wire.REPLY, wire.ERROR, wire.REFUSED):
            return False
        request_or_none = under_way.pop(header.number, None)
        if request_or_none is None:
            return False
        request = request_or_none
        self.bytes_in_flight -= _size(request)
        if header.kind == wire.REPLY:
            route = unpack_map(Route, header.route)
            if sum(part.frames for part in route.parts) != len(message.frames):
                raise WireError("a reply whose parts do not fit its frames", where=self.address)
            replies[header.number] = Reply(
                request, None, route.parts, list(message.frames), route.served
            )
        else:
            error = unpack_map(ErrorInfo, sockets.payload(message.frames[0]))
            replies[header.number] = Reply(request, error, [], [], 0)
        return True

    # --- is anybody there? ---

    def _greet(self, timeout_s: float) -> Welcome:
        self._ask(pack_header(wire.HELLO), timeout_s)
        message = self._await(wire.WELCOME, timeout_s)
        return unpack_map(Welcome, unpack_header(message.header).call)

    def _ask(self, header: bytes, timeout_s: float) -> None:
        poller = sockets.Poller()
        poller.register(self._socket, sockets.POLLOUT)
        if not poller.poll(ceil(timeout_s * 1000)):
            raise ConnectError(
                f"nobody answers within {timeout_s:g} s",
                where=self.address,
                hint="`jina flow ps` lists what runs",
            )
        sockets.send(self._socket, header)

    def _await(self, kind: int, timeout_s: float) -> sockets.Message:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            if self._poller.poll(ceil(left * 1000)):
                message = sockets.receive(self._socket, routed=False)
                if unpack_header(message.header).kind == kind:
                    return message
        raise ConnectError(
            f"no answer within {timeout_s:g} s",
            where=self.address,
            hint="is it a jina gateway that listens there?",
        )

    def _ping(self) -> None:
        """Ask a silent gateway what it holds of ours; a new one in its place holds nothing."""
        with contextlib.suppress(sockets.PeerGone):
            sockets.send(self._socket, pack_header(wire.HELLO))
            self._pinged_at = self._number


def _size(request: Request) -> int:
    return sum(len(frame) for frame in request.frames)
