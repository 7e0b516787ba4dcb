"""What goes back to whoever asked: an answer, or an error of the front itself as JSON."""

from __future__ import annotations

import msgspec


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
