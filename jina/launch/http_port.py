"""The port on which a Flow is reached over HTTP: bound before anything starts, else told why not.

The processes that serve it inherit the sockets. So what connects while one of them is replaced
waits in the queue of the socket, instead of being refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from jina.excepts import FlowError
from jina.graph.http import MIN_KEY_CHARS, NEW_KEY, HttpSettings
from jina.launch.rundir import running

EXTRA = ("uvicorn", "starlette", "httptools", "uvloop", "websockets")
EXTRA_HINT = "pip install 'jinacli[http]'"
_BACKLOG = 1024  # connections that wait to be accepted
_LISTEN = "0A"  # of a socket, in /proc
_CHARS = 200  # of a command line


class HttpPort:
    """Listening sockets.

    Args:
        settings: say where; the files that they name are looked at too.

    Raises:
        FlowError: nobody can listen there, or something that is needed is missing.
    """

    def __init__(self, settings: HttpSettings) -> None:
        check_extra(settings)
        check_files(settings)
        self.sockets = _bound(settings)
        """One for each address of the host."""
        self.port: int = self.sockets[0].getsockname()[1]
        """The port, also where a free one was asked for."""
        self.url = settings.url(self.port)

    def close_queue(self) -> None:
        """Let at most one more connection wait, so that those who serve can answer all that do."""
        for each in self.sockets:
            each.listen(0)

    def close(self) -> None:
        """Listen no more, as far as this process is concerned."""
        for each in self.sockets:
            each.close()
        self.sockets = []


def missing_extra() -> list[str]:
    """The packages that a front needs and this interpreter lacks."""
    return [name for name in EXTRA if find_spec(name) is None]


def check_extra(settings: HttpSettings) -> None:
    """Refuse to serve HTTP without the packages for it.

    Raises:
        FlowError: some are missing.
    """
    if missing := missing_extra():
        raise FlowError(
            f"serving HTTP needs packages that are not installed: {', '.join(missing)}",
            where=settings.place,
            hint=EXTRA_HINT,
        )


def check_files(settings: HttpSettings) -> None:
    """Refuse files that cannot be what they are said to be.

    Raises:
        FlowError: one is missing, or has other contents.
    """
    for _, path, fault in file_faults(settings):
        if not is_harmless(fault):
            what, _, hint = fault.partition("; ")
            raise FlowError(what, where=path, hint=hint or _FILE_HINTS.get(fault, ""))


def is_harmless(fault: str) -> bool:
    """Whether a file with this fault works all the same."""
    return fault.startswith("others ")


_NO_PEM = "this is not PEM"
_NO_KEY = "an API key has only letters, digits and signs of ASCII, without spaces"
_NO_KEYS = "there is no key in this file"
_SHORT_KEY = f"an API key in this file has fewer than {MIN_KEY_CHARS} characters; {NEW_KEY}"
_FILE_HINTS = {
    _NO_PEM: "it begins with a line such as -----BEGIN CERTIFICATE-----",
    _NO_KEYS: "write one in each line: `openssl rand -hex 32 > keys.txt`",
}


def file_faults(settings: HttpSettings) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the files that settings name: the key, the path, and what it is.

    Whether a certificate and a key belong together is the affair of `jina.launch.tls`.
    """
    wrong = list(_wrong_files(settings))
    yield from wrong
    known = {key for key, _, _ in wrong}
    for key, path in (
        ("ssl_keyfile", settings.ssl_keyfile),
        ("api_key_file", settings.api_key_file),
    ):
        if path and key not in known and _is_open_to_others(path):
            yield key, path, f"others can read this file; `chmod 600 {path}`"


def _wrong_files(settings: HttpSettings) -> Iterator[tuple[str, str, str]]:
    if settings.ssl_keyfile and not settings.ssl_certfile:
        yield "ssl_keyfile", settings.ssl_keyfile, "a private key needs `ssl_certfile` too"
    for key, path in (
        ("ssl_certfile", settings.ssl_certfile),
        ("ssl_keyfile", settings.ssl_keyfile),
    ):
        fault = _fault(path, "-----BEGIN ", _NO_PEM) if path else ""
        if fault:
            yield key, path, fault
    keys = settings.api_key_file
    fault = _fault(keys, "", _NO_KEYS) if keys else ""
    if fault:
        yield "api_key_file", keys, fault
    elif keys and (number := _bad_line(keys)):
        yield "api_key_file", f"{keys}:{number}", _NO_KEY
    elif keys and (fault := _fault_of_keys(keys)):
        yield "api_key_file", keys, fault


def _fault(path: str, begins: str, otherwise: str) -> str:
    """Why a text file cannot be used; empty if it can."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if _lines(text) and begins in text else otherwise


def _fault_of_keys(path: str) -> str:
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    return _SHORT_KEY if any(len(line) < MIN_KEY_CHARS for line in _lines(text)) else ""


def _lines(text: str) -> list[str]:
    """Those that say something."""
    return [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]


def _bad_line(path: str) -> int:
    """The number of the first line that cannot be an API key; 0 if all can."""
    with open(path, "rb") as file:
        for number, line in enumerate(map(bytes.strip, file), 1):
            if line[:1] != b"#" and any(not 0x20 < byte < 0x7F for byte in line):
                return number
    return 0


def _is_open_to_others(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))


# --- binding --------------------------------------------------------------------------------------


def _bound(settings: HttpSettings) -> list[socket.socket]:
    """Sockets that listen at each address of the host, all at one port."""
    try:
        found = socket.getaddrinfo(
            settings.host or None,
            settings.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise FlowError(
            f"cannot serve HTTP at {settings.host!r}: {reason}",
            where=settings.place,
            hint="give an address of this machine, such as 127.0.0.1 or 0.0.0.0",
        ) from None
    addresses = list(dict.fromkeys((family, address[0]) for family, *_, address in found))
    sockets: list[socket.socket] = []
    port = settings.port
    for family, address in addresses:
        try:
            each = _listening(family, str(address), port)
        except OSError as error:
            if sockets and error.errno != errno.EADDRINUSE:
                continue  # such as IPv6 where the kernel has none
            for other in sockets:
                other.close()
            raise _refusal(settings, port, error) from None
        sockets.append(each)
        port = each.getsockname()[1]
    return sockets


def _listening(family: int, address: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((address, port))
        found.listen(_BACKLOG)
        found.setblocking(False)
    except BaseException:
        found.close()
        raise
    return found


def _refusal(settings: HttpSettings, port: int, error: OSError) -> FlowError:
    """The error of a port that cannot be had."""
    what, hint = f"cannot serve HTTP at {settings.host}:{port}: {error.strerror}", ""
    if error.errno == errno.EADDRINUSE:
        owner, whose = owner_of(port)
        what = f"port {port} is taken{owner}"
        hint = f"{whose}choose another one, or 0 for any free one"
    elif error.errno == errno.EACCES:
        hint = "ports below 1024 are for the system: choose a higher one"
    elif error.errno == errno.EADDRNOTAVAIL:
        hint = "this machine has no such address: use 127.0.0.1, or 0.0.0.0 for all of them"
    return FlowError(what, where=settings.place, hint=hint)


def owner_of(port: int) -> tuple[str, str]:
    """Who listens at a port, as the end of a sentence, and a hint if it is a Flow of this user.

    Both are empty where the system does not say.
    """
    inodes = {f"socket:[{inode}]" for inode in _listeners(port)}
    if not inodes:
        return "", ""
    owners = [each for each in Path("/proc").glob("[0-9]*") if not inodes.isdisjoint(_held(each))]
    if not owners:
        return " by a process of another user", ""
    pids = {number for each in owners for number in (int(each.name), _parent(each))}
    for _, record in running():
        if record.pid in pids:
            hint = f"`jina flow down {record.name}` stops it; or "
            return f' by the Flow "{record.name}", process {record.pid}', hint
    return f" by process {owners[0].name}{_command(owners[0])}", ""


def _parent(process: Path) -> int:
    """Which process started it, as a supervisor starts a gateway; 0 if that is not known."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _held(process: Path) -> Iterator[str]:
    """What the descriptors of a process stand for."""
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:  # it has ended, or is another user's
        return
    for each in descriptors:
        with contextlib.suppress(OSError):  # it was closed meanwhile
            yield os.readlink(each)


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return ""
    line = " ".join(words).strip()
    return f" ({line[:_CHARS]}{'…' if len(line) > _CHARS else ''})" if line else ""


def _listeners(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen at a port."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
