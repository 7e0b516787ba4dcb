"""Commands of `jina flow` that look at Flows: how they are, and what they have said."""

from __future__ import annotations

from typing import Annotated

import typer

from jinacli.commands.flow import flow_app
from jinacli.commands.options import check_given


@flow_app.command()
def status(
    flow: Annotated[
        str | None, typer.Argument(help="Name or YAML of the Flow; the only one if omitted")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Show the health of a running Flow and of each of its processes

    Exits with 0 if the Flow is healthy, with 1 if it is degraded, starting or
    stopping.

    Examples:
      jina flow status

      jina flow status search --json
    """
    # Late, as in every command: see jinacli.app.
    from jinacli.flow.status import show_status

    check_given(("FLOW", flow))
    raise typer.Exit(show_status(flow or "", as_json=as_json))
