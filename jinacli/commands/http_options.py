"""The options of `jina flow up` and `jina http` that are about HTTP."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from jina.defaults import MAX_REPLICAS

Http = Annotated[
    str | None,
    typer.Option(
        "--http",
        metavar="[HOST:]PORT",
        help="Also serve HTTP at this port; 0 picks a free one. HOST is 127.0.0.1 by default",
    ),
]
HttpWorkers = Annotated[
    int | None,
    typer.Option(
        "--http-workers",
        min=1,
        max=MAX_REPLICAS,
        metavar="N",
        help="Processes that serve HTTP; default: 1",
    ),
]
ApiKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        help="HTTP requests need one of the keys in this file, one in each line",
    ),
]
SslCertfile = Annotated[
    Path | None,
    typer.Option(
        "--ssl-certfile",
        help="Serve HTTPS with the certificates in this file, in PEM",
    ),
]
SslKeyfile = Annotated[
    Path | None,
    typer.Option(
        "--ssl-keyfile",
        help="Their private key, in PEM",
    ),
]
AccessLog = Annotated[
    bool,
    typer.Option(
        "--access-log",
        help="Write a line for each HTTP request",
    ),
]
LogFormat = Annotated[
    Literal["text", "json"] | None,
    typer.Option(
        "--log-format",
        help="Format of these lines; default: text",
    ),
]
_PORT = re.compile(r"(?:(?P<host>.+):)?(?P<port>[0-9]{1,5})")


def http_options(
    http: str | None,
    *,
    workers: int | None = None,
    api_key_file: Path | None = None,
    insecure: bool = False,
    ssl_certfile: Path | None = None,
    ssl_keyfile: Path | None = None,
    access_log: bool = False,
    log_format: str | None = None,
    name: str = "--http",
) -> dict[str, Any]:
    """What the command line says of HTTP, by the names of `HttpSettings`.

    Args:
        http: where to listen; None leaves that to the YAML.
        workers: how many processes.
        api_key_file: `--api-key-file`.
        insecure: `--insecure-no-auth`.
        ssl_certfile: `--ssl-certfile`.
        ssl_keyfile: `--ssl-keyfile`.
        access_log: `--access-log`.
        log_format: `--log-format`.
        name: of the option that says where, for messages.

    Raises:
        typer.BadParameter: it is not a port.
    """
    given: dict[str, Any] = {
        "workers": workers,
        "api_key_file": _absolute(api_key_file),
        "ssl_certfile": _absolute(ssl_certfile),
        "ssl_keyfile": _absolute(ssl_keyfile),
        "insecure_no_auth": insecure or None,
        "access_log": access_log or None,
        "log_format": log_format,
    }
    if http is not None:
        given |= _where(http, name)
    return {key: value for key, value in given.items() if value is not None}


def _absolute(path: Path | None) -> str | None:
    return os.path.abspath(path) if path is not None else None


def _where(text: str, name: str) -> dict[str, Any]:
    found = _PORT.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise typer.BadParameter(
            f"{text!r} is not a port: use 0 to 65535, or HOST:PORT", param_hint=name
        )
    host = found["host"]
    if host is None:
        return {"port": int(found["port"]), "host": "127.0.0.1"}
    return {"port": int(found["port"]), "host": host.removeprefix("[").removesuffix("]")}
