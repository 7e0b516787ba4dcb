"""Inputs at https:// URLs, from a real server over TLS."""

from __future__ import annotations

import gzip
import io
import socket
import urllib.request
from collections.abc import Iterator

import numpy as np
import pytest

from jina.client.resume import identity_of
from jina.excepts import InputError
from jina.readers import LineSource, ReadOptions, open_inputs, web
from jina.readers.inputs import find_inputs
from jina.readers.ranges import parts_of, whole_files
from tests.readers.pages import CERTIFICATE, Server, served

LINES = [b'{"n": %d, "text": "%s"}\n' % (number, b"x" * 90) for number in range(20_000)]
DATA = b"".join(LINES)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr(urllib.request, "_opener", None)  # it may have read others
    monkeypatch.setattr(web, "_WAIT_S", 0.001)
    with served() as found:
        found.files = {"a.jsonl": DATA}
        yield found


def read(source: LineSource, data: list[bytes] | None = None) -> bytes:
    data = [] if data is None else data
    with source:
        while (chunk := source.next_chunk(max_lines=5000, max_bytes=1 << 20)) is not None:
            data.append(chunk.data)  # type: ignore[union-attr]
    return b"".join(data)


@pytest.mark.parametrize("way", ["ok", "whole", "half"])
def test_a_page_is_read_however_it_is_served(server: Server, way: str) -> None:
    source = open_inputs([server.url(f"{way}/a.jsonl")])
    assert source.total_bytes == len(DATA)
    assert read(source) == DATA


@pytest.mark.parametrize("way", ["ok", "whole", "half"])
def test_its_parts_are_read_on_their_own(server: Server, way: str) -> None:
    files = whole_files([server.url(f"{way}/a.jsonl")], ReadOptions())
    parts = list(parts_of(files, 300_000))
    assert len(parts) > 5
    server.asked.clear()
    read_parts = [read(LineSource([one.as_input() for one in part])) for part in parts]
    assert b"".join(read_parts) == DATA
    assert f"bytes={parts[1][0].start}-" in server.asked
    again = list(parts_of(files, 300_000, after=parts[2][-1]))
    assert again == parts[3:]


def test_what_breaks_off_again_and_again_is_told_after_what_was_read(server: Server) -> None:
    data: list[bytes] = []
    with pytest.raises(InputError, match=r"stuck/a\.jsonl: broke off after [\d,]+ of [\d,]+ bytes"):
        read(open_inputs([server.url("stuck/a.jsonl")]), data)
    data_read = b"".join(data)
    assert data_read == DATA[: len(data_read)]
    assert len(DATA) / 2 - len(data_read) < len(LINES[-1])


def test_other_formats_are_copied_first(server: Server) -> None:
    array = io.BytesIO()
    np.save(array, np.arange(6.0).reshape(3, 2))
    page = b"<p>hi</p>"
    server.files |= {"b.npy": array.getvalue(), "c.jsonl.gz": gzip.compress(DATA), "d.html": page}
    with open_inputs([server.url("half/b.npy?x=1#y")]) as source:
        rows = source.next_chunk(max_lines=9, max_bytes=1 << 20)
        assert [doc.blob.tolist() for doc in rows.docs] == [[0, 1], [2, 3], [4, 5]]  # type: ignore[union-attr]
    assert read(open_inputs([server.url("ok/c.jsonl.gz")])) == DATA
    with open_inputs([server.url("ok/d.html")]) as source:
        (doc,) = source.next_chunk(max_lines=9, max_bytes=1 << 20).docs  # type: ignore[union-attr]
        assert (doc.uri, doc.text) == (server.url("ok/d.html"), "<p>hi</p>")


def test_ids_are_those_of_every_run_until_the_page_changes(server: Server) -> None:
    urls = [server.url("ok/a.jsonl")] * 2
    first, second = (one.key for one in find_inputs(urls))
    assert first != second
    assert [one.key for one in find_inputs(urls)] == [first, second]
    about = identity_of(urls, ReadOptions())
    assert about == identity_of(urls, ReadOptions())
    source, other = open_inputs(urls), find_inputs(urls)
    server.mark = "2"
    with pytest.raises(InputError, match=r"a\.jsonl: it has changed since this post began"):
        read(source)
    assert other[0].key != find_inputs(urls)[0].key
    assert about != identity_of(urls, ReadOptions())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("ok/none.jsonl", "no such file"),
        ("ok/*.jsonl", "no such file\nhelp: what lies at https:// cannot be listed"),
        ("403/a.jsonl", "the server answers 403 Forbidden\nhelp: with credentials: curl"),
        ("500/a.jsonl", "the server answers 500 Internal Server Error"),
        ("silent/a.jsonl", "its size is not known\nhelp: curl -sSL https://"),
    ],
)
def test_what_a_server_refuses(server: Server, path: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        find_inputs([server.url(path)])
    assert f"{path}: {message}" in str(caught.value)


def test_a_certificate_that_is_not_trusted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(InputError, match=r"server is not trusted: .*\nhelp: SSL"):
        find_inputs([server.url("ok/a.jsonl")])


def test_addresses_that_are_wrong() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url, message in (
        (f"https://127.0.0.1:{port}/a.jsonl", "cannot be read: Connection refused"),
        ("https:///a.jsonl", "cannot be read: no host given"),
        ("https://me:secret@localhost/a.jsonl", "a URL with a user and a password is not read"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            find_inputs([url])
        assert "secret" not in str(caught.value)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TIMEOUT_S", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(InputError, match=r"no answer within 0\.05 s"),
    ):
        find_inputs([f"http://127.0.0.1:{mute.getsockname()[1]}/a.jsonl"])
