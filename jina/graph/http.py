"""How a Flow is reached over HTTP: what its YAML or the command line says, and what one front gets.

Plain data. A front is a process that speaks HTTP to others and is a client of the Flow itself; its
code is in `jina.http`, which nothing below it imports.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jina.defaults import MAX_REQUEST_DOCS, MIB

MAX_WAITING = 1_000  # requests that wait in a front for their turn
MAX_CONNECTIONS = 20_000
MAX_BODY_BYTES = 64 * MIB
MAX_WAITING_BYTES = 256 * MIB
TIMEOUT_S = 60.0  # until a request has its answer
MIN_KEY_CHARS = 16  # of an API key
SERVES, MET = b".", b"+"  # what a front tells of itself: it serves; it knows what the Flow serves
HEAD_S = 10.0
BODY_S = 60.0
SILENCE_S = 60.0
IDLE_S = 75.0
NEW_KEY = (
    "make one with `openssl rand -hex 32` or "
    "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
)
WAYS_OUT = (
    "set `api_key_file` in `http` (or --api-key-file) so that they need a key, or "
    "`insecure_no_auth: true` (--insecure-no-auth) if anyone may"
)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the fronts of one Flow.

    Attributes:
        host: address to listen on.
        port: 0 lets the system choose one.
        workers: how many processes share the port.
        api: which release's answers those get who do not tell theirs: 2 or 3.
        title: of the documentation page; "" is the Flow's name.
        description: of the documentation page.
        cors: whether pages of other sites may read the answers.
        no_crud_endpoints: take /index, /search, /update and /delete away.
        no_debug_endpoints: take /post, /status and /dry_run away.
        expose_endpoints: endpoint of Executors -> how it is shown: `path`, `methods`, `summary`, …
        ssl_certfile: certificates in PEM; "" for no TLS.
        ssl_keyfile: their private key.
        api_key_file: one key in each line; "" asks for none.
        insecure_no_auth: others may connect without a key.
        hosts: names in the header Host that are accepted; empty for what suits the address.
        docs: whether there is a documentation page.
        root_path: under which path a proxy shows the front.
        max_body: bytes of a request.
        max_docs: Documents of a request.
        max_waiting: requests that wait for their turn.
        max_waiting_bytes: of these together.
        max_connections: open at once.
        timeout: seconds within which an answer comes.
        coalesce_ms: how long a small request may wait for others to share a call; 0 for never.
        access_log: a line for each request.
        log_format: "text" or "json".
        head_s: seconds within which the head of a request comes.
        body_s: seconds within which its body comes.
        silence_s: that a stream, or a client that does not read, may be silent.
        idle_s: seconds that a connection stays open between requests.
        place: where a YAML asks for the port, as file:line:column; "" where none does.
    """

    host: str = "127.0.0.1"
    port: int = 0
    workers: int = 1
    api: int = 2
    title: str = ""
    description: str = ""
    cors: bool = False
    no_crud_endpoints: bool = False
    no_debug_endpoints: bool = False
    expose_endpoints: dict[str, dict[str, Any]] = {}
    ssl_certfile: str = ""
    ssl_keyfile: str = ""
    api_key_file: str = ""
    insecure_no_auth: bool = False
    hosts: list[str] = []
    docs: bool = True
    root_path: str = ""
    max_body: int = MAX_BODY_BYTES
    max_docs: int = MAX_REQUEST_DOCS
    max_waiting: int = MAX_WAITING
    max_waiting_bytes: int = MAX_WAITING_BYTES
    max_connections: int = MAX_CONNECTIONS
    timeout: float = TIMEOUT_S
    coalesce_ms: float = 0.0
    access_log: bool = False
    log_format: str = "text"
    head_s: float = HEAD_S
    body_s: float = BODY_S
    silence_s: float = SILENCE_S
    idle_s: float = IDLE_S
    place: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def url_host(self) -> str:
        """What the host is where it is wrongly a URL; "" where it is an address or a name."""
        found = re.fullmatch(r"\w+://(\[[^]]+\]|[^/:]+).*", self.host)
        return found[1].strip("[]") if found else ""

    @property
    def exposure(self) -> str:
        """What is said of who can reach it, if others than this machine can."""
        is_address = ":" in self.host or self.host.replace(".", "").isdigit()
        word = "can" if is_address else "may"  # it depends on what the name stands for
        return f"{self.host} {word} be reached from other machines, and anyone there could post"

    @property
    def is_guarded(self) -> bool:
        """Whether nobody gets in whom the user does not expect."""
        return self.is_loopback or bool(self.api_key_file) or self.insecure_no_auth

    def url(self, port: int) -> str:
        """How a browser is told of it.

        Args:
            port: that was bound.
        """
        scheme = "https" if self.ssl_certfile else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.hosts and host.lower() not in map(str.lower, self.hosts):
            first = self.hosts[0]  # another name would be refused
            host = first if first.startswith("[") else first.partition(":")[0] or host
        return f"{scheme}://{host}:{port}"


class FrontAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """What one front process gets, in an unnamed file on its standard input.

    Attributes:
        settings: of all fronts of the Flow.
        flow: its name.
        address: of the gateway, as clients use it.
        sockets: descriptors, listening, inherited.
        slot: which of the fronts, from 0; a replacement has the same.
        directory: where the fronts of the Flow share what they count; "" where each is alone.
        parent: process id; the front ends with it.
        ready: descriptor of a pipe, inherited: `SERVES` and `MET` are written to it, each once.
        keys: folder of the key that the gateway asks for; "" if it asks for none.
    """

    settings: HttpSettings
    flow: str
    address: str
    sockets: list[int]
    slot: int = 0
    directory: str = ""
    parent: int = 0
    ready: int = -1
    keys: str = ""
