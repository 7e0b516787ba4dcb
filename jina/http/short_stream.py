"""Streams that are short: the whole body is here within 20 ms, and fits into one request.

Most are, and they have no need of a task that reads while another one writes: one request goes to
the Flow, and its outcomes are the answer. What is unusual goes the long way, by `jina.http.stream`.
"""

from __future__ import annotations

from msgspec import structs

from jina.client.exchange import Reply
from jina.client.requests import Request
from jina.http.answers import Answered, told
from jina.http.asks import GONE
from jina.http.front import Front
from jina.http.private import shown_outcomes
from jina.http.stream import HEADERS, NAME
from jina.http.stream_query import StreamQuery, read_query
from jina.readers import Chunk
from jina.readers.stream_keys import random_key
from jina.records.jsonlines import line_ends
from jina.wire.maps import DOCS, LINES, STOPPING, Call, Part, Welcome, pack_map

MOST_BYTES = 128 * 1024
PREFIX = b"/stream"
_JSON_LINES = b"application/x-ndjson"
_BOM = b"\xef\xbb\xbf"
_MOST_QUERIES = 64  # that are remembered


class Short:
    """A stream that can be sent as one request.

    Args:
        request: to the Flow.
        endpoint: of the Executors.
        query: how it is sent.
        call: what `request` carries, decoded.
    """

    __slots__ = ("call", "endpoint", "query", "request")

    def __init__(self, request: Request, endpoint: str, query: StreamQuery, call: Call) -> None:
        self.request = request
        self.endpoint = endpoint
        self.query = query
        self.call = call

    def answer(self, reply: Reply) -> Answered:
        """The outcomes of its lines."""
        if reply.error is not None and reply.error.type in (GONE, STOPPING):
            return told(503, "unavailable", reply.error.message)
        lines = shown_outcomes(reply, self.endpoint, self.call).lines
        return Answered(200, HEADERS, bytes(lines), _JSON_LINES)


class ShortStreams:
    """Tells short streams from others.

    Args:
        front: that gets them.
    """

    def __init__(self, front: Front) -> None:
        self._front = front
        self._welcome: Welcome | None = None
        self._queries: dict[bytes, StreamQuery] = {}

    def read(self, url: bytes, body: bytes) -> Short | None:
        """Read a stream; None if it goes the long way."""
        path, _, query_text = url.partition(b"?")
        endpoint = path[len(PREFIX) :].decode("latin-1")
        if endpoint not in self._front.bound or not self._front.hub.is_up:
            return None
        query = self._query(query_text)
        if query is None or not body or body.isspace() or body.startswith(_BOM):
            return None
        if not body.endswith(b"\n"):
            body += b"\n"
        rows = line_ends(body)
        if rows > query.request_size:
            return None
        call = structs.replace(query.call, source=NAME, key=random_key())
        chunk = Chunk([body], rows, 1, NAME, call.key)
        part = Part(LINES, DOCS, 1, rows)
        request = Request([part], [body], rows, 1, pack_map(call), chunk)
        return Short(request, endpoint, query, call)

    def _query(self, text: bytes) -> StreamQuery | None:
        welcome = self._front.hub.welcome
        if welcome is not self._welcome:  # targets are names of nodes that there may not be now
            self._welcome = welcome
            self._queries.clear()
        query = self._queries.get(text)
        if query is None and welcome is not None:
            read = read_query(text, welcome)
            if isinstance(read, Answered):
                return None
            query = read
            if len(self._queries) < _MOST_QUERIES:
                self._queries[text] = query
        return query
