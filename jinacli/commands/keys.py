"""`jina keys`: who may connect to a Flow from another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jinacli.commands.building import Group

keys_app = typer.Typer(
    help="Make and list keys, for Flows on several machines", no_args_is_help=True, cls=Group
)

Folder = Annotated[Path, typer.Option("--keys", metavar="DIR", help="Folder of the keys")]


@keys_app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the key, such as that of the machine")],
    role: Annotated[
        Literal["client", "worker", "gateway"],
        typer.Option(help="client: may post; worker: may serve Executors; gateway: the Flow"),
    ] = "client",
    keys: Folder = Path("keys"),
) -> None:
    """Make a pair of keys

    NAME.key is secret and stays on the machine that uses it. NAME.pub is for
    the others: the gateway lets those in whose .pub files are in its folder,
    and clients and workers need the .pub file of the gateway. A gateway sees
    at once when a file is added or removed.

    Examples:
      jina keys new search --role gateway

      jina keys new laptop --keys ~/keys
    """
    # Late: see jinacli.app.
    from jinacli.keys import new_key

    new_key(keys, name, role)


@keys_app.command("list")
def list_(
    keys: Folder = Path("keys"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """List the keys in a folder

    Examples:
      jina keys list --keys ~/keys
    """
    from jinacli.keys import list_keys  # late too

    list_keys(keys, as_json=as_json)
