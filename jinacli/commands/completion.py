"""`jina completion`: complete commands, options and values in a shell."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from jinacli.commands.building import Group

completion_app = typer.Typer(
    help="Complete commands, options and values in a shell", no_args_is_help=True, cls=Group
)

Shell = Annotated[
    Literal["bash", "zsh", "fish"] | None,
    typer.Argument(help="Default: the current shell"),
]


@completion_app.command()
def install(shell: Shell = None) -> None:
    """Install completion for a shell

    On TAB it completes commands, options, names of Flows and Executors,
    endpoints, formats and files. The script goes to your data folder, and a
    line in ~/.bashrc or ~/.zshrc loads it; fish needs no such line. To install
    it twice changes nothing.

    Examples:
      jina completion install

      jina completion install zsh
    """
    # Late: see jinacli.app.
    from jinacli.completion.install import install as install_for
    from jinacli.completion.install import this_shell

    install_for(shell or this_shell())


@completion_app.command()
def show(shell: Shell = None) -> None:
    """Print the script that a shell loads for completion

    Examples:
      jina completion show fish > ~/.config/fish/completions/jina.fish
    """
    # Late: see jinacli.app.
    from jinacli.completion.install import this_shell
    from jinacli.completion.scripts import SCRIPTS

    typer.echo(SCRIPTS[shell or this_shell()], nl=False)
