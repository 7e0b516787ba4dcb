"""`jina executor`: check Executors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

executor_app = typer.Typer(help="Check Executors", no_args_is_help=True)


@executor_app.callback()
def _group() -> None:
    pass


@executor_app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Executor YAML files")],
    no_import: Annotated[
        bool, typer.Option("--no-import", help="Do not import the Executor's modules")
    ] = False,
) -> None:
    """Say everything that is wrong with an Executor, before anything runs

    Importing an Executor's module runs its top-level code; --no-import looks
    at the YAML alone. Exits with 0 when all is well, with 1 when something
    was found.

    Examples:
      jina executor check my.yml
    """
    # Late: see jinacli.app.
    from jinacli.screens.check import show_executor_checks

    raise typer.Exit(show_executor_checks(files, no_import=no_import))
