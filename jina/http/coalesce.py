"""Coalescing: small requests that come at about the same time share one call of the Executor.

A request waits a few milliseconds for others to the same endpoint with the same parameters, unless
all who are connected have asked already. Their lines become one request to the Flow, and its
outcomes are taken apart again by counting. Nobody gets what belongs to others: where an outcome is
an error, or there are more or fewer outcomes than Documents, the requests concerned are run alone.
So an Executor must give one Document for each, in their order, and its method may see a Document
twice; endpoints declared `once` are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from jina.client.exchange import Reply
from jina.client.outcomes import outcomes_of
from jina.client.requests import Request
from jina.excepts import ConnectError
from jina.http.asks import GONE, Ask, Full
from jina.http.description import read_description
from jina.http.hub import Hub
from jina.names import DEFAULT_ENDPOINT
from jina.readers import Chunk
from jina.wire.header import DESCRIBE
from jina.wire.maps import DOCS, LINES, REQUEST_TIMEOUT, STOPPING, Call, ErrorInfo, Part, unpack_map

MOST_ROWS = 16
MOST_BYTES = 64 * 1024
"""What is larger goes alone: it costs so much that a call more does not matter."""
_GROUP_ROWS = 256
_GROUP_BYTES = 1024 * 1024
_MISSES = 3  # after as many calls whose outcomes could not be taken apart, no more are tried
_FEW = 8  # answers that are made in one go
_FRESH_S = 5.0  # that is believed what the Flow has said of its endpoints
_AS_IT_IS = {GONE, STOPPING, REQUEST_TIMEOUT}
"""Errors of a group that are those of each of its requests."""

_UNEVEN = ErrorInfo(
    "jina.excepts.BatchingError", "the Executor did not give one outcome for each Document"
)

_Key = tuple[str, tuple[str, ...] | None, str, bool, bytes, bytes]


class Link(Protocol):
    """What takes requests: a hub, or a `Coalescer` before it."""

    def submit(self, ask: Ask) -> None:
        """Send a request."""

    def cancel(self, ask: Ask) -> None:
        """Nobody waits for it any more."""


class _Group:
    """Requests that become one.

    Args:
        key: what they have in common.
        began: when the first of them came; time of the loop.
    """

    __slots__ = ("asks", "began", "bytes", "combined", "key", "members", "rows", "timer")

    def __init__(self, key: _Key, began: float) -> None:
        self.key = key
        self.began = began
        self.asks: dict[Ask, None] = {}  # an ordered set; without those that are cancelled
        self.members: list[Ask] = []  # that were sent
        self.rows = 0
        self.bytes = 0
        self.timer: asyncio.TimerHandle | None = None
        self.combined: Ask | None = None


class _Failure(msgspec.Struct):
    """A line that may be an error."""

    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode_failure = msgspec.json.Decoder(_Failure).decode


def _key_of(ask: Ask) -> _Key | None:
    """What a request has in common with those that it may go with; None if it goes alone."""
    template = ask.template
    if template is None or not 0 < ask.request.rows <= MOST_ROWS or ask.size > MOST_BYTES:
        return None
    common = ask.endpoint, ask.targets, ask.on_error, ask.is_timed
    return *common, template.before, template.behind


class Coalescer:
    """Takes requests in place of the hub, and gives them to it, several as one.

    Args:
        hub: link to the gateway.
        wait_s: how long a request waits for others.
        callers: how many there are who may ask: once all of them wait, nobody else is waited for.
    """

    def __init__(self, hub: Hub, wait_s: float, callers: Callable[[], int]) -> None:
        self._hub = hub
        self._wait_s = wait_s
        self._callers = callers
        self._open: dict[_Key, _Group] = {}
        self._group_of: dict[Ask, _Group] = {}
        self._misses: dict[tuple[str, tuple[str, ...] | None], int] = {}
        self._once: set[str] | None = None  # endpoints; None before the Flow has said so
        self._asked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """The Flow may serve something else now."""
        self._misses.clear()
        self._asked_at = float("-inf")

    # --- requests that come ---

    def submit(self, ask: Ask) -> None:
        """Send a request, alone or with others.

        Raises:
            ConnectError: there is no gateway, or it takes no more requests.
            Full: as many wait as may.
        """
        key = _key_of(ask)
        # A group is open for milliseconds: whoever comes later goes as its first request does.
        group = self._open.get(key) if key is not None else None
        if key is None or (group is None and not self._may_wait(ask)):
            self._hub.submit(ask)
            return
        self._hub.check(ask)
        group = group or self._opened(key)
        self._hub.hold(1, ask.size)
        group.asks[ask] = None
        self._group_of[ask] = group
        group.rows += ask.request.rows
        group.bytes += ask.size
        is_full = group.rows >= _GROUP_ROWS or group.bytes >= _GROUP_BYTES
        if is_full or len(group.asks) >= self._callers():
            self._send(group)

    def _opened(self, key: _Key) -> _Group:
        loop = asyncio.get_running_loop()
        group = self._open[key] = _Group(key, loop.time())
        group.timer = loop.call_later(self._wait_s, self._send, group)
        return group

    def cancel(self, ask: Ask) -> None:
        """Nobody waits for this request any more; the others of its group go on."""
        group = self._group_of.pop(ask, None)
        if group is None:
            self._hub.cancel(ask)
            return
        del group.asks[ask]
        if group.combined is None:
            self._hub.hold(-1, -ask.size)
            group.rows -= ask.request.rows
            group.bytes -= ask.size
        elif not group.asks:
            self._hub.cancel(group.combined)

    def _may_wait(self, ask: Ask) -> bool:
        """Whether a request may go with others."""
        is_missed = self._misses.get((ask.endpoint, ask.targets), 0) >= _MISSES
        return not is_missed and self._may_repeat(ask.endpoint)

    # --- what the Flow says of its endpoints ---

    def _may_repeat(self, endpoint: str) -> bool:
        """Whether a Document may be given to the Executors of an endpoint a second time."""
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at > _FRESH_S:
            self._asked_at = loop.time()
            self._task = loop.create_task(self._learn())
        once = self._once
        return once is not None and endpoint not in once and DEFAULT_ENDPOINT not in once

    async def _learn(self) -> None:
        try:
            described = read_description(await self._hub.question(DESCRIBE))
        except (ConnectError, TimeoutError, msgspec.MsgspecError):
            return  # until it is known, no request waits for others
        self._once = {each.path for node in described.nodes for each in node.endpoints if each.once}

    # --- groups that go ---

    def _send(self, group: _Group) -> None:
        if group.timer is not None:
            group.timer.cancel()
        del self._open[group.key]
        self._hub.hold(-len(group.asks), -group.bytes)
        group.members = list(group.asks)
        if len(group.members) > 1:
            group.combined = self._combined(group)
            self._submit(group.combined)
        else:
            for ask in group.members:
                self._alone(ask, group)

    def _combined(self, group: _Group) -> Ask:
        first = group.members[0]
        endpoint, targets, on_error, is_timed, _, _ = group.key
        lines = b"".join([ask.request.frames[0] for ask in group.members])
        call, alone = first.request.call, first.request.chunk
        assert alone is not None
        chunk = Chunk([lines], group.rows, 1, alone.source, alone.key)
        part = Part(LINES, DOCS, 1, group.rows)
        return Ask(
            Request([part], [lines], group.rows, 1, call, chunk),
            endpoint,
            targets,
            lambda reply: self._take_apart(group, reply),
            group.bytes,
            timeout_s=self._left(first, group),
            on_error=on_error,
            is_timed=is_timed,
        )

    def _submit(self, ask: Ask) -> None:
        """Give a request to the hub, whose answer is an error where that takes none."""
        try:
            self._hub.submit(ask)
        except (ConnectError, Full) as error:
            what = error.what if isinstance(error, ConnectError) else "too many requests wait"
            ask.done(Reply(ask.request, ErrorInfo(GONE, what), [], [], 0))

    def _alone(self, ask: Ask, group: _Group) -> None:
        del self._group_of[ask]
        ask.timeout_s = self._left(ask, group)
        self._submit(ask)

    def _left(self, ask: Ask, group: _Group) -> float | None:
        """Seconds until a request must have its answer."""
        if ask.timeout_s is None:
            return None
        return max(0.001, ask.timeout_s - (asyncio.get_running_loop().time() - group.began))

    # --- what comes back ---

    def _take_apart(self, group: _Group, reply: Reply) -> None:
        """Give each request its own outcomes, or run it alone."""
        self._hand_out(group, self._shares(group, reply))

    def _hand_out(self, group: _Group, shares: Iterator[tuple[Ask, Reply, bool]]) -> None:
        """Likewise, a few at a time: the first have their answers while the next are made."""
        for ask, own, is_its_own in islice(shares, _FEW):
            if ask not in group.asks:  # cancelled meanwhile
                continue
            del group.asks[ask]
            if is_its_own or not self._may_repeat(ask.endpoint):
                del self._group_of[ask]
                ask.done(own)
            else:
                self._alone(ask, group)
        if group.asks:
            asyncio.get_running_loop().call_soon(self._hand_out, group, shares)
        else:
            group.combined = None  # which knows the group: the collector need not find out

    def _shares(self, group: _Group, reply: Reply) -> Iterator[tuple[Ask, Reply, bool]]:
        """Each request, its outcomes, and whether they are as if it had been alone."""
        assert group.combined is not None
        endpoint, sent = group.combined.endpoint, group.combined.request
        if reply.error is not None:
            is_its_own = not reply.error.executor and reply.error.type in _AS_IT_IS
            for ask in group.members:
                yield ask, Reply(ask.request, reply.error, [], [], 0, reply.way), is_its_own
            return
        if not reply.served:
            for ask in group.members:
                mine = ask.request
                yield ask, Reply(mine, None, mine.parts, mine.frames, 0, reply.way), True
            return
        outcomes = outcomes_of(reply, endpoint, unpack_map(Call, sent.call))
        lines = bytes(outcomes.lines).splitlines(keepends=True)
        if reply.way.is_raw or not outcomes.total == len(lines) == sent.rows:
            place = endpoint, group.combined.targets
            self._misses[place] = self._misses.get(place, 0) + 1
            for ask in group.members:
                yield ask, Reply(ask.request, _UNEVEN, [], [], 0, reply.way), False
            return
        at = 0
        for ask in group.members:
            own = lines[at : at + ask.request.rows]
            at += len(own)
            failed = sum(map(_is_failure, own)) if outcomes.failed else 0
            part = Part(LINES, DOCS, 1, len(own), failed)
            frames = [b"".join(own)]
            way = reply.way
            yield ask, Reply(ask.request, None, [part], frames, reply.served, way), not failed


def _is_failure(line: bytes) -> bool:
    return b'"error":' in line and _decode_failure(line).error is not msgspec.UNSET
