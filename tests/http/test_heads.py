"""Heads that are known: the same bytes alone, and nothing that somebody could have slipped in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.http.heads import Heads, Known
from tests.http.fronts import FrontProcess
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import JSON, post, wire
from tests.polling import wait_until
from tests.shell import Shell

KNOWN = Known(b"/upper", b"POST", [], {}, "/upper")
HEAD = b"POST /upper HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nX: 1\r\n\r\n"
KEY = "the-first-key-of-ours"


def request(body: bytes, head: bytes = HEAD) -> bytes:
    return head % len(body) + body


@pytest.mark.parametrize("name", [b"Content-Length", b"content-length"])
def test_a_request_with_the_same_head_is_known_whatever_its_length(name: bytes) -> None:
    heads = Heads()
    head = HEAD.replace(b"Content-Length", name)
    assert heads.find(request(b"abc", head)) is None
    heads.remember(request(b"abc", head), KNOWN)
    assert heads.find(request(b"abc", head)) == (KNOWN, b"abc")
    assert heads.find(request(b"a longer one", head)) == (KNOWN, b"a longer one")
    heads.forget()
    assert heads.find(request(b"abc", head)) is None


@pytest.mark.parametrize(
    "data",
    [
        request(b"abc")[:-1],  # not whole
        request(b"abc") + b"G",  # and the next one
        request(b"abc").replace(b"localhost", b"Localhost"),
        request(b"abc").replace(b": 3", b":3"),
        request(b"abc").replace(b": 3", b": +3"),
        request(b"abc").replace(b": 3", b": 3 "),
        request(b"abc").replace(b": 3", b": 3\r\nContent-Length: 3"),
        request(b"abc").replace(b"Content-Length", b"CONTENT-LENGTH"),
        request(b"abc").replace(b"Content-Length: 3\r\n", b""),
        request(b"abc").replace(b"X: 1", b"X: 1\r\nY: 2"),
        b"\r\n" + request(b"abc"),
        b"\r\n\r\n" + request(b"abc"),
        b"",
    ],
)
def test_any_other_request_is_read(data: bytes) -> None:
    heads = Heads()
    heads.remember(request(b"abc"), KNOWN)
    assert heads.find(data) is None


def test_long_heads_are_not_kept_and_no_more_than_a_few() -> None:
    heads = Heads()
    long = HEAD.replace(b"X: 1", b"X: " + b"1" * 5000)
    heads.remember(request(b"abc", long), KNOWN)
    assert heads.find(request(b"abc", long)) is None
    for number in range(1000):
        heads.remember(request(b"abc", HEAD.replace(b"X: 1", b"X: %d" % number)), KNOWN)
    assert len(heads._known) <= 256


# --- with a front ---


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(KEY + "\n")
    return path


@pytest.fixture(scope="module")
def front(flow: Gated, keys: Path) -> Iterator[FrontProcess]:
    with flow.front(api_key_file=str(keys)) as found:
        wait_until(lambda: found.ask("GET", "/readyz").status == 200)
        yield found


def _asking(key: str) -> bytes:
    headers = f"Content-Type: application/json\r\nX-API-Key: {key}\r\n"
    return post("/upper", UPPER, headers)


def test_a_removed_key_is_not_known_any_more(front: FrontProcess, keys: Path) -> None:
    with wire(front.port) as one:
        for _ in range(3):
            one.send(_asking(KEY))
            assert one.answer().status == 200
        keys.write_text("another-key-of-ours\n")

        def status() -> int:
            one.send(_asking(KEY))
            return one.answer().status

        wait_until(lambda: status() == 401)
        assert status() == 401
        one.send(_asking("another-key-of-ours"))
        assert one.answer().status == 200
        keys.write_text(KEY + "\n")
        wait_until(lambda: status() == 200)


def test_nobody_can_make_a_head_known_that_would_be_refused(front: FrontProcess) -> None:
    """What ends one head looks like the whole of another: it is not what is remembered."""
    body = b'{"data":[{"text":"a"}]}'
    refused = (
        b"POST /upper HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body
    with wire(front.port) as one:
        one.send(b"POST /upper HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %b\r\nX: " % KEY.encode())
        one.send(refused.replace(b"Host: evil.example", b"Y: 1"))
        one.answer()
    for _ in range(2):
        with wire(front.port) as one:
            one.send(refused)
            assert one.answer().status == 403
            one.send(refused.replace(b"Host: evil.example", b"Y: 1"))
            assert one.answer().status == 400  # there is no Host


def test_each_request_counts_and_has_an_id_of_its_own(front: FrontProcess) -> None:
    with wire(front.port) as one:
        answers = []
        for _ in range(5):
            one.send(_asking(KEY))
            answers.append(one.answer())
        one.send(_asking(KEY) + _asking(KEY))  # in one go
        answers += [one.answer(), one.answer()]
    assert [answer.status for answer in answers] == [200] * 7
    assert len({answer.headers["x-request-id"] for answer in answers}) == 7
    assert len({answer.body for answer in answers}) == 7  # ids of the requests
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}


def test_a_known_head_finds_no_room_where_bodies_leave_none(flow: Gated) -> None:
    with (
        flow.front(max_waiting_bytes=3_000) as front,
        wire(front.port) as one,
        wire(front.port) as other,
    ):
        asking = post("/upper", {"data": [{"text": "a" * 200}]})
        one.send(asking)
        assert one.answer().status == 200
        other.send(post("/upper", {"data": [{"text": "a" * 2_950}]})[:-40])
        wait_until(lambda: _is_refused(front.port), what="the body is counted")
        one.send(asking)
        answer = one.answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")


def _is_refused(port: int) -> bool:
    """Whether the same body is refused behind a head that nobody has sent before."""
    name = f"X-Own: {os.urandom(8).hex()}\r\n"
    with wire(port) as fresh:
        fresh.send(post("/upper", {"data": [{"text": "a" * 200}]}, JSON + name))
        return fresh.answer().status == 503
