"""Write the JSON lines that no worker has written: of unserved endpoints and failed requests.

Loaded late: a post whose lines a worker wrote needs nothing that knows Documents.
"""

from __future__ import annotations

from jina.client.exchange import Reply
from jina.client.requests import call_of
from jina.records.selection import selection_of
from jina.transport.sockets import payload
from jina.types.arrays.document import DocumentArray
from jina.wire.body import (
    concatenated,
    error_lines,
    read_body,
    read_lines,
    uri_of,
    write_lines,
)
from jina.wire.maps import Call, ErrorInfo


def lines_of(reply: Reply, endpoint: str, call: Call) -> tuple[bytes | memoryview, int, int]:
    """The lines of the Documents of a reply, how many there are, and how many are errors."""
    request = reply.request
    own = call_of(call, request.chunk) if request.chunk is not None else call
    body = read_body(reply.parts, reply.frames, 1, own, request.base, payload)
    docs, selection = concatenated(body.docs), selection_of(call.select, call.exclude)
    parts, frames = write_lines(docs, body.failures, endpoint, call, selection)
    lines = frames[0] if len(frames) == 1 else b"".join(frames)
    return lines, sum(part.rows for part in parts), sum(part.failed for part in parts)


def lines_of_failed(
    reply: Reply, endpoint: str, error: ErrorInfo, call: Call
) -> tuple[bytes, int, int]:
    """One error for each line of a failed request; a line that could not be read keeps its own."""
    request = reply.request
    if request.chunk is not None:
        read = read_lines(request.chunk.data, call_of(call, request.chunk), request.base)
        docs = read.docs[0]
        failures = read.failures
    else:
        docs = request.docs if request.docs is not None else DocumentArray()
        failures = request.failures
    named = [(doc.id, uri_of(doc)) for doc in docs]
    lines = error_lines(named, failures, error, endpoint)
    return b"".join(lines), len(lines), len(lines)
