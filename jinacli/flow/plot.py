"""What `jina flow plot` does: draw a Flow to standard output or into a file."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from jina.excepts import OutputError
from jina.graph.drawing import Form, draw_file, draw_mermaid, draw_text, fitting, form_of
from jina.graph.plan import Plan
from jinacli import exits
from jinacli.screens.errors import say


def checked_output(output: Path, form: Form | None) -> None:
    """Check that the name of the output fits the form of drawing that was asked for.

    Raises:
        typer.BadParameter: it does not.
    """
    try:
        by_name = form_of(output)
    except OutputError as error:
        raise typer.BadParameter(f"{error.what}; {error.hint}", param_hint="--output") from error
    if form not in (None, by_name):
        raise typer.BadParameter(f"{output.name} is for {by_name}", param_hint="--format")


def show_plot(plan: Plan, form: Form, output: Path | None, *, vertical: bool) -> int:
    """Draw a Flow.

    Args:
        plan: of the Flow.
        form: of what is printed; the name of a file says its own.
        output: the file; None for standard output.
        vertical: Mermaid from top to bottom.

    Raises:
        OutputError: the file cannot be written.
    """
    if output is not None:
        try:
            output.write_text(draw_file(plan, output, vertical=vertical), encoding="utf-8")
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise OutputError(what, where=str(output)) from error
        say(f"wrote {output}")
        return exits.OK
    text = draw_text(plan) if form == "text" else draw_mermaid(plan, vertical=vertical)
    print(fitting(text, sys.stdout.encoding), end="", flush=True)
    return exits.OK
