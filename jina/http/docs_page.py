"""What serves the documentation page, /flow.json and /openapi.json.

Plain functions from a request's head to a response; the routes are in `app`. The page's files need
no API key: the page asks for one and sends it with what it reads.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from jina.http.description import FlowPage
from jina.http.openapi import openapi

_FOLDER = Path(__file__).parent / "page"
_INDEX = "index.html"
# Under /docs/, by name.
_TYPES = {
    _INDEX: "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SAFE = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Response(NamedTuple):
    """What is sent back.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: empty with 304.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def page_file(name: str, if_none_match: str = "") -> Response | None:
    """One of the page's files.

    Args:
        name: what follows /docs/; "" is the page itself.
        if_none_match: the request's header of that name.

    Returns:
        None if the page has no such file.
    """
    kind = _TYPES.get(name or _INDEX)
    if kind is None:
        return None
    body, etag = _read(name or _INDEX)
    return _cached({**_SAFE, "content-type": kind}, body, etag, if_none_match)


def flow_json(page: FlowPage, if_none_match: str = "") -> Response:
    """/flow.json; it changes when workers become ready, so it is asked for each time."""
    return _json(msgspec.json.encode(page), if_none_match)


def openapi_json(page: FlowPage, if_none_match: str = "") -> Response:
    """/openapi.json."""
    return _json(msgspec.json.encode(openapi(page)), if_none_match)


def wants_page(accept: str) -> bool:
    """Whether a GET of / comes from a browser, by its header Accept."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return "text/html" in kinds


def _json(body: bytes, if_none_match: str) -> Response:
    headers = {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    return _cached(headers, body, _etag(body), if_none_match)


def _cached(headers: dict[str, str], body: bytes, etag: str, if_none_match: str) -> Response:
    """With an ETag, which a browser sends back: it asks each time, and mostly gets no body."""
    headers = {**headers, "etag": etag, "cache-control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    if etag in known or "*" in known:
        return Response(304, headers, b"")
    return Response(200, headers, body)


@cache
def _read(name: str) -> tuple[bytes, str]:
    body = (_FOLDER / name).read_bytes()
    return body, _etag(body)


def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:20]}"'
