"""A web server on this machine, over TLS, whose files can be had in the ways of bad servers."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# Of localhost; made for these tests: valid until 2126, and of no use elsewhere.
_FILES = Path(__file__).parents[1] / "http" / "tls"
CERTIFICATE, KEY = _FILES / "localhost.crt", _FILES / "localhost.key"


class Server(ThreadingHTTPServer):
    """Serves `files` by name; the first part of a path says how, see `_Answer`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.mark = "1"
        self.asked: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, KEY)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def url(self, path: str) -> str:
        """The URL of a file, such as "ok/a.jsonl"."""
        return f"https://localhost:{self.server_port}/{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust it is no news."""


class _Answer(BaseHTTPRequestHandler):
    """GET /WAY/NAME.

    ok      as it should be
    whole   without ranges
    half    each answer ends in its middle
    stuck   without ranges, and each answer ends in its middle
    silent  its size is not told
    403     that status, or another one
    """

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        way, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        asked = self.headers.get("Range", "")
        self.server.asked.append(asked)
        data = self.server.files.get(name)
        self.close_connection = True
        if way.isdecimal() or data is None:
            self.send_response(int(way) if way.isdecimal() else 404)
            self.end_headers()
            return
        start = 0
        if asked and way not in ("whole", "stuck"):
            found = re.fullmatch(r"bytes=(\d+)-", asked)
            assert found
            start = int(found[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("ETag", f'"{self.server.mark}"')
        data = data[start:]
        if way != "silent":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if way in ("half", "stuck"):
            data = data[: -(-len(data) // 2)]
        with contextlib.suppress(OSError):  # it was only asked how long it is
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def served() -> Iterator[Server]:
    """A server while the block runs."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
