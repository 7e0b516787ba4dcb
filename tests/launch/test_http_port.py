"""The port of HTTP: bound before anything starts, or told why not."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jina.excepts import FlowError
from jina.graph.http import HttpSettings
from jina.launch import http_port
from jina.launch.http_port import HttpPort, file_faults, owner_of


@contextlib.contextmanager
def bound(**settings: object) -> Iterator[HttpPort]:
    port = HttpPort(HttpSettings(**settings))  # type: ignore[arg-type]  # as a test gives them
    try:
        yield port
    finally:
        port.close()


def refusal(**settings: object) -> FlowError:
    with pytest.raises(FlowError) as caught, bound(**settings):
        pass
    return caught.value


def test_a_free_port_is_found_and_accepts() -> None:
    with bound() as port:
        assert port.port > 0
        assert port.url == f"http://127.0.0.1:{port.port}"
        with socket.create_connection(("127.0.0.1", port.port)):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port.port))


def test_a_queue_that_is_closed_takes_no_more_than_one() -> None:
    with bound(host="localhost") as port:
        port.close_queue()
        for each in port.sockets:
            facts = each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
            assert int.from_bytes(facts[28:32], sys.byteorder) == 0  # how many may wait behind it


def test_localhost_is_every_address_of_that_name() -> None:
    with bound(host="localhost") as port:
        names = {each.getsockname()[:2] for each in port.sockets}
        assert ("127.0.0.1", port.port) in names
        assert {number for _, number in names} == {port.port}


def test_what_a_browser_is_told() -> None:
    assert HttpSettings(host="::1").url(5) == "http://[::1]:5"
    assert HttpSettings(ssl_certfile="c.pem").url(443) == "https://127.0.0.1:443"
    assert HttpSettings(hosts=["foo", "bar"]).url(5) == "http://foo:5"
    assert HttpSettings(host="::1", hosts=["foo", "[::1]"]).url(5) == "http://[::1]:5"


def test_a_taken_port_names_the_process_that_has_it() -> None:
    with bound() as port:
        error = refusal(port=port.port, place="flow.yml:3:4")
        assert error.what.startswith(f"port {port.port} is taken by process {os.getpid()} (")
        assert "python" in error.what
        assert error.where == "flow.yml:3:4"
        assert error.hint == "choose another one, or 0 for any free one"
    assert owner_of(port.port) == ("", "")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("no.such.host.invalid", "cannot serve HTTP at 'no.such.host.invalid': "),
        ("192.0.2.7", "cannot serve HTTP at 192.0.2.7:0: "),
        ("." * 300, "cannot serve HTTP at "),
    ],
)
def test_a_host_that_cannot_be_had(host: str, words: str) -> None:
    error = refusal(host=host)
    assert error.what.startswith(words)
    assert "127.0.0.1" in error.hint


def test_missing_packages_are_told_before_anything_is_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_port, "EXTRA", ("uvicorn", "no_such_package"))
    error = refusal(place="flow.yml:2:8")
    assert str(error) == (
        "flow.yml:2:8: serving HTTP needs packages that are not installed: no_such_package\n"
        "help: pip install 'jinacli[http]'"
    )


def test_files_that_cannot_be_what_they_are_said_to_be(tmp_path: Path) -> None:
    def file(name: str, text: str, mode: int = 0o600) -> str:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(mode)
        return str(tmp_path / name)

    pem = file("cert.pem", "-----BEGIN CERTIFICATE-----\n", 0o644)
    keys = file("keys", "# mine\na-secret-of-32-characters-0123456\n")
    assert list(file_faults(HttpSettings(ssl_certfile=pem, api_key_file=keys))) == []
    assert refusal(ssl_certfile="/none").what == "cannot be read: No such file or directory"
    assert refusal(ssl_certfile=keys).what == "this is not PEM"
    assert refusal(ssl_keyfile=pem).what == "a private key needs `ssl_certfile` too"
    assert refusal(api_key_file=file("empty", "\n# none\n")).what == "there is no key in this file"
    short = refusal(api_key_file=file("short", "secret\n"))
    assert short.what == "an API key in this file has fewer than 16 characters"
    assert (short.hint or "").startswith("make one with `openssl rand -hex 32` or ")
    others = HttpSettings(api_key_file=file("open", "a-secret-of-32-characters-0123456\n", 0o640))
    ((key, path, fault),) = file_faults(others)
    assert (key, path) == ("api_key_file", str(tmp_path / "open"))
    assert fault == f"others can read this file; `chmod 600 {path}`"
    with bound(api_key_file=path):  # that is a warning, told elsewhere
        pass
