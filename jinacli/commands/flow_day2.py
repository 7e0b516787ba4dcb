"""Commands of `jina flow` that look at Flows: how they are, and what they have said."""

from __future__ import annotations

from typing import Annotated

import typer

from jinacli.commands.flow import flow_app
from jinacli.commands.options import FlowOption, check_given, one_flow


@flow_app.command()
def status(
    flow: Annotated[
        str | None, typer.Argument(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    named: FlowOption = None,
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

    raise typer.Exit(show_status(one_flow(flow, named), as_json=as_json))


@flow_app.command()
def logs(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            help="Executors, or processes such as encoder/0, gateway and http; default: all",
        ),
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            help="Name or YAML of the Flow; default: the only running one, or the last one"
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep showing new lines until the Flow ends")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, help="Show only the last N lines")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Show only lines since this long ago: 30s, 5m, 2h")
    ] = None,
    no_log_prefix: Annotated[
        bool, typer.Option("--no-log-prefix", help="Do not show times and names")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines")] = False,
) -> None:
    """Show what a Flow and its Executors have printed

    Also of a Flow in the foreground, and of one that has ended.

    Examples:
      jina flow logs

      jina flow logs encoder --follow --tail 20

      jina flow logs --flow search --since 5m
    """
    from jinacli.durations import seconds_of
    from jinacli.flow.logs import Wanted, show_logs

    check_given(("--flow", flow))
    wanted = Wanted(
        names=tuple(names or ()),
        tail=tail,
        since_s=seconds_of(since, "--since"),
        follows=follow,
        has_prefix=not no_log_prefix,
        as_json=as_json,
    )
    raise typer.Exit(show_logs(flow or "", wanted))


@flow_app.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
    names: Annotated[bool, typer.Option("--quiet", "-q", help="Print only names")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=0, help="Only the newest N runs")
    ] = None,
) -> None:
    """List running and past Flows, and how they ended

    Examples:
      jina flow list

      jina flow list --json --limit 1
    """
    from jinacli.flow.list import list_runs

    list_runs(as_json=as_json, names_only=names, limit=limit)


@flow_app.command()
def top(
    flow: Annotated[
        str | None, typer.Argument(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    named: FlowOption = None,
    interval: Annotated[str, typer.Option(help="Time between updates: 500ms, 2s")] = "1s",
) -> None:
    """Watch a running Flow: rate, latency, queue and memory of each Executor

    q or Ctrl-C quits. Without a terminal it prints the screen once.

    Examples:
      jina flow top

      jina flow top search --interval 500ms
    """
    from jinacli.durations import seconds_of
    from jinacli.flow.top import show_top

    seconds = seconds_of(interval, "--interval", least_s=0.1) or 1.0
    raise typer.Exit(show_top(one_flow(flow, named), interval_s=seconds))
