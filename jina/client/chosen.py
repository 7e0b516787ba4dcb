"""Take some of a request's lines or Documents, by the ids of their outcomes.

Lines that are left out become blank ones, which have no outcome. So the others keep their numbers,
and a line without an id has the same one as before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

import msgspec

from jina.client.requests import Request, call_of
from jina.readers import Chunk
from jina.types.arrays.document import DocumentArray
from jina.types.codec import parse_lines
from jina.wire.body import concatenated, read_body, write_body
from jina.wire.maps import DOCS, LINES, Call, LineFailures, Part, pack_map


def ids_of(request: Request) -> Counter[str]:
    """How often each id stands in a request, among what can be read."""
    if request.chunk is not None:
        return Counter(id_ for _, id_ in _rows(request.chunk, readable=True))
    return Counter(doc.id for doc in request.docs or ())


def chosen(request: Request, ids: Container[str], call: Call) -> Request | None:
    """The part of a request that has one of these ids; None where nothing has.

    Args:
        request: of lines or Documents.
        ids: of their outcomes.
        call: of the post.
    """
    if request.chunk is not None:
        return _chosen_lines(request, request.chunk, ids, call)
    return _chosen_docs(request, ids)


def _chosen_lines(
    request: Request, chunk: Chunk, ids: Container[str], call: Call
) -> Request | None:
    rows = {row for row, id_ in _rows(chunk) if id_ in ids}
    if not rows:
        return None
    lines = chunk.data.split(b"\n")
    data = b"\n".join(line if row in rows else b"" for row, line in enumerate(lines))
    oversize = tuple(each for each in chunk.oversize if each[0] in rows)
    some = chunk._replace(pieces=[data], oversize=oversize)
    parts = [Part(LINES, DOCS, 1, request.parts[0].rows)]
    packed = pack_map(call_of(call, some)) if chunk.oversize else request.call
    return msgspec.structs.replace(request, parts=parts, frames=[data], call=packed, chunk=some)


def _rows(chunk: Chunk, *, readable: bool = False) -> list[tuple[int, str]]:
    """Row and id of each outcome, or of those alone that can be read."""
    parsed = parse_lines(chunk.data, key=chunk.key, first_line=chunk.first_line)
    wrong = {error.row: error.id or f"{chunk.key}-{error.line}" for error in parsed.errors}
    wrong |= {row: f"{chunk.key}-{line}" for row, line, _ in chunk.oversize}
    lines = enumerate(chunk.data.split(b"\n"))
    filled = (row for row, line in lines if row not in wrong and line.strip())
    found = list(zip(filled, (doc.id for doc in parsed.docs), strict=True))
    return found if readable else found + list(wrong.items())


def _chosen_docs(request: Request, ids: Container[str]) -> Request | None:
    body = read_body(request.parts, request.frames, 1, Call(), request.base)
    docs = concatenated(body.docs)
    truths = concatenated(body.groundtruths) if body.groundtruths else None
    failed = body.failures.failures if body.failures else []
    places = {failure.place for failure in failed}
    free = (place for place in range(len(docs) + len(failed)) if place not in places)
    kept = [(place, row) for row, place in enumerate(free) if docs[row].id in ids]
    wrong = [failure for failure in failed if failure.id in ids]
    if not kept and not wrong:
        return None
    order = sorted([place for place, _ in kept] + [failure.place for failure in wrong])
    moved = [msgspec.structs.replace(each, place=order.index(each.place)) for each in wrong]
    failures = LineFailures(len(order), moved) if moved else None
    some = DocumentArray([docs[row] for _, row in kept])
    if truths is not None:
        is_paired = len(truths) == len(docs)
        truths = DocumentArray([truths[row] for _, row in kept]) if is_paired else truths
    parts, frames = write_body(some, truths, failures)
    return msgspec.structs.replace(
        request, parts=parts, frames=frames, docs=some, failures=failures
    )
