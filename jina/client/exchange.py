"""Send requests over a session within its window, and give their replies back in order.

One poll loop, no thread: it sends while the window has room and input is at hand, receives, and
yields whatever is next in order. A slow consumer of the replies slows the reading of the input.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import msgspec

from jina.client.requests import Request, RequestSource
from jina.client.session import PING_S, Session
from jina.defaults import (
    REQUEST_IDLE_S,
    TIMEOUT_CONNECT_S,
    WINDOW_BYTES,
    WINDOW_REQUESTS,
)
from jina.excepts import BadClientInput, ConnectError, InputError, PostTimeout, WireError
from jina.runtime.pastruns import last_run_of
from jina.transport import sockets
from jina.wire import header as wire
from jina.wire.header import Header, pack_message, unpack_message
from jina.wire.maps import (
    SHUT_OUT,
    STOPPING,
    ErrorInfo,
    Part,
    Route,
    Way,
    Welcome,
    pack_map,
    unpack_map,
    unpack_route,
)

_NEVER = float("inf")
_STRAIGHT = Way()


class Reply(msgspec.Struct, frozen=True):
    """The answer to one request.

    Attributes:
        request: what was sent.
        error: why it failed as a whole; None when it did not.
        parts: of the body.
        frames: of the body.
        served: how many nodes were bound to the endpoint.
        way: what it met; empty if it was not timed and nothing failed.
    """

    request: Request
    error: ErrorInfo | None
    parts: list[Part]
    frames: list[Any]
    served: int
    way: Way = _STRAIGHT


def exchange(
    session: Session,
    endpoint: str,
    source: RequestSource,
    *,
    target: str = "",
    timeout_s: float | None = None,
    request_timeout_s: float | None = None,
    is_timed: bool = False,
    window: int = WINDOW_REQUESTS,
    is_ordered: bool = True,
    on_error: str = "",
) -> Iterator[Reply]:
    """Send the requests of `source` and yield their replies in the same order.

    Args:
        session: the connection; it carries one exchange at a time.
        endpoint: such as "/index".
        source: of requests.
        target: regular expression that the names of the nodes that take part match.
        timeout_s: the longest time without any reply while requests are under way.
        request_timeout_s: what one request may take; it fails when that is over.
        is_timed: the replies say how long each waited and ran at each node.
        window: requests under way at once; the gateway may allow fewer.
        is_ordered: False to yield each reply as soon as it comes.
        on_error: what becomes of a request at a node that raises, where the node does not say: one
            of `ON_ERROR`, "" for the Flow's default.

    Raises:
        PostTimeout: no reply in time.
        ConnectError: the Flow is gone.
        BadClientInput: the target is not a regular expression.
    """
    targets = targets_of(session.welcome, target)
    under_way = _Exchange(session, endpoint, targets, source, timeout_s)
    under_way.limit(request_timeout_s, is_timed, on_error)
    window = max(1, min(window, session.welcome.window_requests))
    next_replies = under_way.in_order if is_ordered else under_way.as_they_came
    try:
        while under_way.fill(window):
            under_way.wait()
            yield from next_replies()
    finally:
        under_way.leave()


def targets_of(welcome: Welcome, target: str) -> list[str] | None:
    """The names of the nodes that a target means; None for all, without a target.

    They are matched here, not in the gateway: an expression can take for ever.

    Raises:
        BadClientInput: the target is not a regular expression.
    """
    if not target:
        return None
    try:
        matches = re.compile(target).match
    except (re.error, RecursionError, OverflowError) as error:
        raise BadClientInput(
            f"the target {target!r} is not a regular expression: {error}"
        ) from error
    return [name for name in welcome.endpoints if matches(name)]


class _Input:
    """The source of an exchange, polled for lines that are not there yet.

    Args:
        source: of requests.
        poller: that the exchange waits with.
    """

    def __init__(self, source: RequestSource, poller: sockets.Poller) -> None:
        self._source = source
        self._poller = poller
        self._partial_at = _NEVER  # when the lines at hand are sent without waiting for more
        self._is_empty = False  # no line is at hand: only a poll can tell of a new one
        self._polled = -1  # the source's descriptor, while it is polled

    @property
    def at_end(self) -> bool:
        """Whether the last request has been handed out."""
        return self._source.at_end

    def next(self) -> Request | None:
        """The next full request, or what is at hand when its time has come."""
        request = self._source.next()
        if request is None and time.monotonic() >= self._partial_at:
            self._partial_at = _NEVER
            request = self._source.partial()
            self._is_empty = request is None
        if request is not None:
            self._is_empty = False
        elif self._partial_at == _NEVER and not self._is_empty:
            # Lines that were read before any poll told of them wait no longer than others.
            self.note_arrival()
        return request

    def poll(self, is_wanted: bool) -> bool:
        """Poll the source from now on if more of it is wanted; whether it is polled."""
        descriptor = self._source.fileno() if is_wanted else None
        wanted = -1 if descriptor is None else descriptor
        if wanted != self._polled:
            if self._polled >= 0:
                self._poller.unregister(self._polled)
            if wanted >= 0:
                self._poller.register(wanted, sockets.POLLIN)
            self._polled = wanted
        return wanted >= 0

    def note_arrival(self) -> None:
        """Something can be read: what is at hand soon goes out, even if no more follows."""
        self._partial_at = time.monotonic() + REQUEST_IDLE_S

    def patience_s(self) -> float:
        """How long the lines at hand may still wait for more."""
        return max(0.0, self._partial_at - time.monotonic())


class _Exchange:
    """One run of requests and replies over a session."""

    def __init__(
        self,
        session: Session,
        endpoint: str,
        targets: list[str] | None,
        source: RequestSource,
        timeout_s: float | None,
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._targets = targets
        self._input = _Input(source, session.poller)
        self._timeout_s = timeout_s
        self._request_timeout_s: float | None = None
        self._is_timed = False
        self._on_error = ""
        self._due: dict[int, float] = {}  # when the time of a request is over, if that is limited
        self._under_way: dict[int, Request] = {}
        self._replies: dict[int, Reply] = {}  # that wait for an earlier one
        self._bytes = 0  # of the requests under way, and of the replies that wait
        self._first = self._next = session.number + 1  # `_next`: whose reply is yielded next
        self._wants_input = False
        # Nothing more can be read or is taken.
        self._failure: InputError | BadClientInput | ConnectError | None = None
        self._has_heard = session.number == 0  # no BYE to an exchange before this one can come now
        self._is_left = False  # the gateway said BYE: what is under way was not taken
        self._answered_at = self._reached_at = self._asked_at = time.monotonic()

    def limit(self, request_timeout_s: float | None, is_timed: bool, on_error: str) -> None:
        """Say what `exchange` was told of each request."""
        self._request_timeout_s = request_timeout_s
        self._is_timed = is_timed
        self._on_error = on_error

    def fill(self, window: int) -> bool:
        """Send what the window has room for; False when everything is done."""
        self._wants_input = False
        while self._has_room(window) and self._send_next():
            pass
        if self._under_way or (self._replies and self._failure is None):
            return True
        if self._failure is not None:
            raise self._failure
        return not self._input.at_end

    def _has_room(self, window: int) -> bool:
        return (
            self._failure is None
            and not self._input.at_end
            and len(self._under_way) + len(self._replies) < window
            and self._bytes < WINDOW_BYTES
        )

    def _send_next(self) -> bool:
        """Send the next request; False when there is none just now."""
        try:
            request = self._input.next()
        except (InputError, BadClientInput) as error:
            self._failure = error  # told once what was sent before has its answers
            return False
        if request is None:
            self._wants_input = not self._input.at_end
            return False
        if not self._under_way:  # until now nobody owed us an answer
            self._answered_at = self._reached_at = self._asked_at = time.monotonic()
        self._session.number += 1
        self._under_way[self._session.number] = request
        self._bytes += _size(request.frames)
        if self._request_timeout_s is not None:
            self._due[self._session.number] = time.monotonic() + self._request_timeout_s
        self._send(self._session.number, request)
        return True

    def wait(self) -> None:
        """Wait for a message, or for input if there is room for it; then see who is silent."""
        session = self._session
        if not self._input.poll(self._wants_input) and self._under_way:
            message = sockets.receive_in_time(session.socket)  # a system call less than a poll
            if message is not None:
                self._take(message)
        else:
            wait_s = min(PING_S, self._input.patience_s())
            for ready, _ in session.poller.poll(ceil(wait_s * 1000)):
                if ready is session.socket:
                    self._take(sockets.receive(session.socket, routed=False))
                else:
                    self._input.note_arrival()
        now = time.monotonic()
        if self._under_way and now - self._asked_at > PING_S:
            self._ask(now)

    def in_order(self) -> Iterator[Reply]:
        """The replies that are next."""
        while self._next in self._replies:
            number, self._next = self._next, self._next + 1
            yield self._taken(number)

    def as_they_came(self) -> Iterator[Reply]:
        """The replies that are here."""
        while self._replies:
            yield self._taken(next(iter(self._replies)))

    def _taken(self, number: int) -> Reply:
        """A reply that waits no longer."""
        reply = self._replies.pop(number)
        self._bytes -= _size(reply.request.frames) + _size(reply.frames)
        return reply

    def leave(self) -> None:
        """Stop polling the input."""
        self._input.poll(False)

    def _send(self, number: int, request: Request) -> None:
        """Send one request, to the next gateway if there is none just now."""
        due = self._due.get(number)
        route = Route(
            self._endpoint,
            self._targets,
            request.parts,
            deadline=None if due is None else max(0.0, round(due - time.monotonic(), 3)),
            is_timed=self._is_timed,
            on_error=self._on_error,
        )
        message = pack_message(
            wire.REQUEST,
            request.frames,
            number=number,
            rows=request.rows,
            base=request.base,
            route=pack_map(route),
            call=request.call,
        )
        sockets.send(self._session.socket, message)

    def _take(self, message: sockets.Message) -> None:
        """Take in one message."""
        header = unpack_message(message.header, message.frames)
        self._reached_at = time.monotonic()
        if header.kind != wire.REFUSED:  # one that has said BYE refuses what comes late
            self._is_left = header.kind == wire.BYE and self._has_heard
        # A late WELCOME answers an exchange before this one, whose BYE may follow it.
        self._has_heard = self._has_heard or header.number >= self._first
        if header.kind == wire.WELCOME:
            self._send_lost(unpack_map(Welcome, header.call).held, header.number)
        if header.kind not in (wire.REPLY, wire.ERROR, wire.REFUSED):
            return
        request = self._under_way.pop(header.number, None)
        if request is None:
            return
        self._answered_at = self._asked_at = self._reached_at
        self._due.pop(header.number, None)
        if header.kind == wire.REPLY:
            self._bytes += _size(header.frames)
            self._replies[header.number] = self._reply(request, header)
            return
        error = unpack_map(ErrorInfo, sockets.payload(header.frames[0]))
        if header.kind == wire.REFUSED and error.type == SHUT_OUT:
            self._failure = ConnectError(
                error.message,
                where=self._session.address,
                hint="inputs without an outcome were not processed",
            )
        elif header.kind == wire.REFUSED and error.type == STOPPING:
            # Not an outcome of these lines: nobody has begun them. What was sent before is still
            # answered, what was sent after is refused too.
            self._failure = self._stopping(error.message)
        else:
            self._replies[header.number] = Reply(request, error, [], [], 0, _way(header))

    def _reply(self, request: Request, header: Header) -> Reply:
        route = unpack_route(header.route)
        named = 0
        for part in route.parts:
            named += part.frames
        if named != len(header.frames):
            raise WireError(
                "a reply whose parts do not fit its frames", where=self._session.address
            )
        way = _way(header)
        return Reply(request, None, route.parts, list(header.frames), route.served, way)

    def _ask(self, now: float) -> None:
        """Ask a silent gateway what it holds of ours; a new one in its place holds nothing."""
        self._asked_at = now
        silent_s = now - self._answered_at
        if self._timeout_s is not None and silent_s > self._timeout_s:
            raise PostTimeout(
                f"no reply for {self._timeout_s:g} s; requests in progress: {len(self._under_way)}",
                where=self._session.address,
                hint="increase --timeout, or check the workers with `jina flow ps`",
            )
        session = self._session
        if session.link.is_up:
            # A gateway that holds as much as it may listens again when it holds less.
            self._reached_at = now
            session.say_hello()
            return
        if session.socket.poll(0):
            return  # what it said last has come meanwhile
        if self._is_left:
            raise self._stopping("the Flow is stopping")
        if session.is_gone or now - self._reached_at > TIMEOUT_CONNECT_S:
            raise ConnectError(
                "the Flow is gone",
                where=session.address,
                hint=f"{self._where_it_says_why()}; start it again with `jina flow up`",
            )

    def _stopping(self, message: str) -> ConnectError:
        return ConnectError(
            message,
            where=self._session.address,
            hint="inputs without an outcome were not processed; post them again once the Flow "
            "is up",
        )

    def _where_it_says_why(self) -> str:
        directory = os.path.dirname(self._session.address.removeprefix("ipc://"))
        if self._session.is_gone and (found := last_run_of(directory)):
            return f"`jina flow logs --flow {found[1].name}` shows why"
        return "see its terminal or log for the reason"

    def _send_lost(self, held: list[int], last: int) -> None:
        """Send again what the gateway should hold and does not.

        Args:
            held: what it holds.
            last: the last request that was sent before the question; later ones may be on the way.
        """
        known = set(held)
        for number, request in self._under_way.items():
            if number <= last and number not in known:
                self._send(number, request)


def _way(header: Header) -> Way:
    return unpack_map(Way, header.call) if header.call else _STRAIGHT


def _size(frames: Sequence[Any]) -> int:
    size = 0
    for frame in frames:
        size += len(frame)
    return size
