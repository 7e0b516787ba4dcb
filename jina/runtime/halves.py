"""What a worker does for a request that is done in parts: it puts their results together.

The gateway opens no body, and a request of which many Documents fail has hundreds of parts. So now
and then it sends along what those before gave, and the worker puts its own behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jina.transport.sockets import payload
from jina.wire.body import concatenated, read_body, write_body
from jina.wire.maps import DOCS, LINES, Call, Part, Route

Body = tuple[Sequence[Part], Sequence[Any]]


def without_carried(route: Route, frames: Sequence[Any]) -> Body:
    """The request itself: its parts and frames without what earlier parts gave."""
    if not route.carried:
        return route.parts, frames
    parts = route.parts[: -route.carried]
    return parts, frames[: sum(part.frames for part in parts)]


def together(
    route: Route, frames: Sequence[Any], own: Body, *, as_lines: bool
) -> tuple[list[Part], list[Any]]:
    """What earlier parts gave, and this one's result behind it.

    Args:
        route: of the request; it says how much of its frames that is.
        frames: likewise.
        own: this one's result.
        as_lines: these are JSON lines, the outcomes as the client wants them.
    """
    before = route.parts[-route.carried :]
    count = sum(part.frames for part in before)
    parts = [*before, *own[0]]
    frames = [*map(payload, frames[len(frames) - count :]), *own[1]]
    if as_lines:
        rows, failed = sum(part.rows for part in parts), sum(part.failed for part in parts)
        return [Part(LINES, DOCS, 1, rows, failed)], [b"".join(frames)]
    body = read_body(parts, frames, 1, Call(), 0)
    truths = concatenated(body.groundtruths) if body.groundtruths else None
    return write_body(concatenated(body.docs), truths, body.failures)
