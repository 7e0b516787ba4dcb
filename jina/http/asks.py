"""One request on its way to the Flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jina.client.exchange import Reply
from jina.client.requests import Request

GONE = "jina.excepts.ConnectError"  # the type of the error when there is no gateway to ask


class Full(Exception):
    """As many requests wait as may wait."""


class Ask:
    """One request on its way, and whom to call with its reply.

    Args:
        request: what to send.
        endpoint: such as "/index".
        targets: names of the nodes that take part; None for all.
        done: called on the loop with the reply, once; never after `Hub.cancel`.
        timeout_s: how long an answer may take; None for no limit.
        on_error: what becomes of it at a node that raises, "" for the Flow's default.
        is_timed: the reply says how long it waited and ran at each node.
    """

    __slots__ = (
        *("done", "due", "endpoint", "is_timed", "number", "on_error", "request", "size"),
        *("targets", "timeout_s"),
    )

    def __init__(
        self,
        request: Request,
        endpoint: str,
        targets: Sequence[str] | None,
        done: Callable[[Reply], None],
        *,
        timeout_s: float | None = None,
        on_error: str = "",
        is_timed: bool = False,
    ) -> None:
        self.request = request
        self.endpoint = endpoint
        self.targets = None if targets is None else tuple(targets)
        self.done = done
        self.timeout_s = timeout_s
        self.on_error = on_error
        self.is_timed = is_timed
        self.number = 0  # while it waits
        self.due = 0.0
        self.size = sum(map(len, request.frames))
