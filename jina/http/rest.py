"""Jina's REST API: from the body of a request to what is asked of the Flow, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from jina.client.exchange import Reply
from jina.client.outcomes import outcomes_of
from jina.client.requests import Request
from jina.http.answers import Answered
from jina.http.front import Front
from jina.http.hub import Ask
from jina.readers import Chunk
from jina.wire.maps import DOCS, LINES, SPLIT, Call, Part, pack_map

Headers = Sequence[tuple[bytes, bytes]]


class Asked(msgspec.Struct, frozen=True):
    """A request that can be sent.

    Attributes:
        request: to the Flow.
        endpoint: of the Executors.
        targets: names of the nodes that take part; None for all.
        call: what `request` carries, decoded.
    """

    request: Request
    endpoint: str
    targets: list[str] | None
    call: Call


class _Body(msgspec.Struct):
    data: list[msgspec.Raw]
    exec_endpoint: str = msgspec.field(name="execEndpoint", default="")
    parameters: dict[str, Any] = {}


_DECODE = msgspec.json.Decoder(_Body).decode


def prepare(front: Front, endpoint: str, headers: Headers, body: bytes) -> Asked | Answered:
    """Read a request.

    Args:
        front: that got it.
        endpoint: that its path means; "" where the body says it.
        headers: their names in lower case.
        body: whole.

    Returns:
        what to send, or what is wrong with it.
    """
    try:
        read = _DECODE(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        detail = [{"loc": ["body"], "msg": str(error), "type": "value_error"}]
        return Answered(422, [], msgspec.json.encode({"detail": detail}))
    lines = b"\n".join(bytes(line).replace(b"\n", b" ") for line in read.data) + b"\n"
    call = Call(read.parameters, lines=True)
    rows = len(read.data)
    chunk = Chunk(lines, rows, 1, "", "", ())
    request = Request([Part(LINES, DOCS, 1, rows)], [lines], rows, 1, pack_map(call), chunk)
    return Asked(request, endpoint or read.exec_endpoint, None, call)


def finish(asked: Asked, reply: Reply) -> Answered:
    """The answer to a request."""
    outcomes = outcomes_of(reply, asked.endpoint, asked.call)
    lines = bytes(outcomes.lines).rstrip(b"\n").replace(b"\n", b",")
    headers = [(b"x-jina-failed", b"%d" % outcomes.failed)] if outcomes.failed else []
    return Answered(200, headers, b'{"data":{"docs":[' + lines + b"]}}")


def ask_of(asked: Asked, timeout_s: float, done: Callable[[Reply], None]) -> Ask:
    """How a request is given to the hub."""
    return Ask(
        asked.request,
        asked.endpoint,
        asked.targets,
        done,
        timeout_s=timeout_s,
        on_error=SPLIT,
        is_timed=True,
    )
