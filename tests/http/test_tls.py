"""HTTPS: certificates and keys in files."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import JSON, chunked, head, post, wire
from tests.polling import wait_until
from tests.shell import Shell

# Of localhost; made for these tests: valid until 2126, and of no use elsewhere.
FILES = Path(__file__).parent / "tls"
CERTIFICATE, KEY = FILES / "localhost.crt", FILES / "localhost.key"


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


@pytest.fixture(scope="module")
def front(flow: Gated, context: ssl.SSLContext) -> Iterator[FrontProcess]:
    with flow.front(ssl_certfile=str(CERTIFICATE), ssl_keyfile=str(KEY), head_s=1) as found:

        def is_ready() -> bool:
            with contextlib.suppress(OSError), wire(found.port, context) as client:
                client.send(post("/upper", UPPER))
                return client.answer().status == 200
            return False

        wait_until(is_ready, PATIENCE_S)
        yield found


def test_requests_of_either_way_over_tls(front: FrontProcess, context: ssl.SSLContext) -> None:
    with wire(front.port, context) as client:
        large = {"data": [{"text": "x" * 3_000_000}]}
        put = post("/upper", UPPER).replace(b"POST", b"PUT", 1)
        client.send(post("/upper", large))
        assert len(client.answer().json()["data"]["docs"][0]["text"]) == 3_000_000
        client.send(b"".join([post("/upper", UPPER), put, chunked("/upper", UPPER)]))
        for _ in range(3):
            assert client.answer().json()["data"]["docs"][0]["text"] == "A"


def test_errors_over_tls(front: FrontProcess, context: ssl.SSLContext) -> None:
    for request_, status in (
        (head(headers="A: " + "b" * 40_000 + "\r\n"), 431),
        (head("POST", "/upper", f"{JSON}Content-Length: {1 << 40}\r\n"), 413),
        ("GET /livez HTTP/1.1\r\n\r\n", 400),
        ("GET /", 408),
    ):
        with wire(front.port, context) as client:
            client.send(request_)
            answer = client.answer()
            assert (answer.status, answer.headers["connection"]) == (status, "close")
            assert status != 408 or client.is_closed()


def test_a_page_over_tls_may_use_its_own_front(
    front: FrontProcess, context: ssl.SSLContext
) -> None:
    with wire(front.port, context) as client:
        client.send(head(headers="Origin: https://localhost\r\n"))
        assert client.answer().status == 200


def test_who_hangs_up_over_tls_cancels(
    flow: Gated, front: FrontProcess, context: ssl.SSLContext
) -> None:
    gate = flow.gate("tls")
    with wire(front.port, context) as one, wire(front.port, context) as two:
        for client in (one, two):
            client.send(post("/gate", gate.body()))
        wait_until(lambda: flow.held() == 2)
    wait_until(lambda: flow.held() <= 1)
    gate.open()
    flow.is_idle()


def test_a_slow_handshake_is_cut_off(front: FrontProcess) -> None:
    for part in (b"", b"\x16\x03\x01"):
        with wire(front.port) as client:
            client.send(part)
            assert client.is_closed()


def test_plain_http_to_a_port_for_tls_is_closed(front: FrontProcess) -> None:
    with wire(front.port) as client:
        client.send(head())
        assert client.answer().status == 0
    with wire(front.port, ssl.create_default_context(cafile=str(CERTIFICATE))) as client:
        client.send(head())
        assert client.answer().status == 200


@pytest.mark.parametrize(
    ("certificate", "key", "named"),
    [
        ("missing.crt", "", "missing.crt"),
        (str(KEY), "", str(KEY)),
        (str(CERTIFICATE), __file__, f"{CERTIFICATE}, {__file__}"),
    ],
)
def test_files_that_cannot_be_used(certificate: str, key: str, named: str) -> None:
    with front_beside("ipc:///tmp/none", ssl_certfile=certificate, ssl_keyfile=key) as front:
        assert front.process.wait(PATIENCE_S) == 2
        assert front.said().startswith(f"{named}: the files for TLS cannot be used: ")
        assert front.said().endswith(
            "\nhelp: `ssl_certfile` and `ssl_keyfile` are in PEM, and belong together\n"
        )
