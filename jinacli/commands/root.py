"""The `jina` command and its sub-commands; a quick `--help` loads little more than this."""

from __future__ import annotations

from typing import Annotated

import typer

from jinacli.commands import flow_day2  # noqa: F401  # it adds its commands to `jina flow`
from jinacli.commands.building import Group, command_line
from jinacli.commands.completion import completion_app
from jinacli.commands.executor import executor_app
from jinacli.commands.flow import flow_app
from jinacli.commands.flow_export import export_app
from jinacli.commands.flow_views import config, diff, endpoints
from jinacli.commands.http import http
from jinacli.commands.keys import keys_app
from jinacli.commands.post import post
from jinacli.commands.schema import schema

app = typer.Typer(
    name="jina",
    cls=Group,
    add_completion=False,
    help="""Run Executors and Flows from YAML, and post Documents to them

    Examples:
      jina flow new hello
      jina flow up hello/flow.yml --detach
      jina post /count --inputs hello/data.jsonl
    """,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for command in (config, endpoints, diff):
    flow_app.command()(command)
flow_app.add_typer(export_app, name="export")
app.add_typer(flow_app, name="flow")
app.add_typer(executor_app, name="executor")
app.command("post")(post)
app.command("http")(http)
app.command("schema")(schema)
app.add_typer(keys_app, name="keys")
app.add_typer(completion_app, name="completion")


def commands() -> Group:
    """The whole command line, whose commands are built when they are asked for."""
    return command_line(app)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    # Late, as in every command: see jinacli.app.
    from importlib.metadata import version
    from platform import python_version

    import jina  # late too

    parts = ["pyzmq", "numpy", "msgspec", "pydantic", "typer"]
    versions = ", ".join(f"{part} {version(part)}" for part in parts)
    typer.echo(f"jina {jina.__version__} (Python {python_version()}, {versions})")
    raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show versions")
    ] = False,
) -> None:
    pass
