"""Turn a reply into JSON lines: the results, and one error for each line that failed."""

from __future__ import annotations

from typing import NamedTuple

from jina.client.exchange import Reply
from jina.transport.sockets import payload
from jina.wire.maps import LINES, Call


class Outcomes(NamedTuple):
    """The outcome of one request, in order.

    Attributes:
        lines: JSON lines, bytes or a view of them.
        total: how many lines.
        failed: how many of them are errors.
    """

    lines: bytes | memoryview
    total: int
    failed: int


def plain_lines(reply: Reply) -> bytes | memoryview | None:
    """The lines of a reply that a worker wrote, all of them Documents; None for any other reply."""
    way = reply.way
    if reply.error is not None or not reply.served or len(reply.parts) != 1:
        return None
    if way.is_raw or way.errors or way.blamed is not None:
        return None
    part = reply.parts[0]
    return payload(reply.frames[0]) if part.kind == LINES and not part.failed else None


def outcomes_of(reply: Reply, endpoint: str, call: Call) -> Outcomes:
    """The JSON lines of one reply.

    Lines that a worker wrote are passed on as they are; Documents are built only where no worker
    wrote lines, or where the request failed.

    Args:
        reply: from the exchange.
        endpoint: that was posted to.
        call: of this post.
    """
    parts = reply.parts
    is_written = reply.error is None and reply.served and not reply.way.is_raw
    if is_written and len(parts) == 1 and parts[0].kind == LINES:
        return Outcomes(payload(reply.frames[0]), parts[0].rows, parts[0].failed)
    if is_written and parts and all(part.kind == LINES for part in parts):
        return Outcomes(
            b"".join(map(payload, reply.frames)),
            sum(part.rows for part in parts),
            sum(part.failed for part in parts),
        )
    # Late: lines that a worker wrote are passed on without anything that knows Documents.
    from jina.client.document_lines import lines_of, lines_of_failed

    if reply.error is not None:
        return Outcomes(*lines_of_failed(reply, endpoint, reply.error, call))
    return Outcomes(*lines_of(reply, endpoint, call))
