"""Who may ask: API keys, and which sites and names a browser may come from.

Decisions over the headers of a request; `jina.http.connection` asks them for every request, also
for one that wants to become a WebSocket, before anything else looks at it. How a request is framed
is the affair of `jina.http.limits`.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256

from jina.excepts import BadConfigSource, ConfigError
from jina.graph.http import MIN_KEY_CHARS, NEW_KEY, WAYS_OUT, HttpSettings
from jina.http.answers import Answered, told

Found = Mapping[bytes, bytes]
"""The headers of a request: their names in lower case."""

PROBES = frozenset((b"/livez", b"/healthz", b"/readyz"))
"""Paths that anybody may ask, under any name."""

KEY_PROTOCOL = b"jina.key."
"""What a sub-protocol of a WebSocket begins with that is a key: browsers can send no header."""

_LOG = logging.getLogger("jina.http")
_MAX_HOSTS = 64  # values of Host whose answer is remembered
_PAGE = (b"/", b"/docs")
_EXPOSED = b"x-jina-failed, x-jina-served, x-request-id, retry-after"
_CREDENTIALS = (b"access-control-allow-credentials", b"true")


class Keys:
    """The API keys in a file: one in each line; lines that begin with # are comments.

    Args:
        path: of the file.

    Raises:
        BadConfigSource: it cannot be read.
        ConfigError: it has no key, or a line that cannot be one.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = self._stamp()
        self._digests = self._read()

    def __len__(self) -> int:
        return len(self._digests)

    def has(self, keys: Iterable[bytes]) -> bool:
        """Whether one of these is a key; takes equally long whichever it is."""
        is_known = False
        for key in keys:
            asked = sha256(key).digest()
            for digest in self._digests:
                is_known |= hmac.compare_digest(asked, digest)
        return is_known

    def look(self) -> str:
        """Read the file again if it has changed.

        Returns:
            what has happened, for the log; "" for nothing. A file that cannot be used leaves the
            keys as they were.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return ""
        self._seen = stamp
        try:
            self._digests = self._read()
        except ConfigError as error:
            return f"{error.where}: {error.what}; the former API keys stay valid"
        count = len(self._digests)
        valid = "1 API key is valid" if count == 1 else f"{count:,} API keys are valid"
        return f"{self._path} has changed: {valid} now"

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> list[bytes]:
        try:
            with open(self._path, "rb") as file:
                lines = [line.strip() for line in file]
        except OSError as error:
            raise BadConfigSource(
                f"the file of API keys cannot be read: {error.strerror or error}", where=self._path
            ) from error
        keys = [line for line in lines if line and not line.startswith(b"#")]
        if not keys:
            raise ConfigError(
                "the file of API keys has no key", where=self._path, hint="write one in each line"
            )
        for number, line in enumerate(lines, 1):
            if line in keys and not _is_printable(line):
                raise ConfigError(
                    "an API key has only letters, digits and signs of ASCII, without spaces",
                    where=f"{self._path}:{number}",
                )
            if line in keys and len(line) < MIN_KEY_CHARS:
                raise ConfigError(
                    f"an API key has at least {MIN_KEY_CHARS} characters",
                    where=f"{self._path}:{number}",
                    hint=NEW_KEY,
                )
        return [sha256(key).digest() for key in dict.fromkeys(keys)]


class Access:
    """The rules of one front.

    Args:
        settings: of the front.

    Raises:
        ConfigError: the file of API keys cannot be used.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self.keys = Keys(settings.api_key_file) if settings.api_key_file else None
        self.has_cors = settings.cors
        self._host = settings.host
        self._named = frozenset(name.lower().encode() for name in settings.hosts)
        self._takes_any = not self._named and not is_loopback(settings.host)
        self._hosts: set[bytes] = set()

    def refusal(self, method: bytes, path: bytes, found: Found) -> Answered | None:
        """Why a request is not let in; None for one that is.

        Args:
            method: such as b"POST".
            path: with or without a query.
            found: its headers.

        Returns:
            the whole answer: 200 to a browser that asks beforehand (CORS), 401, or 403.
        """
        host = found.get(b"host", b"")
        if not (self._takes_any or host in self._hosts or self._is_own(host) or path in PROBES):
            return told(
                403,
                "forbidden_host",
                f"this server is not called {_shown(host)}",
                "names are allowed with `http: {hosts: [...]}`",
            )
        origin = found.get(b"origin")
        if self.has_cors:
            if origin is not None and method == b"OPTIONS" and _ASKS in found:
                return _preflight(origin, found)
        elif origin is not None and not is_own_origin(origin, host):
            return told(
                403,
                "forbidden_origin",
                f"pages of {_shown(origin)} may not use this server",
                "`cors: true` allows the pages of all sites",
            )
        elif found.get(b"sec-fetch-site") == b"cross-site" and not _is_visit(method, found):
            return told(
                403,
                "forbidden_origin",
                "pages of other sites may not use this server",
                "`cors: true` allows the pages of all sites",
            )
        if self.keys is None or _is_open(method, path, found):
            return None
        return _unauthorized(self.keys, found)

    def shared(self, found: Found) -> list[tuple[bytes, bytes]]:
        """The headers of an answer by which a browser shows it to a page of another site."""
        origin = found.get(b"origin")
        if not self.has_cors or origin is None or _ASKS in found:
            return []
        exposed = (b"access-control-expose-headers", _EXPOSED)
        if b"cookie" in found:  # a browser takes no "*" then
            return [*_allowing(origin), exposed]
        return [(b"access-control-allow-origin", b"*"), _CREDENTIALS, exposed]

    def look(self) -> bool:
        """Read the keys again if their file has changed; whether it has."""
        if self.keys is None or not (said := self.keys.look()):
            return False
        _LOG.warning(said)
        return True

    def _is_own(self, host: bytes) -> bool:
        name = _without_port(host.lower())
        if self._named:
            is_own = name in self._named or host.lower() in self._named
        else:
            plain = name.removeprefix(b"[").removesuffix(b"]").decode("latin-1")
            is_own = not host or is_loopback(plain) or plain == self._host
        if is_own and len(self._hosts) < _MAX_HOSTS:
            self._hosts.add(host)
        return is_own


def is_loopback(host: str) -> bool:
    """Whether an address is only reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_open(settings: HttpSettings, addresses: Iterable[str]) -> None:
    """Refuse to listen where others can reach this without a key.

    Args:
        settings: of the front.
        addresses: that it listens on.

    Raises:
        ConfigError: one is reached from beyond this machine, and nobody has said that this is so
            on purpose.
    """
    if settings.api_key_file or settings.insecure_no_auth:
        return
    for address in addresses:
        if not is_loopback(address):
            raise ConfigError(
                "others could use the Flow without an API key",
                where=address,
                hint=WAYS_OUT,
            )


def is_own_origin(origin: bytes, host: bytes) -> bool:
    """Whether a page that this server has sent may be the one that asks.

    Args:
        origin: such as b"http://localhost:8080"; b"null" is nobody's.
        host: as the request names this server.
    """
    scheme, _, authority = origin.lower().partition(b"://")
    default = {b"http": b":80", b"https": b":443"}.get(scheme)
    if default is None or not authority:
        return False
    return authority.removesuffix(default) == host.lower().removesuffix(default)


_ASKS = b"access-control-request-method"


def _preflight(origin: bytes, found: Found) -> Answered:
    asked = found.get(b"access-control-request-headers", b"")
    allowed = [(b"access-control-allow-headers", asked)] if asked else []
    headers = [
        (b"access-control-allow-methods", b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        (b"access-control-max-age", b"600"),
        *_allowing(origin),
        *allowed,
    ]
    return Answered(200, headers, b"OK", b"text/plain; charset=utf-8")


def _allowing(origin: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin), _CREDENTIALS, (b"vary", b"Origin")]


def _is_visit(method: bytes, found: Found) -> bool:
    """Whether somebody follows a link to a page."""
    return method in {b"GET", b"HEAD"} and found.get(b"sec-fetch-mode") == b"navigate"


def _is_open(method: bytes, path: bytes, found: Found) -> bool:
    """Whether a request needs no key: probes, and the page's files, which ask for the key."""
    if method not in {b"GET", b"HEAD"} or b"upgrade" in found:
        return False
    plain = path.partition(b"?")[0]
    return plain in PROBES or plain in _PAGE or plain.startswith(b"/docs/")


def _unauthorized(keys: Keys, found: Found) -> Answered | None:
    given = list(_given(found))
    if keys.has(given):
        return None
    challenge = b'Bearer realm="jina"'
    if given:
        refused = told(401, "unauthorized", "the API key is not one of this server's")
        challenge += b', error="invalid_token"'
    else:
        refused = told(
            401,
            "unauthorized",
            "an API key is needed",
            "send the header `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        )
    return Answered(401, [(b"www-authenticate", challenge)], refused.body)


def _given(found: Found) -> Iterable[bytes]:
    """The keys that a request shows."""
    scheme, _, key = found.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and key.strip():
        yield key.strip()
    if key := found.get(b"x-api-key", b"").strip():
        yield key
    if b"upgrade" in found:
        for each in found.get(b"sec-websocket-protocol", b"").split(b","):
            if each.strip().startswith(KEY_PROTOCOL):
                yield each.strip().removeprefix(KEY_PROTOCOL)


def _without_port(host: bytes) -> bytes:
    """The name in a header Host; all of it if what follows the name is not a port."""
    name, end, port = host.rpartition(b":")
    if not end or host.endswith(b"]"):
        return host
    return name if port.isdigit() or not port else host


def _is_printable(key: bytes) -> bool:
    return all(0x21 <= byte <= 0x7E for byte in key)


def _shown(value: bytes) -> str:
    """What a stranger sent, fit for a message."""
    text = value[:100].decode("ascii", "replace")
    return f'"{text}"'
