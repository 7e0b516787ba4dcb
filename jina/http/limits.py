"""What a request may be: how it is framed, how large it is, and how long its parts may take.

uvicorn has no deadline for a slow head or body. `jina.http.connection` carries out what is decided
here. Who may ask is the affair of `jina.http.access`.
"""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from jina.defaults import KIB
from jina.graph.http import HttpSettings
from jina.http.answers import Answered, told

MAX_HEAD_BYTES = 32 * KIB
SKIPPED_BYTES = 64 * KIB  # of a refused body that is read to its end, so that the connection lasts
HELD_BYTES = 64 * KIB  # of the next requests, read while one is under way
LINGER_S = 2.0  # that a client has to read why it is cut off while it still sends
LINGER_TLS_S = 0.5  # where it cannot be told that nothing more is written
SPARE_FILES = 64  # descriptors that connections leave to others

_LOOKS = 4  # at the connections, within the shortest time that one may take
_LOOK_S = 0.5  # at most between two
_ALSO_S = 0.5
_ONCE = frozenset(
    (
        *(b"authorization", b"content-length", b"content-type", b"expect", b"host", b"origin"),
        *(b"transfer-encoding", b"x-api-key"),
    )
)


def bad_framing(
    version: str, url: bytes, headers: Sequence[tuple[bytes, bytes]], found: Mapping[bytes, bytes]
) -> str:
    """What is wrong with how a head is made; "" for nothing.

    The parser has refused what is not HTTP: two lengths, a length and chunks, bare line feeds.

    Args:
        version: such as "1.1".
        url: as it was sent.
        headers: names in lower case.
        found: the same as a map.
    """
    if version not in {"1.0", "1.1"}:
        return "the version of HTTP must be 1.0 or 1.1"
    if not url.startswith(b"/"):
        return "the request must name a path, such as /search"
    if b"host" not in found and version == "1.1":
        return "the header Host is missing"
    if len(found) != len(headers):
        names = [name for name, _ in headers]
        for name in found:
            if name in _ONCE and names.count(name) > 1:
                return f"the header {name.decode().title()} is given twice"
    coding = found.get(b"transfer-encoding")
    if coding is not None and (coding.lower() != b"chunked" or version == "1.0"):
        return "the only Transfer-Encoding that is understood is chunked, with HTTP/1.1"
    return ""


_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)(|[/?].*)", re.IGNORECASE | re.DOTALL).fullmatch


def absolute(url: bytes) -> tuple[bytes, bytes]:
    """The name and the path of a target such as http://localhost/status; both empty for another."""
    found = _ABSOLUTE(url)
    if found is None:
        return b"", b""
    path = found[2]
    return found[1], path if path.startswith(b"/") else b"/" + path


def is_stream(path: bytes) -> bool:
    """Whether a path takes JSON lines without an end: the limits of whole requests do not hold."""
    return path.startswith(b"/stream/") or path.partition(b"?")[0] == b"/stream"


def bad_request(what: str) -> Answered:
    """Bytes that are not a request."""
    return told(400, "bad_request", what)


def slow(part: str, limit_s: float) -> Answered:
    """A part that has not come in time."""
    return told(408, "timeout", f"the {part} of the request did not come within {limit_s:g} s")


def large_body(limit: int) -> Answered:
    """A body that is too large."""
    return told(
        413,
        "too_large",
        f"the body is larger than {limit:,} bytes",
        "send fewer Documents at once, or JSON lines to /stream/ENDPOINT; `max_body` is the limit",
    )


def unfit_body(
    url: bytes, length: int, found: Mapping[bytes, bytes], settings: HttpSettings
) -> Answered | None:
    """The answer to a request whose body cannot be taken, which its head shows; None if it can.

    Args:
        url: of the request.
        length: of the body, in bytes; 0 if unknown.
        found: its headers.
        settings: of the front.
    """
    if is_stream(url):
        return None
    if length > settings.max_body:
        return large_body(settings.max_body)
    if found.get(b"content-encoding", b"identity") == b"identity":
        return None
    what = "the body is compressed, which is not understood"
    return told(415, "content_encoding", what, "send it as it is")


def large_head() -> Answered:
    """A head that is too large."""
    return told(431, "head_too_large", f"the head is larger than {MAX_HEAD_BYTES:,} bytes")


def large_framing() -> Answered:
    """What is around a body is too large."""
    what = f"what is around the body, as in trailers, is larger than {MAX_HEAD_BYTES:,} bytes"
    return told(431, "framing_too_large", what)


def full(what: str = "too many requests wait for their turn") -> Answered:
    """No room for one more."""
    return told(503, "full", what, "try again later")


def stopping() -> Answered:
    """The end is near."""
    return told(503, "stopping", "the server is stopping")


def internal() -> Answered:
    """A bug of ours."""
    return told(500, "internal", "something went wrong in the server; its log has more")


def max_connections(settings: HttpSettings) -> int:
    """How many connections may be open at once, after raising how many files may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return settings.max_connections
    return max(1, min(settings.max_connections, hard - SPARE_FILES))


class Limited(Protocol):
    """A connection, as `Deadlines` sees it."""

    def look(self, now: float) -> None:
        """End what is over its time."""

    def give_up(self) -> None:
        """End it, as the server ends."""


class Deadlines:
    """Looks at all connections again and again: one timer for all is cheaper than one for each.

    Args:
        settings: of the front.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self.connections: set[Limited] = set()
        shortest = min(settings.head_s, settings.body_s, settings.silence_s, settings.idle_s)
        self._interval_s = min(_LOOK_S, shortest / _LOOKS)
        self._timer: asyncio.TimerHandle | None = None

    def open(self, loop: asyncio.AbstractEventLoop, also: Callable[[], None]) -> None:
        """Begin to look.

        Args:
            loop: that the connections are on.
            also: called every now and then.
        """
        self._loop = loop
        self._also = also
        self._also_due = loop.time() + _ALSO_S
        self._timer = loop.call_later(self._interval_s, self._on_time)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _on_time(self) -> None:
        self._timer = self._loop.call_later(self._interval_s, self._on_time)
        now = self._loop.time()
        for connection in list(self.connections):
            connection.look(now)
        if now >= self._also_due:
            self._also_due = now + _ALSO_S
            self._also()
