"""Show errors to people: what, where, how to fix it; tracebacks only of the user's own code."""

from __future__ import annotations

import sys
import traceback

import typer

from jina.excepts import ExecutorError, JinaError, RemoteError, RuntimeFailToStart
from jina.terminal_text import escaped
from jinacli import exits

USER_FRAME = '  File "'
"""How a line of a traceback begins that names a place in somebody's code."""


def show(error: BaseException) -> None:
    """Print on standard error why a command ends; silence ends with its code alone."""
    if isinstance(error, (typer.Exit, SystemExit)):
        return
    if isinstance(error, typer.Abort):
        say("interrupted")
    elif isinstance(error, exits.Terminated):
        say("terminated")
    elif hasattr(error, "show"):  # wrong usage, found by typer
        # Late: typer alone knows such errors.
        from jinacli.screens.usage import usage_text

        say(usage_text(error))
    elif isinstance(error, JinaError):
        notes = () if isinstance(error, RuntimeFailToStart) else getattr(error, "__notes__", ())
        say("\n".join([text_of(error), *notes]))
    elif isinstance(error, OSError) and error.filename is not None:
        say(f"error: {error.filename}: {error.strerror}")
    else:
        say("".join(traceback.format_exception(error)).rstrip())
        say("error: this is a bug in jina; please report it with the lines above")


def text_of(error: JinaError) -> str:
    """The message of an error; several problems in YAML are listed with their places."""
    if getattr(error, "problems", None):
        return str(error)
    text = f"error: {error}"
    if isinstance(error, RuntimeFailToStart):
        return "\n".join(filter(None, [error.details, text]))
    if isinstance(error, ExecutorError) and error.details:
        return f"{error.details}\n{text}"
    cause = error.__cause__
    if isinstance(cause, RemoteError) and cause.traceback and cause.traceback not in text:
        text += f"\n{cause.traceback}"
    return text


def say(text: str) -> None:
    """Print on standard error; a closed one is no reason to fail.

    Control characters are made visible: much of what is said comes from files and Executors.
    """
    # Not print(): once there is no standard error, it would take standard output instead.
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"{escaped(text)}\n")
            sys.stderr.flush()
    except OSError:
        sys.stderr = None  # nothing more can be said
