"""Streams that are short: the whole body is here within 20 ms, and fits into one request.

Most are, and they have no need of a task that reads while another one writes: one request goes to
the Flow, and its outcomes are the answer. What is unusual goes the long way, by `jina.http.stream`.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import structs

from jina.client.exchange import Reply
from jina.client.outcomes import plain_lines
from jina.client.requests import Request
from jina.http.answers import Answered, told
from jina.http.asks import GONE
from jina.http.calls import CallTemplate
from jina.http.front import Front
from jina.http.private import shown_outcomes
from jina.http.stream import HEADERS, NAME
from jina.http.stream_query import StreamQuery, read_query
from jina.readers.stream_keys import random_key
from jina.records.jsonlines import line_ends
from jina.wire.maps import STOPPING, Welcome

MOST_BYTES = 128 * 1024
PREFIX = b"/stream"
_JSON_LINES = b"application/x-ndjson"
_BOM = b"\xef\xbb\xbf"
_MOST_URLS = 64  # that are remembered


class Short:
    """A stream that can be sent as one request.

    Args:
        request: to the Flow.
        endpoint: of the Executors.
        query: how it is sent.
        template: that the call of `request` was made from.
    """

    __slots__ = ("endpoint", "query", "request", "template")

    def __init__(
        self, request: Request, endpoint: str, query: StreamQuery, template: CallTemplate
    ) -> None:
        self.request = request
        self.endpoint = endpoint
        self.query = query
        self.template = template

    def answer(self, reply: Reply) -> Answered:
        """The outcomes of its lines."""
        lines = plain_lines(reply)
        if lines is not None:  # as for most
            return Answered(200, HEADERS, bytes(lines), _JSON_LINES)
        if reply.error is not None and reply.error.type in (GONE, STOPPING):
            return told(503, "unavailable", reply.error.message)
        lines = shown_outcomes(reply, self.endpoint, self.template.call).lines
        return Answered(200, HEADERS, bytes(lines), _JSON_LINES)


class _Known(NamedTuple):
    """What the URL of a stream says."""

    endpoint: str
    query: StreamQuery
    call: CallTemplate


class ShortStreams:
    """Tells short streams from others.

    Args:
        front: that gets them.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._welcome: Welcome | None = None
        self._known: dict[bytes, _Known] = {}

    def read(self, url: bytes, body: bytes) -> Short | None:
        """Read a stream; None if it goes the long way."""
        known = self._find(url)
        if known is None or not body or body.isspace() or body.startswith(_BOM):
            return None
        if not body.endswith(b"\n"):
            body += b"\n"
        rows = line_ends(body)
        if rows > known.query.request_size:
            return None
        request = known.call.request(body, rows, random_key())
        return Short(request, known.endpoint, known.query, known.call)

    def _find(self, url: bytes) -> _Known | None:
        hub = self._front.hub
        if not hub.is_up:
            return None
        if hub.welcome is not self._welcome:  # there may be other endpoints and nodes now
            self._welcome = hub.welcome
            self._known.clear()
        known = self._known.get(url)
        if known is None:
            known = self._read(url)
            if known is not None and len(self._known) < _MOST_URLS:
                self._known[url] = known
        return known

    def _read(self, url: bytes) -> _Known | None:
        path, _, text = url.partition(b"?")
        endpoint = path[len(PREFIX) :].decode("latin-1")
        if endpoint not in self._front.bound or self._welcome is None:
            return None
        query = read_query(text, self._welcome)
        if isinstance(query, Answered):
            return None
        call = structs.replace(query.call, source=NAME)
        return _Known(endpoint, query, CallTemplate.of(call, random_key()))
