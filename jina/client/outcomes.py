"""A reply becomes JSON lines: exactly one outcome for each line that was sent, or its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jina.client.requests import call_of
from jina.client.session import Reply
from jina.transport.sockets import payload
from jina.wire.maps import LINES, Call, ErrorInfo, LineFailures

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray


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


def outcomes_of(reply: Reply, endpoint: str, call: Call) -> Outcomes:
    """The JSON lines of one reply.

    Lines that a worker wrote are passed on as they are; Documents are built only where no worker
    wrote lines, or where the request failed.

    Args:
        reply: from the session.
        endpoint: that was posted to.
        call: of this post.
    """
    if reply.error is not None:
        return _failed(reply, endpoint, reply.error, call)
    parts = reply.parts
    if reply.served and len(parts) == 1 and parts[0].kind == LINES:
        return Outcomes(payload(reply.frames[0]), parts[0].rows, parts[0].failed)
    if reply.served and parts and all(part.kind == LINES for part in parts):
        return Outcomes(
            b"".join(map(payload, reply.frames)),
            sum(part.rows for part in parts),
            sum(part.failed for part in parts),
        )
    # Late: lines that a worker wrote are passed on without anything that knows Documents.
    from jina.wire import body as bodies

    docs, failures = documents_of(reply, call)
    parts, frames = bodies.write_lines(docs, failures, endpoint, call.tensors)
    return Outcomes(frames[0], parts[0].rows, parts[0].failed)


def documents_of(reply: Reply, call: Call) -> tuple[DocumentArray, LineFailures | None]:
    """The Documents of a reply that did not fail, and its failed lines."""
    # Late: see outcomes_of.
    from jina.wire import body as bodies

    request = reply.request
    own = call_of(call, request.chunk) if request.chunk is not None else call
    body = bodies.read_body(reply.parts, reply.frames, 1, own, request.base, payload)
    return bodies.concatenated(body.docs), body.failures


def _failed(reply: Reply, endpoint: str, error: ErrorInfo, call: Call) -> Outcomes:
    """One error for each line of a failed request, see `error_lines`."""
    # Late: see outcomes_of.
    from jina.wire import body as bodies

    request = reply.request
    if request.chunk is not None:
        read = bodies.read_lines(request.chunk.data, call_of(call, request.chunk), request.base)
        names, failures = [doc.id for doc in read.docs[0]], read.failures
    else:
        names, failures = [doc.id for doc in request.docs or ()], request.failures
    lines = bodies.error_lines(names, failures, error, endpoint)
    return Outcomes(b"".join(lines), len(lines), len(lines))
