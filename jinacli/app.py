"""The `jina` command: its sub-commands, and the one place where errors become messages."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from jinacli.commands.executor import executor_app
from jinacli.commands.flow import flow_app
from jinacli.commands.post import post
from jinacli.commands.schema import schema
from jinacli.exits import INTERRUPTED, TABLE

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

app = typer.Typer(
    name="jina",
    help="Run Executors and Flows from YAML, and post Documents to them",
    epilog=TABLE,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(flow_app, name="flow")
app.add_typer(executor_app, name="executor")
app.command("post")(post)
app.command("schema")(schema)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    # Late, here and in every command: `jina --help` loads nothing that it does not show.
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


def main() -> None:
    """Run the command line; every error ends here, as a message and an exit code."""
    _open_closed_streams()
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # typer has made a number of it
            code = _explain(KeyboardInterrupt())
    except BaseException as error:
        code = _explain(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _explain(error)
        _forget_stdout()
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: BaseException) -> int:
    # Late: only a command that goes wrong needs it.
    from jina.excepts import OutputError
    from jinacli.screens.errors import explain

    closed = error.__context__ if isinstance(error, SystemExit) else error  # typer turns it into 1
    if isinstance(closed, BrokenPipeError):
        _forget_stdout()  # whoever read us has seen enough
        return 0
    if isinstance(error, OSError) and error.filename is None and error.errno in _DISK_FULL:
        error = OutputError(f"cannot be written: {error.strerror}", where="<stdout>")
    return explain(error)


def _open_closed_streams() -> None:
    """Put /dev/null where a standard stream was closed (`>&-`): a socket would take its number."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            if (null := os.open(os.devnull, os.O_RDWR)) != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", closefd=False))


def _forget_stdout() -> None:
    """Keep the interpreter's own last flush from complaining about a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
