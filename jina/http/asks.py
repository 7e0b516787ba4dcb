"""One request on its way to the Flow."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jina.client.exchange import Reply
from jina.client.requests import Request
from jina.http.calls import CallTemplate

GONE = "jina.excepts.ConnectError"  # the type of the error when there is no gateway to ask


class Full(Exception):
    """As many requests wait as may wait."""


class Ask(msgspec.Struct, eq=False):
    """One request on its way, and whom to call with its reply.

    Attributes:
        request: what to send.
        endpoint: such as "/index".
        targets: names of the nodes that take part; None for all.
        done: called on the loop with the reply, once; never after `Hub.cancel`.
        size: of its frames, in bytes.
        timeout_s: how long an answer may take; None for no limit.
        on_error: what becomes of it at a node that raises, "" for the Flow's default.
        is_timed: the reply says how long it waited and ran at each node.
        template: that the call of the request was made from; None for one that has none.
        number: given by the hub; 0 while it waits.
        due: when the answer must be here; time of the loop.
    """

    request: Request
    endpoint: str
    targets: tuple[str, ...] | None
    done: Callable[[Reply], None]
    size: int
    timeout_s: float | None = None
    on_error: str = ""
    is_timed: bool = False
    template: CallTemplate | None = None
    number: int = 0
    due: float = 0.0
