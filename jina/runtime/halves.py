"""What a worker does for a request that is done in parts: it reads one and adds it to the others.

The gateway opens no body, and a request of which many Documents fail has hundreds of parts. So now
and then it sends along what those before gave, and the worker puts its own behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import structs

from jina.defaults import MIB
from jina.transport.sockets import payload
from jina.wire.body import Cut, concatenated, cut, read_body, read_lines, write_body
from jina.wire.header import Header
from jina.wire.line_frames import in_frames
from jina.wire.maps import LINES, Call, LineFailures, Part, Route

Written = tuple[list[Part], list[Any]]


def read_some(header: Header, route: Route, call: Call) -> Cut:
    """Read the outcomes of a request that its route names, see `cut`.

    Raises:
        WireError: its body does not fit its route map, or is damaged.
    """
    parts, frames = _without_carried(route, header.frames)
    alone = route.is_last and call.lines
    if len(parts) == len(frames) == 1 and parts[0].kind == LINES and not call.oversize:
        return _read_some_lines(bytes(payload(frames[0])), header.base, route, call, alone=alone)
    body = read_body(parts, frames, 1, call, header.base, payload)
    truths = concatenated(body.groundtruths) if body.groundtruths else None
    return cut(concatenated(body.docs), truths, body.failures, route, alone=alone)


def _read_some_lines(chunk: bytes, base: int, route: Route, call: Call, *, alone: bool) -> Cut:
    """Likewise, of lines: the others are not parsed, however often a long request is cut."""
    lines, rows = _lines_of(chunk)
    some = rows[route.first : route.stop]
    start, stop = (some[0], some[-1] + 1) if some else (0, 0)
    body = read_lines(b"\n".join(lines[start:stop]), call, base + start)
    truths = concatenated(body.groundtruths) if body.groundtruths else None
    own = structs.replace(route, first=0, stop=len(some))
    found = cut(concatenated(body.docs), truths, body.failures, own, alone=True)
    if alone or found.failures is None:
        return found
    # Another branch may bring them, too: they keep their places in the whole request.
    failures = [
        structs.replace(failure, place=route.first + failure.place)
        for failure in found.failures.failures
    ]
    return found._replace(failures=LineFailures(len(rows), failures))


def _lines_of(chunk: bytes) -> tuple[list[bytes], list[int]]:
    """The lines of a chunk, and which of them have an outcome.

    Those of the last one are kept: a request of which many Documents fail comes hundreds of times.
    """
    if _last and _last[0].chunk == chunk:
        return _last[0].lines, _last[0].rows
    lines = chunk.split(b"\n")
    rows = [row for row, line in enumerate(map(bytes.strip, lines)) if line]
    _last[:] = [_Lines(chunk, lines, rows)] if len(chunk) <= _KEPT_BYTES else []
    return lines, rows


class _Lines(NamedTuple):
    """A chunk, taken apart."""

    chunk: bytes
    lines: list[bytes]
    rows: list[int]


_last: list[_Lines] = []  # at most one
_KEPT_BYTES = 4 * MIB


def _without_carried(route: Route, frames: Sequence[Any]) -> tuple[Sequence[Part], Sequence[Any]]:
    """The request itself: its parts and frames without what earlier parts gave."""
    if not route.carried:
        return route.parts, frames
    parts = route.parts[: -route.carried]
    return parts, frames[: sum(part.frames for part in parts)]


def together(
    route: Route,
    frames: Sequence[Any],
    own: Written,
    *,
    as_lines: bool,
    may_be_lines: bool = True,
) -> Written:
    """What earlier parts gave, and this one's result behind it.

    Args:
        route: of the request; it says how much of its frames that is.
        frames: likewise.
        own: this one's result.
        as_lines: these are JSON lines, the outcomes as the client wants them.
        may_be_lines: see `write_body`.
    """
    before = route.parts[-route.carried :]
    count = sum(part.frames for part in before)
    parts = [*before, *own[0]]
    frames = [*map(payload, frames[len(frames) - count :]), *own[1]]
    if as_lines:
        rows, failed = sum(part.rows for part in parts), sum(part.failed for part in parts)
        own_parts, lines = in_frames(b"".join(frames), rows, failed)
        return own_parts, list(lines)
    body = read_body(parts, frames, 1, Call(), 0)
    truths = concatenated(body.groundtruths) if body.groundtruths else None
    docs = concatenated(body.docs)
    return write_body(docs, truths, body.failures, may_be_lines=may_be_lines)
