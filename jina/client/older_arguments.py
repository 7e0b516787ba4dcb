"""Arguments of the Client of Jina 2 and 3: what each means here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Accepted, without any effect.
IGNORED = frozenset(
    {
        *("grpc_channel_options", "log_config", "metrics", "metrics_exporter_host"),
        *("metrics_exporter_port", "prefetch", "proxy", "reuse_session"),
        *("suppress_root_logging", "traces_exporter_host", "traces_exporter_port", "tracing"),
    }
)

_ENCRYPT = (
    "keys encrypt connections here: `jina keys`, `jina flow up --keys`, and `keys` of the Client"
)
#: Refused unless they ask for nothing: argument -> what to do instead.
REFUSED = {
    "asyncio": "use `AsyncFlow`, or post in a thread",
    "https": _ENCRYPT,
    "protocol": (
        "a Flow has its own protocol on TCP; leave it out, and give the port of "
        "`jina flow up --port`, not that of HTTP"
    ),
    "tls": _ENCRYPT,
}

_MEANS_NOTHING = (None, False, "", "GRPC")  # gRPC is what Jina had unless told otherwise
_HOST = re.compile(r"(?:(?P<scheme>\w+)://)?(?P<host>[^/:]+|\[[^]]+\])(?::(?P<port>\d+))?/?")


def check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse what would mean something else here.

    Raises:
        TypeError: an argument that no Client has, or that is refused; it says what to do instead.
    """
    for name, value in given.items():
        if name in IGNORED:
            continue
        if name not in REFUSED:
            raise TypeError(f"Client() got an unexpected keyword argument {name!r}")
        asked = getattr(value, "name", value)  # of an enumeration of Jina 2
        if (asked.upper() if isinstance(asked, str) else asked) not in _MEANS_NOTHING:
            raise TypeError(f"Client({name}={value!r}) is not supported: {REFUSED[name]}")


def address_of(host: str, port: int | None) -> str:
    """The address for a host, which may be written as in Jina 3: `grpc://localhost:12345`.

    Raises:
        TypeError: no port, or a protocol that is not spoken.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return f"tcp://{host}:{port}"
    check_arguments({"protocol": found["scheme"] if found["scheme"] != "tcp" else None})
    number = found["port"] or port
    if number is None:
        raise TypeError("a Client needs an address, or a port")
    return f"tcp://{found['host']}:{number}"
