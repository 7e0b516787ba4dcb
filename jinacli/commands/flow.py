"""`jina flow`: begin, start, change, stop, list, check and draw Flows."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from jina.defaults import MAX_REPLICAS
from jinacli.commands.building import Group
from jinacli.commands.http_options import (
    AccessLog,
    ApiKeyFile,
    Http,
    HttpWorkers,
    LogFormat,
    SslCertfile,
    SslKeyfile,
    http_options,
)
from jinacli.commands.machines import (
    Lease,
    On,
    RayAddress,
    WorkerPort,
    engine_address,
    lease_s,
    listens,
)
from jinacli.commands.options import (
    EnvFile,
    ErrorOnWarning,
    ExitZero,
    FlowFile,
    FlowOption,
    FurtherFiles,
    NoImport,
    OutputFormat,
    Settings,
    check_given,
    given_flow,
    one_flow,
)

flow_app = typer.Typer(
    help="Create, run, stop, list, check and plot Flows", no_args_is_help=True, cls=Group
)


@flow_app.command()
def up(
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", "-d", help="Return when the Flow is ready, and leave it running"),
    ] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Same as --detach, which waits until the Flow is ready"),
    ] = False,
    timeout: Annotated[
        str | None,
        typer.Option(
            help="With --detach or --wait: give up if it is not ready after this time: 30s, 2m",
            rich_help_panel="Start",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print what would be started, without starting it",
            rich_help_panel="Start",
        ),
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            help="With --port: listen on this address; default 127.0.0.1",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Also listen on this TCP port; 0 picks a free one"),
    ] = None,
    worker_port: WorkerPort = None,
    keys: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="With --port or --worker-port: encrypt, and let in only whom this folder lists; "
            "see `jina keys`",
        ),
    ] = None,
    lease: Lease = None,
    on: On = None,
    ray_address: RayAddress = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure-no-auth",
            help="Allow a --host, or a host of --http, that other machines can reach, without "
            "authentication",
        ),
    ] = False,
    http: Http = None,
    http_workers: HttpWorkers = None,
    api_key_file: ApiKeyFile = None,
    ssl_certfile: SslCertfile = None,
    ssl_keyfile: SslKeyfile = None,
    access_log: AccessLog = False,
    log_format: LogFormat = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Restart Executors when their YAML or modules change, without failed requests",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print a line of JSON when ready; with --dry-run, the plan",
            rich_help_panel="Messages",
        ),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Check it first, and treat warnings as errors",
            rich_help_panel="Flow",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only errors and what Executors print")
    ] = False,
) -> None:
    """Start a Flow and keep it running until Ctrl-C

    One process per Executor replica, linked by ZeroMQ. The first Ctrl-C lets
    requests under way finish, the second ends everything at once.

    Several files make one Flow: later ones win, and `--set` wins over all.

    Executors are Python code and run with your rights: start only YAML that
    you trust.

    Examples:
      jina flow up flows/search.yml

      jina flow up flows/search.yml --detach --port 5555

      jina flow up flows/search.yml --http 8080

      jina flow up -f base.yml -f prod.yml --set executors.encoder.with.batch=32

      jina flow up flows/search.yml --on ray --dry-run
    """
    # Late, as in every command: see jinacli.app.
    from jinacli.durations import seconds_of
    from jinacli.flow.unfit import checked_if_unfit
    from jinacli.flow.up import Up, up_flow

    is_meant = keys is not None or insecure or on is not None
    listen, worker_listen = listens(host, port, worker_port, is_meant)
    engine = engine_address(on, ray_address, is_tried=not dry_run)
    detach = detach or wait
    if timeout is not None and not detach:
        raise typer.BadParameter("needs --detach or --wait", param_hint="--timeout")
    limit_s = seconds_of(timeout, "--timeout")
    if watch and (detach or file == "-"):
        raise typer.BadParameter("needs a file, and stays in the foreground", param_hint="--watch")
    if watch and on:
        raise typer.BadParameter("cannot be used with --on ray", param_hint="--watch")
    given = given_flow(file, further, settings, env_file)
    given = given.served(
        http_options(
            http,
            workers=http_workers,
            api_key_file=api_key_file,
            insecure=insecure,
            ssl_certfile=ssl_certfile,
            ssl_keyfile=ssl_keyfile,
            access_log=access_log,
            log_format=log_format,
        )
    )
    how = Up(listen, detach, watch, strict, as_json, quiet, limit_s, keys or "")
    how = replace(how, worker_listen=worker_listen, lease_s=lease_s(lease), ray=engine)
    if dry_run:
        from jinacli.flow.dry_run import show_plan

        show = functools.partial(show_plan, given, how)
        raise typer.Exit(checked_if_unfit(given, show))
    start = functools.partial(up_flow, given, how)
    raise typer.Exit(checked_if_unfit(given, start, quiet=quiet))


@flow_app.command()
def down(
    flow: Annotated[
        str | None, typer.Argument(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    named: FlowOption = None,
    every: Annotated[bool, typer.Option("--all", help="Stop every running Flow")] = False,
    timeout: Annotated[
        str, typer.Option(help="Kill it if it has not stopped after TIMEOUT: 30s, 500ms, 2m")
    ] = "60s",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Stop a running Flow after its requests are done

    It is not an error if the Flow is not running.

    Examples:
      jina flow down search

      jina flow down --all
    """
    from jinacli.durations import seconds_of
    from jinacli.flow.down import stop_flows

    wanted = one_flow(flow, named)
    if every and wanted:
        raise typer.BadParameter("use FLOW or --all, not both", param_hint="--all")
    limit_s = seconds_of(timeout, "--timeout", least_s=0) or 0.0
    raise typer.Exit(stop_flows(wanted, every=every, timeout_s=limit_s, quiet=quiet))


@flow_app.command()
def ps(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
    names: Annotated[bool, typer.Option("--quiet", "-q", help="Print only names")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show threads and interpreter of each worker")
    ] = False,
) -> None:
    """List running Flows and their workers

    Examples:
      jina flow ps

      jina flow ps --verbose

      jina flow ps --json
    """
    from jinacli.flow.ps import list_flows

    list_flows(as_json=as_json, names_only=names, is_verbose=verbose)


@flow_app.command()
def scale(
    replicas: Annotated[
        list[str], typer.Argument(metavar="NAME=N...", help="Executor and number of replicas")
    ],
    flow: Annotated[
        str | None, typer.Option(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Change the number of replicas of running Executors

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
        typer.Argument(metavar="[NAME...]", help="Executors to restart; default: all, one by one"),
    ] = None,
    surge: Annotated[
        bool,
        typer.Option(
            "--surge",
            help="Start each new worker before the old one stops; for Executors that can run "
            "in two processes at once",
        ),
    ] = False,
    flow: Annotated[
        str | None, typer.Option(help="Name or YAML of the Flow; default: the only running one")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only errors")] = False,
) -> None:
    """Replace the workers of a running Flow, one by one

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
    files: Annotated[
        list[str] | None,
        typer.Argument(
            help="Flow YAML files, or - for standard input; default: flow.yml here or in a "
            "parent folder"
        ),
    ] = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    no_import: NoImport = False,
    output_format: OutputFormat = "full",
    error_on_warning: ErrorOnWarning = False,
    exit_zero: ExitZero = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not show what is being imported")
    ] = False,
) -> None:
    """Find all mistakes in a Flow and its Executors before anything runs

    Importing an Executor's module runs its top-level code; --no-import looks
    at the YAML alone. Exits with 0 when all is well, with 1 when something
    was found, with 2 when a file cannot be read.

    Examples:
      jina flow check flows/search.yml
    """
    from jinacli.check.run import check_flows

    given = [given_flow(file, further, settings, env_file) for file in files or [""]]
    code = check_flows(
        given, no_import=no_import, form=output_format, strict=error_on_warning, quiet=quiet
    )
    raise typer.Exit(0 if exit_zero and code == 1 else code)


@flow_app.command()
def plot(
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    form: Annotated[
        Literal["text", "mermaid"] | None,
        typer.Option("--format", help="Output format; default: text"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to this file: .mmd or .md for Mermaid, .txt for text"
        ),
    ] = None,
    vertical: Annotated[
        bool, typer.Option("--vertical", help="Draw Mermaid from top to bottom, like text")
    ] = False,
) -> None:
    """Draw the graph of a Flow as text or Mermaid

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
    _, plan = given_flow(file, further, settings, env_file).load()
    raise typer.Exit(show_plot(plan, form or "text", output, vertical=vertical))


@flow_app.command()
def new(
    name: Annotated[Path, typer.Argument(help="Folder to create; also the name of the Flow")],
) -> None:
    """Create a Flow project that runs

    Its YAML, an Executor of its own, data to post and a README. What exists
    is never overwritten.

    Examples:
      jina flow new hello
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
                f"{word!r} is not an Executor with 1 to {MAX_REPLICAS} replicas, such as encoder=4",
                param_hint="NAME=N",
            )
        if name in counts:
            raise typer.BadParameter(f'"{name}" is given twice', param_hint="NAME=N")
        counts[name] = int(number)
    return counts
