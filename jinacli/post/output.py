"""Where the results of `jina post` go, and in which form."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from jina.client import results
from jina.client.results import ResultFile
from jina.excepts import DocumentError, OutputError
from jina.writers import FORMATS, Form, Writer, form_of
from jinacli.color import is_colored
from jinacli.streams import closed

OUTPUTS = ("auto", "table", *FORMATS)


def checked_form(path: str, wanted: str) -> Form:
    """The form of the results, before anything is sent.

    Args:
        path: of `--output`, "-" for standard output.
        wanted: one of OUTPUTS. "auto" goes by the name of the file; standard output is a table
            where a person reads along.

    Raises:
        InputError: the name has an ending that stands for no format.
        typer.BadParameter: an unknown form.
    """
    if wanted not in OUTPUTS:
        raise typer.BadParameter(
            f"must be one of {', '.join(OUTPUTS)}", param_hint="--output-format"
        )
    if wanted == "auto" and path == "-" and sys.stdout.isatty():
        wanted = "table"
    return form_of(path, wanted)


def checked_fields(select: Sequence[str], exclude: Sequence[str]) -> tuple[list[str], list[str]]:
    """The fields of `--select` and `--exclude`, several of them with commas between.

    Raises:
        typer.BadParameter: a field that no Document has, or both options.
    """
    if select and exclude:
        raise typer.BadParameter("use --select or --exclude, not both", param_hint="--exclude")
    return _fields("--select", select), _fields("--exclude", exclude)


def _fields(option: str, given: Sequence[str]) -> list[str]:
    if not given:
        return []
    # Late: few commands name fields.
    from jina.records.selection import names_of

    words = [word.strip() for text in given for word in text.split(",")]
    try:
        return names_of(words)
    except DocumentError as error:
        raise typer.BadParameter(f"{error.what}\nhelp: {error.hint}", param_hint=option) from None


def open_results(path: str, form: Form) -> ResultFile:
    """Open the file of the results, "-" for standard output.

    Raises:
        InputError: it cannot be opened, or another post writes to it.
        OutputError: standard output is closed.
    """
    if path == "-" and "stdout" in closed:
        raise OutputError("standard output is closed", hint="use --output FILE")
    return results.open_results(path, is_whole=form.is_whole)


def writer_of(
    file: ResultFile, form: Form, select: Sequence[str], *, can_wait: bool = False
) -> Writer:
    """What turns the lines of a reply into what is written.

    Args:
        file: that was begun.
        form: of the results.
        select: fields that they have; empty for all.
        can_wait: nobody reads along, and nothing is lost if the post is stopped.
    """
    if form.name != "table":
        return results.writer_of(file, form, select, can_wait=can_wait)
    # Late: only needed where people look.
    from jinacli.screens.documents import DocumentScreen

    return DocumentScreen(colored=is_colored(sys.stdout if file.path == "-" else None))
