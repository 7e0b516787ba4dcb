"""How a request may be framed, and where it ends within the bytes of a connection."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.graph.http import HttpSettings
from jina.http.bounds import Bounds
from jina.http.limits import bad_framing, is_stream, max_connections

HOST = (b"host", b"localhost")


@pytest.mark.parametrize(
    ("version", "url", "headers", "wrong"),
    [
        ("1.1", b"/", [HOST], ""),
        ("1.0", b"/", [], ""),
        ("1.1", b"/", [HOST, (b"accept", b"a"), (b"accept", b"b")], ""),
        ("1.1", b"/", [HOST, (b"transfer-encoding", b"Chunked")], ""),
        ("1.1", b"/", [], "the header Host is missing"),
        ("1.1", b"/", [HOST, HOST], "the header Host is given twice"),
        (
            "1.1",
            b"/",
            [HOST, (b"content-type", b"a"), (b"content-type", b"b")],
            "the header Content-Type is given twice",
        ),
        ("2.0", b"/", [HOST], "the version of HTTP must be 1.0 or 1.1"),
        ("0.9", b"/", [], "the version of HTTP must be 1.0 or 1.1"),
        ("1.1", b"http://a/", [HOST], "the request must name a path, such as /search"),
        ("1.1", b"*", [HOST], "the request must name a path, such as /search"),
        (
            "1.1",
            b"/",
            [HOST, (b"transfer-encoding", b"gzip, chunked")],
            "the only Transfer-Encoding that is understood is chunked, with HTTP/1.1",
        ),
        (
            "1.0",
            b"/",
            [HOST, (b"transfer-encoding", b"chunked")],
            "the only Transfer-Encoding that is understood is chunked, with HTTP/1.1",
        ),
    ],
)
def test_framing(version: str, url: bytes, headers: list[tuple[bytes, bytes]], wrong: str) -> None:
    assert bad_framing(version, url, headers, dict(headers)) == wrong


def test_what_is_a_stream() -> None:
    assert is_stream(b"/stream/index?request_size=1")
    assert is_stream(b"/stream")
    assert not is_stream(b"/streams/index")
    assert not is_stream(b"/index?a=/stream/")


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"


@given(st.lists(st.integers(1, 12), min_size=1), st.integers(0, 9))
def test_pieces_end_where_a_head_ends_however_it_comes(sizes: list[int], more: int) -> None:
    data = (HEAD + b"x" * more) * 2
    bounds = Bounds()
    ends, at = [], 0
    while at < len(data):
        end = at + bounds.end_in(data[at : at + sizes[len(ends) % len(sizes)]])
        assert end > at
        ends.append(end)
        at = end
    assert {len(HEAD), 2 * len(HEAD) + more} <= set(ends)


def test_a_body_of_known_length_ends_where_it_says() -> None:
    bounds = Bounds()
    bounds.left = 5
    assert bounds.end_in(b"\r\n\r") == 3
    assert bounds.end_in(b"\nxGET") == 2
    assert bounds.end_in(b"GET / HTTP/1.1\r\n\r\nmore") == 18


def test_connections_leave_descriptors_for_others() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert max_connections(HttpSettings(max_connections=7)) == 7
    assert max_connections(HttpSettings(max_connections=10**9)) < hard
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
