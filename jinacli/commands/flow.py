"""`jina flow`: begin, start, change, stop, list, check and draw Flows."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from jina.defaults import MAX_REPLICAS
from jinacli.commands.building import Group
from jinacli.commands.options import NoImport, OutputFormat, check_given

flow_app = typer.Typer(
    help="Begin, start, change, stop, list, check and draw Flows", no_args_is_help=True, cls=Group
)


@flow_app.command()
def up(
    file: Annotated[str, typer.Argument(help="Flow YAML, or - for standard input")],
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once the Flow is ready, leave it running")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(help="With --port: listen at this address; 127.0.0.1 if omitted"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Listen on tcp too, at this port; 0 takes a free one")
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure-no-auth", help="Allow a --host that other machines reach, without any key"
        ),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Restart Executors whose YAML or modules change; only those, and"
            " without a failed request",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON on standard output when ready")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only errors and what Executors print")
    ] = False,
) -> None:
    """Start a Flow and keep it running until Ctrl-C

    One process per Executor replica, linked by ZeroMQ. The first Ctrl-C lets
    requests under way finish, the second ends everything at once.

    Executors are Python code and run with your rights: start only YAML that
    you trust.

    Examples:
      jina flow up flows/search.yml

      jina flow up flows/search.yml --detach --port 5555
    """
    # Late, as in every command: see jinacli.app.
    from jinacli.flow.unfit import checked_if_unfit
    from jinacli.flow.up import run_detached, run_here
    from jinacli.screens.up import UpScreen

    listen = _listen(host, port, insecure)
    if watch and (detach or file == "-"):
        raise typer.BadParameter("needs a file, and stays in the foreground", param_hint="--watch")
    source = _source(file)

    def start() -> int:
        plan = _plan(source, listen)
        key = plan.file if isinstance(source, Path) else ""
        screen = UpScreen(as_json=as_json, quiet=quiet)
        if detach:
            return run_detached(plan, key, screen)
        return run_here(plan, key, screen, watch=watch)

    raise typer.Exit(checked_if_unfit(source, start, is_told=not detach))


@flow_app.command()
def down(
    flow: Annotated[
        str | None, typer.Argument(help="Name or YAML of the Flow; the only one if omitted")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Stop every running Flow")] = False,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait before ending it at once")
    ] = 60.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Stop a running Flow, letting requests under way finish

    Stopping what does not run is no error.

    Examples:
      jina flow down search

      jina flow down --all
    """
    from jinacli.flow.down import stop_flows

    if math.isnan(timeout):
        raise typer.BadParameter("nan is not a number of seconds", param_hint="--timeout")
    check_given(("FLOW", flow))
    raise typer.Exit(stop_flows(flow or "", every=every, timeout_s=timeout, quiet=quiet))


@flow_app.command()
def ps(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
    names: Annotated[bool, typer.Option("--quiet", "-q", help="Print only names")] = False,
) -> None:
    """List running Flows and their workers

    Examples:
      jina flow ps

      jina flow ps --json
    """
    from jinacli.flow.ps import list_flows

    list_flows(as_json=as_json, names_only=names)


@flow_app.command()
def scale(
    replicas: Annotated[
        list[str], typer.Argument(metavar="NAME=N...", help="Executor, and how many replicas")
    ],
    flow: Annotated[
        str | None, typer.Option(help="Name or YAML of the Flow; the only one if omitted")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Give Executors of a running Flow more replicas, or fewer

    No request fails: new replicas get their first one when they are ready,
    old ones finish what they have. It returns when that is done.

    Examples:
      jina flow scale encoder=4
    """
    from jinacli.flow.change import scale_flow

    check_given(("--flow", flow))
    raise typer.Exit(scale_flow(flow or "", _counts(replicas), quiet=quiet))


@flow_app.command()
def restart(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Executors; all, one by one, if omitted"),
    ] = None,
    surge: Annotated[
        bool,
        typer.Option(
            "--surge",
            help="Start each new worker before the old one ends, not afterwards; for Executors that"
            " two processes may have open",
        ),
    ] = False,
    flow: Annotated[
        str | None, typer.Option(help="Name or YAML of the Flow; the only one if omitted")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Replace the workers of a running Flow by new ones, one after the other

    They run what the Flow's YAML and modules say now, if these pass a check.
    No request fails: where an Executor has one replica, requests wait until
    the new one is ready.

    Examples:
      jina flow restart

      jina flow restart encoder --surge
    """
    from jinacli.flow.change import restart_flow

    check_given(("--flow", flow))
    raise typer.Exit(restart_flow(flow or "", names or [], is_surge=surge, quiet=quiet))


@flow_app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Flow YAML files")],
    no_import: NoImport = False,
    output_format: OutputFormat = "full",
) -> None:
    """Say everything that is wrong with a Flow and its Executors, before anything runs

    Importing an Executor's module runs its top-level code; --no-import looks
    at the YAML alone. Exits with 0 when all is well, with 1 when something
    was found, with 2 when a file cannot be read.

    Examples:
      jina flow check flows/search.yml
    """
    from jinacli.check.run import check_flows

    raise typer.Exit(check_flows(files, no_import=no_import, form=output_format))


@flow_app.command()
def plot(
    file: Annotated[str, typer.Argument(help="Flow YAML, or - for standard input")],
    form: Annotated[
        Literal["text", "mermaid"] | None,
        typer.Option("--format", help="Of what is printed; text if omitted"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file: Mermaid in .mmd and .md, text in .txt"
        ),
    ] = None,
    vertical: Annotated[
        bool, typer.Option("--vertical", help="Mermaid from top to bottom, as text always is")
    ] = False,
) -> None:
    """Draw the graph of a Flow, as text or as Mermaid

    Shows who takes whose results, replicas and joins. Nothing is started, and
    no module of an Executor is imported. GitHub renders Mermaid in Markdown.

    Examples:
      jina flow plot flows/search.yml

      jina flow plot flows/search.yml --format mermaid

      jina flow plot flows/search.yml --output search.md
    """
    from jinacli.flow.plot import checked_output, show_plot

    if output is not None:
        checked_output(output, form)
    plan = _plan(_source(file), "")
    raise typer.Exit(show_plot(plan, form or "text", output, vertical=vertical))


@flow_app.command()
def new(
    name: Annotated[Path, typer.Argument(help="Folder to make; its name is that of the Flow")],
) -> None:
    """Write the project of a Flow that runs, to begin with

    Its YAML, an Executor of its own, data to post and a README. What exists
    is never overwritten.

    Examples:
      jina flow new search
    """
    from jinacli.new import new_flow

    raise typer.Exit(new_flow(name))


def _counts(words: list[str]) -> dict[str, int]:
    """NAME=N of the command line."""
    counts: dict[str, int] = {}
    for word in words:
        name, _, number = word.rpartition("=")
        is_number = number.isascii() and number.isdigit() and len(number) <= len(str(MAX_REPLICAS))
        if not name or not is_number or not 1 <= int(number) <= MAX_REPLICAS:
            raise typer.BadParameter(
                f"{word!r} is no Executor with a number of replicas from 1 to {MAX_REPLICAS}, "
                "such as encoder=4",
                param_hint="NAME=N",
            )
        if name in counts:
            raise typer.BadParameter(f'"{name}" is named twice', param_hint="NAME=N")
        counts[name] = int(number)
    return counts


def _source(file: str) -> str | Path:
    """The text of standard input, or the path of a file."""
    if file != "-":
        return Path(file)
    data = sys.stdin.buffer.read()  # YAML is UTF-8, whatever the terminal's encoding
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Late: see jinacli.app.
        from jina.excepts import ConfigError

        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"byte 0x{data[error.start]:02x} is not valid UTF-8",
            where=f"<text>:{line}",
            hint="send the YAML as UTF-8",
        ) from None


def _plan(source: str | Path, listen: str):  # type: ignore[no-untyped-def]  # Plan is imported late
    # Late: see jinacli.app.
    from jina.graph.planning import plan_of

    return plan_of(source, listen=listen)


def _listen(host: str | None, port: int | None, insecure: bool) -> str:
    if port is not None and not 0 <= port <= 65535:
        raise typer.BadParameter(f"{port} is not a port: use 0 to 65535", param_hint="--port")
    if port is None:
        if host is not None:
            raise typer.BadParameter("needs --port", param_hint="--host")
        return ""
    host = host or "127.0.0.1"
    if host not in ("127.0.0.1", "localhost", "::1") and not insecure:
        raise typer.BadParameter(
            f"{host} can be reached from other machines, and anyone there could post; "
            "give --insecure-no-auth if that is what you want",
            param_hint="--host",
        )
    name = "127.0.0.1" if host == "localhost" else f"[{host}]" if ":" in host else host
    return f"tcp://{name}:{port or '*'}"
