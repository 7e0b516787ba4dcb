"""`jina flow config`, `endpoints` and `diff`: what a Flow's YAML comes to."""

from __future__ import annotations

import functools
from typing import Annotated, Literal

import typer

from jinacli.commands.options import (
    EnvFile,
    FlowFile,
    FlowOption,
    FurtherFiles,
    Settings,
    check_given,
    given_flow,
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON")]


def config(
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    form: Annotated[
        Literal["yaml", "json"], typer.Option("--format", help="Output format")
    ] = "yaml",
    show_sources: Annotated[
        bool,
        typer.Option("--show-sources", help="Show where each value comes from"),
    ] = False,
    no_interpolate: Annotated[
        bool,
        typer.Option("--no-interpolate", help="Merge the files, but keep variables as written"),
    ] = False,
    variables: Annotated[
        bool,
        typer.Option("--variables", help="List the variables, their values and where they are set"),
    ] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Show values that look like secrets")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors")] = False,
) -> None:
    """Print the resolved Flow: files merged, variables replaced, defaults filled in

    Executors are found, but their modules are not imported. What looks like a
    secret is masked, by the names of keys and variables.

    Examples:
      jina flow config

      jina flow config -f base.yml -f prod.yml --show-sources

      jina flow config flows/search.yml --variables
    """
    # Late: see jinacli.app.
    from jinacli.flow.config import Shown, show_config
    from jinacli.flow.unfit import checked_if_unfit

    given = given_flow(file, further, settings, env_file)
    how = Shown(form == "json", show_sources, not no_interpolate, variables, show_secrets, quiet)
    raise typer.Exit(checked_if_unfit(given, functools.partial(show_config, given, how)))


def endpoints(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|FLOW]",
            help="Flow YAML, or the name of a running Flow; default: flow.yml here or in a "
            "parent folder",
        ),
    ] = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    named: FlowOption = None,
    as_json: _Json = False,
) -> None:
    """List endpoints with the Executor, method and place that serve them

    Below each: the first line of its docstring, and the parameters that the
    method reads. Imports the Executors' modules; nothing is constructed or
    started. A running Flow is asked.

    Examples:
      jina flow endpoints

      jina flow endpoints search --json
    """
    # Late: see jinacli.app.
    from jina.launch.find import looks_like_file
    from jinacli.flow.endpoints import show_file_endpoints, show_running_endpoints

    check_given(("FILE", file), ("--flow", named))
    if named:
        raise typer.Exit(show_running_endpoints(named, as_json=as_json))
    if file and file != "-" and not looks_like_file(file):
        raise typer.Exit(show_running_endpoints(file, as_json=as_json))
    given = given_flow(file, further, settings, env_file)
    raise typer.Exit(show_file_endpoints(given, as_json=as_json))


def diff(
    file: FlowFile = None,
    further: FurtherFiles = None,
    settings: Settings = None,
    env_file: EnvFile = None,
    flow: Annotated[
        str | None, typer.Option(help="Name of the running Flow; default: that of FILE")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Compare a Flow's YAML with what is running

    Without FILE, a running Flow is compared with the files it was started
    from. Exits with 0 if nothing differs, with 1 if something does, with 2 if
    that cannot be told.

    Examples:
      jina flow diff

      jina flow diff flows/search.yml --set executors.encoder.replicas=4
    """
    # Late: see jinacli.app.
    from jinacli.flow.diff import show_diff

    check_given(("--flow", flow))
    has_files = file or further or settings or env_file
    given = given_flow(file, further, settings, env_file) if has_files else None
    raise typer.Exit(show_diff(given, flow or "", as_json=as_json))
