"""`jina http`: serve a running Flow over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from jina.defaults import MAX_REPLICAS
from jinacli.commands.http_options import (
    AccessLog,
    ApiKeyFile,
    LogFormat,
    SslCertfile,
    SslKeyfile,
    http_options,
)
from jinacli.commands.options import check_given


def http(
    port: Annotated[
        str,
        typer.Argument(
            metavar="[HOST:]PORT",
            help="Port to listen on, 0 for a free one. HOST is 127.0.0.1 by default",
        ),
    ],
    flow: Annotated[
        str | None, typer.Option(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Address of a Flow's gateway")] = None,
    keys: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="For an address that asks for keys: folder of your key; see `jina keys`",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=MAX_REPLICAS, metavar="N", help="Processes that serve HTTP; default: 1"
        ),
    ] = None,
    api_key_file: ApiKeyFile = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure-no-auth",
            help="Allow a HOST that other machines can reach, without authentication",
        ),
    ] = False,
    ssl_certfile: SslCertfile = None,
    ssl_keyfile: SslKeyfile = None,
    access_log: AccessLog = False,
    log_format: LogFormat = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Show only errors"),
    ] = False,
) -> None:
    """Serve a running Flow over HTTP until Ctrl-C

    The Flow runs on when this ends. What the Flow's YAML says in `http` holds
    here too, and options win over it. `jina flow up --http` does both with one
    command.

    Examples:
      jina http 8080

      jina http 0.0.0.0:8080 --flow search --api-key-file keys.txt
    """
    # Late, as in every command: see jinacli.app.
    from jinacli.flow.http import serve_flow

    check_given(("--flow", flow), ("--address", address))
    if flow and address:
        raise typer.BadParameter("use --flow or --address, not both", param_hint="--flow")
    if keys and not address:
        raise typer.BadParameter("needs --address", param_hint="--keys")
    options = http_options(
        port,
        workers=workers,
        api_key_file=api_key_file,
        insecure=insecure,
        ssl_certfile=ssl_certfile,
        ssl_keyfile=ssl_keyfile,
        access_log=access_log,
        log_format=log_format,
        name="[HOST:]PORT",
    )
    raise typer.Exit(serve_flow(flow or "", address or "", keys or "", options, quiet=quiet))
