"""What goes back to whoever asked: an answer, or an error of the front itself as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE


class Answered(msgspec.Struct, frozen=True):
    """What goes back.

    Attributes:
        status: of HTTP.
        headers: beside those that every answer has.
        body: whole.
        content_type: of the body.
    """

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    content_type: bytes = b"application/json"


RETRY_S = b"1"
"""In Retry-After, of what is over soon."""


def told(status: int, kind: str, message: str, hint: str = "") -> Answered:
    """An error as an answer.

    Args:
        status: of HTTP; 503 also says when to try again.
        kind: a short name for programs, such as "not_ready".
        message: one sentence for people.
        hint: what to do, if anything.
    """
    error = {"type": kind, "message": message, **({"hint": hint} if hint else {})}
    headers = [(b"retry-after", RETRY_S)] if status == 503 else []
    return Answered(status, headers, msgspec.json.encode({"error": error}))


def head_of(
    answered: Answered,
    headers: Sequence[tuple[bytes, bytes]],
    request_id: bytes,
    keep_alive: bool,
) -> bytes:
    """The head of an answer.

    Args:
        answered: the answer.
        headers: beside its own.
        request_id: of the request.
        keep_alive: the connection stays open.
    """
    begin = _begin(answered.status, tuple(headers), answered.content_type, keep_alive)
    more = [b"%b: %b\r\n" % header for header in answered.headers]
    length = b"\r\ncontent-length: %d\r\n\r\n" % len(answered.body)
    return b"".join((begin, *more, b"x-request-id: ", request_id, length))


@lru_cache(maxsize=64)
def _begin(
    status: int, headers: tuple[tuple[bytes, bytes], ...], content_type: bytes, keep_alive: bool
) -> bytes:
    """What answers have in common; the date among it, so this holds for a second."""
    lines = [b"%b: %b\r\n" % header for header in (*headers, (b"content-type", content_type))]
    if not keep_alive:
        lines.append(b"connection: close\r\n")
    return STATUS_LINE[status] + b"".join(lines)
