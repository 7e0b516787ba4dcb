"""What serves the documentation page, /flow.json and /openapi.json.

Plain functions from a request's head to what is sent; the routes are in `docs_routes`. The page's
files need no API key: the page asks for one and sends it with what it reads.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from jina.http.description import FlowPage
from jina.http.openapi import openapi

_FOLDER = Path(__file__).parent / "page"
_INDEX = "index.html"
_SCRIPT = "text/javascript; charset=utf-8"
_TYPES = {  # of what is under /docs/
    _INDEX: "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    **dict.fromkeys(("page.js", "answers.js", "dom.js", "elsewhere.js", "graph.js"), _SCRIPT),
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
    "referrer-policy": "no-referrer",
}


class Found(NamedTuple):
    """What is sent back.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: empty with 304.
    """

    status: int
    headers: dict[str, str]
    body: bytes


Made = Callable[[FlowPage, str, str], Found]


def page_file(name: str, if_none_match: str = "", accept_encoding: str = "") -> Found | None:
    """One of the page's files.

    Args:
        name: what follows /docs/; "" is the page itself.
        if_none_match: the request's header of that name.
        accept_encoding: likewise; files are sent compressed to those who take that.

    Returns:
        None if the page has no such file.
    """
    kind = _TYPES.get(name or _INDEX)
    if kind is None:
        return None
    return _sent(
        {**_SAFE, "content-type": kind}, _read(name or _INDEX), if_none_match, accept_encoding
    )


def flow_json(page: FlowPage, if_none_match: str = "", accept_encoding: str = "") -> Found:
    """/flow.json; it changes when workers become ready, so it is asked for each time."""
    return _json(msgspec.json.encode(page), if_none_match, accept_encoding)


def openapi_json(page: FlowPage, if_none_match: str = "", accept_encoding: str = "") -> Found:
    """/openapi.json."""
    return _json(msgspec.json.encode(openapi(page)), if_none_match, accept_encoding)


def key_json(is_needed: bool, if_none_match: str = "", accept_encoding: str = "") -> Found:
    """/docs/key.json: whether requests need an API key, for a page that has none yet."""
    return _json(msgspec.json.encode({"needed": is_needed}), if_none_match, accept_encoding)


def wants_page(accept: str) -> bool:
    """Whether a GET of / comes from a browser, by its header Accept."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return "text/html" in kinds


def _json(body: bytes, if_none_match: str, accept_encoding: str) -> Found:
    headers = {
        "content-type": "application/json",
        "referrer-policy": "no-referrer",
    }
    return _sent(headers, body, if_none_match, accept_encoding)


def _sent(headers: dict[str, str], body: bytes, if_none_match: str, accept_encoding: str) -> Found:
    """With an ETag, which a browser sends back: it asks each time, and mostly gets no body."""
    etag = f'W/"{sha256(body).hexdigest()[:20]}"'
    headers = {**headers, "etag": etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if etag in [tag.strip() for tag in if_none_match.split(",")] or if_none_match == "*":
        return Found(304, headers, b"")
    if "gzip" in [kind.strip().lower() for kind in accept_encoding.split(",")]:
        return Found(200, {**headers, "content-encoding": "gzip"}, _compressed(body))
    return Found(200, headers, body)


@lru_cache(16)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
