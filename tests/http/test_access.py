"""Who may ask: keys, names of the server, pages of other sites."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jina.excepts import BadConfigSource, ConfigError
from jina.graph.http import WAYS_OUT, HttpSettings
from jina.http.access import Access, Keys, check_open, is_own_origin
from tests.http.fronts import PATIENCE_S, FrontProcess, front_beside
from tests.http.gated import UPPER, Gated, gated
from tests.http.raw import JSON, head, wire
from tests.polling import wait_until
from tests.shell import Shell

CROSS = {"origin": "http://example.com"}
PREFLIGHT = {**CROSS, "access-control-request-method": "POST"}


def status(
    settings: dict[str, Any], method: str = "POST", path: str = "/index", **headers: str
) -> int:
    """What a request is refused with; 0 if it is let in."""
    given = {"host": "localhost", **headers}
    found = {name.replace("_", "-").encode(): value.encode() for name, value in given.items()}
    refused = Access(HttpSettings(**settings)).refusal(method.encode(), path.encode(), found)
    return 0 if refused is None else refused.status


@pytest.mark.parametrize(
    ("settings", "host", "expected"),
    [
        ({}, "localhost", 0),
        ({}, "LocalHost:8080", 0),
        ({}, "127.0.0.1:8080", 0),
        ({}, "127.8.9.10", 0),
        ({}, "[::1]:80", 0),
        ({}, "[::1]", 0),
        ({}, "evil.example", 403),
        ({}, "localhost.evil.example", 403),
        ({}, "127.0.0.1.evil.example", 403),
        ({}, "192.168.0.7", 403),
        ({}, "[::2]", 403),
        ({}, "localhost:80@evil.example", 403),
        ({}, "[::1]evil.example", 403),
        ({}, "localhost:", 0),
        ({}, "", 0),  # of HTTP/1.0
        ({"hosts": ["api.example"]}, "api.example", 0),
        ({"hosts": ["api.example"]}, "API.example:443", 0),
        ({"hosts": ["api.example"]}, "localhost", 403),
        ({"hosts": ["api.example:81"]}, "api.example:81", 0),
        ({"host": "0.0.0.0", "insecure_no_auth": True}, "whatever.example", 0),
        ({"host": "0.0.0.0", "insecure_no_auth": True, "hosts": ["a.example"]}, "b.example", 403),
    ],
)
def test_the_name_of_the_server(settings: dict[str, Any], host: str, expected: int) -> None:
    access = Access(HttpSettings(**settings))
    for _ in range(2):  # the second answer is remembered
        refused = access.refusal(b"POST", b"/index", {b"host": host.encode()})
        assert (0 if refused is None else refused.status) == expected


def test_probes_are_open_under_any_name() -> None:
    assert status({}, "GET", "/readyz", host="10.0.0.3:8080") == 0
    assert status({}, "GET", "/metrics", host="10.0.0.3:8080") == 403


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (CROSS, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost"}, 0),
        ({"origin": "http://localhost:80"}, 0),
        ({"origin": "https://localhost"}, 0),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "http://localhost:8080", "host": "localhost:8080"}, 0),
        ({"origin": "chrome-extension://localhost"}, 403),
        ({"origin": ""}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 403),
        ({"sec_fetch_site": "same-origin"}, 0),
        ({"sec_fetch_site": "none"}, 0),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], expected: int) -> None:
    assert status({}, **headers) == expected


def test_a_link_on_another_site_may_be_followed() -> None:
    visit = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert status({}, "GET", "/docs", **visit) == 0
    assert status({}, "GET", "/docs", sec_fetch_site="cross-site") == 403


def test_with_cors_all_sites_may_ask() -> None:
    assert status({"cors": True}, **CROSS) == 0
    assert status({"cors": True}, origin="null") == 0
    assert status({"cors": True}, "OPTIONS", **PREFLIGHT) == 200
    assert status({"cors": False}, "OPTIONS", **PREFLIGHT) == 403


def test_the_origin_of_a_page_of_ours() -> None:
    assert is_own_origin(b"https://api.example", b"api.example:443")
    assert is_own_origin(b"http://[::1]:8080", b"[::1]:8080")
    assert not is_own_origin(b"http://api.example", b"api.example:443")
    assert not is_own_origin(b"http://", b"")


# --- keys ---


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("# of us\n\nfirst-key-of-ours\n  second-key-of-ours  \n")
    return path


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        ({"authorization": "Bearer first-key-of-ours"}, 0),
        ({"authorization": "bearer   second-key-of-ours "}, 0),
        ({"x_api_key": "second-key-of-ours"}, 0),
        ({"x_api_key": "wrong", "authorization": "Bearer first-key-of-ours"}, 0),
        ({"authorization": "Basic first-key-of-ours"}, 401),
        ({"authorization": "Bearer # of us"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"x_api_key": "first-key-of-our"}, 401),
        ({"x_api_key": ""}, 401),
        ({"upgrade": "websocket", "sec_websocket_protocol": "json, jina.key.first-key-of-ours"}, 0),
        ({"upgrade": "websocket", "sec_websocket_protocol": "jina.key.nope"}, 401),
        ({"sec_websocket_protocol": "jina.key.first-key-of-ours"}, 401),
    ],
)
def test_one_of_the_keys_is_needed(key_file: Path, headers: dict[str, str], expected: int) -> None:
    assert status({"api_key_file": str(key_file)}, **headers) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/livez", 0),
        ("GET", "/healthz", 0),
        ("HEAD", "/readyz", 0),
        ("GET", "/", 0),
        ("GET", "/docs", 0),
        ("GET", "/docs?theme=dark", 0),
        ("GET", "/docs/page.js", 0),
        ("POST", "/", 401),
        ("POST", "/livez", 401),
        ("GET", "/flow.json", 401),
        ("GET", "/openapi.json", 401),
        ("GET", "/metrics", 401),
        ("GET", "/status", 401),
        ("POST", "/stream/index", 401),
        ("GET", "/docs2", 401),
        ("OPTIONS", "/index", 401),
    ],
)
def test_what_is_open_without_a_key(key_file: Path, method: str, path: str, expected: int) -> None:
    assert status({"api_key_file": str(key_file)}, method, path) == expected


def test_a_websocket_at_the_root_needs_a_key_though_the_page_does_not(key_file: Path) -> None:
    assert status({"api_key_file": str(key_file)}, "GET", "/", upgrade="websocket") == 401


def test_a_browser_asks_beforehand_without_a_key(key_file: Path) -> None:
    settings = {"api_key_file": str(key_file), "cors": True}
    assert status(settings, "OPTIONS", **PREFLIGHT) == 200
    assert status(settings, "POST", **CROSS) == 401


def test_keys_are_read_again_when_their_file_changes(key_file: Path) -> None:
    keys = Keys(str(key_file))
    assert keys.look() == ""
    key_file.write_text("third-key-of-ours\n")
    assert keys.look() == f"{key_file} has changed: 1 API key is valid now"
    assert keys.has([b"third-key-of-ours"])
    assert not keys.has([b"first-key-of-ours"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# none\n", "{}: the file of API keys has no key; the former API keys stay valid"),
        (None, "{}: the file of API keys cannot be read: No such file or directory; "),
        ("a-key-that-is-fine\nnot one\n", "{}:2: an API key has only letters, digits and signs "),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_keys_as_they_were(
    key_file: Path, text: str | None, said: str
) -> None:
    keys = Keys(str(key_file))
    os.unlink(key_file)
    if text is not None:
        key_file.write_text(text)
    assert keys.look().startswith(said.format(key_file))
    assert keys.has([b"first-key-of-ours"])


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (
            None,
            BadConfigSource,
            "{}: the file of API keys cannot be read: No such file or directory",
        ),
        (
            "#only\n",
            ConfigError,
            "{}: the file of API keys has no key\nhelp: write one in each line",
        ),
        (
            "a-key-that-is-fine\ntwo words\n",
            ConfigError,
            "{}:2: an API key has only letters, digits and signs of ASCII, without spaces",
        ),
        (
            "a-key-that-is-fine\nfifteen-letters\n",
            ConfigError,
            "{}:2: an API key has at least 16 characters\nhelp: make one with `openssl rand -hex "
            "32` or `python -c 'import secrets; print(secrets.token_urlsafe(32))'`",
        ),
    ],
)
def test_keys_that_cannot_be_used(
    tmp_path: Path, text: str | None, error: type[Exception], said: str
) -> None:
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error) as raised:
        Keys(str(path))
    assert str(raised.value) == said.format(path)


def test_others_need_a_key_or_a_word() -> None:
    check_open(HttpSettings(), ["127.0.0.1", "::1"])
    check_open(HttpSettings(api_key_file="keys"), ["0.0.0.0"])
    check_open(HttpSettings(insecure_no_auth=True), ["0.0.0.0"])
    with pytest.raises(ConfigError) as raised:
        check_open(HttpSettings(), ["127.0.0.1", "0.0.0.0"])
    assert str(raised.value) == (
        f"0.0.0.0: others could use the Flow without an API key\nhelp: {WAYS_OUT}"
    )


def test_a_front_looks_itself_where_it_listens() -> None:
    with front_beside("ipc:///tmp/none", listen="0.0.0.0") as front:
        assert front.process.wait(PATIENCE_S) == 2
        assert front.said() == (
            f"0.0.0.0: others could use the Flow without an API key\nhelp: {WAYS_OUT}\n"
        )
    with front_beside("ipc:///tmp/none", listen="0.0.0.0", insecure_no_auth=True) as front:
        wait_until(lambda: front.ask("GET", "/livez").status == 200)


def test_keys_that_cannot_be_used_end_a_front() -> None:
    with front_beside("ipc:///tmp/none", api_key_file="/none") as front:
        assert front.process.wait(PATIENCE_S) == 2
        assert front.said() == (
            "/none: the file of API keys cannot be read: No such file or directory\n"
        )


# --- a front ---


@pytest.fixture(scope="module")
def flow(shared_shell: Shell) -> Iterator[Gated]:
    with gated(shared_shell) as found:
        yield found


@pytest.fixture(scope="module")
def locked(flow: Gated) -> Iterator[FrontProcess]:
    """A front that asks for a key, and answers pages of other sites."""
    flow.shell.write("keys", "a-secret-of-20-chars\n")
    with flow.front(api_key_file=str(flow.shell.folder / "keys"), cors=True) as front:
        key = {"X-API-Key": "a-secret-of-20-chars"}
        wait_until(lambda: front.post("/upper", UPPER, **key).status == 200, what="it is ready")
        yield front


def test_a_front_asks_for_a_key(locked: FrontProcess) -> None:
    missing = locked.post("/upper", UPPER)
    assert missing.status == 401
    assert missing.headers["www-authenticate"] == 'Bearer realm="jina"'
    assert missing.json() == {
        "error": {
            "type": "unauthorized",
            "message": "an API key is needed",
            "hint": "send the header `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        }
    }
    wrong = locked.post("/upper", UPPER, Authorization="Bearer nope")
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"] == 'Bearer realm="jina", error="invalid_token"'
    assert wrong.json() == {
        "error": {
            "type": "unauthorized",
            "message": "the API key is not one of this server's",
        }
    }
    assert locked.post("/upper", UPPER, Authorization="Bearer a-secret-of-20-chars").status == 200
    assert locked.ask("GET", "/livez").status == 200
    assert locked.ask("GET", "/docs").status == 200
    for path in ("/flow.json", "/stream/upper", "/nowhere"):
        assert locked.ask("GET", path).status == 401


UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def test_a_websocket_without_a_key_is_refused_before_it_is_one(locked: FrontProcess) -> None:
    for protocols in ("", "Sec-WebSocket-Protocol: json, jina.key.wrong\r\n"):
        with wire(locked.port) as client:
            client.send(head("GET", "/", UPGRADE + protocols))
            assert client.answer().status == 401
            assert client.is_closed()


def test_a_websocket_shows_its_key_as_a_sub_protocol(locked: FrontProcess) -> None:
    with wire(locked.port) as client:
        protocols = "Sec-WebSocket-Protocol: json, jina.key.a-secret-of-20-chars\r\n"
        client.send(head("GET", "/", UPGRADE + protocols))
        answer = client.answer()
        assert answer.status == 101
        assert answer.headers["sec-websocket-protocol"] == "json"


def test_a_websocket_of_a_page_of_another_site_is_refused(flow: Gated) -> None:
    with flow.front() as front:
        for origin, status in (
            ("http://evil.example", 403),
            ("null", 403),
            ("http://localhost", 101),
        ):
            with wire(front.port) as client:
                client.send(head("GET", "/", f"{UPGRADE}Origin: {origin}\r\n"))
                assert client.answer().status == status


def test_a_page_of_another_site_gets_its_headers(locked: FrontProcess) -> None:
    origin = {"Origin": "http://example.com"}
    key = {"X-API-Key": "a-secret-of-20-chars"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    before = locked.ask("OPTIONS", "/upper", None, {**origin, **asked})
    assert (before.status, before.body) == (200, b"OK")
    assert {
        name: value
        for name, value in before.headers.items()
        if name.startswith("access-control-") or name == "vary"
    } == {
        "access-control-allow-credentials": "true",
        "access-control-allow-headers": "x-api-key",
        "access-control-allow-methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        "access-control-allow-origin": "http://example.com",
        "access-control-max-age": "600",
        "vary": "Origin",
    }
    for path in ("/upper", "/nowhere"):  # answered by either way
        plain = locked.post(path, UPPER, **origin, **key)
        assert plain.headers["access-control-allow-origin"] == "*"
        cookie = locked.post(path, UPPER, **origin, **key, Cookie="a=b")
        assert cookie.headers["access-control-allow-origin"] == "http://example.com"
        assert cookie.headers["vary"] == "Origin"
        assert "access-control-allow-origin" not in locked.post(path, UPPER, **key).headers
    assert locked.post("/upper", UPPER, **origin).headers["access-control-allow-origin"] == "*"


def test_a_front_reads_new_keys(flow: Gated, locked: FrontProcess) -> None:
    def has_status(status: int) -> bool:
        return locked.post("/upper", UPPER, **{"X-API-Key": "a-newer-key-of-ours"}).status == status

    flow.shell.write("keys", "a-secret-of-20-chars\na-newer-key-of-ours\n")
    wait_until(lambda: has_status(200))
    flow.shell.write("keys", "")
    wait_until(lambda: "the former API keys stay valid" in locked.said())
    assert has_status(200)
    flow.shell.write("keys", "a-secret-of-20-chars\n")
    wait_until(lambda: has_status(401))


def test_the_only_name_and_page_that_may_use_a_front(flow: Gated) -> None:
    with flow.front() as front:
        name = front.post("/upper", UPPER, Host="evil.example")
        assert name.status == 403
        assert name.json() == {
            "error": {
                "type": "forbidden_host",
                "message": 'this server is not called "evil.example"',
                "hint": "names are allowed with `http: {hosts: [...]}`",
            }
        }
        page = front.post("/upper", UPPER, Origin="http://evil.example")
        assert page.status == 403
        assert page.json() == {
            "error": {
                "type": "forbidden_origin",
                "message": 'pages of "http://evil.example" may not use this server',
                "hint": "`cors: true` allows the pages of all sites",
            }
        }
        own = front.post("/upper", UPPER, Origin=f"http://127.0.0.1:{front.port}")
        assert own.status == 200
        assert "access-control-allow-origin" not in own.headers
        with wire(front.port) as client:  # a browser sends no JSON from a form
            form = JSON.replace("application/json", "text/plain")
            client.send(head("POST", "/upper", f"{form}Content-Length: 2\r\n") + "{}")
            assert client.answer().status == 415
