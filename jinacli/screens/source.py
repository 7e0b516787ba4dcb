"""Where the Documents of `jina post` come from: files, standard input, `--text`, or nowhere."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

import typer

from jina.client.requests import LineRequests, RequestSource
from jina.defaults import MAX_REQUEST_DOCS, REQUEST_BYTES, REQUEST_DOCS
from jina.excepts import InputError
from jina.readers import LineSource, open_inputs
from jina.wire.maps import Call
from jinacli.streams import closed

if TYPE_CHECKING:
    from jinacli.screens.post_options import PostOptions


def open_source(
    options: PostOptions, call: Call, skipped_lines: int, stack: contextlib.ExitStack
) -> tuple[RequestSource, LineSource | None]:
    """The requests to send, and the lines that they are made of, if they are.

    Args:
        options: of the command.
        call: for every request.
        skipped_lines: so many at the start have their outcomes already.
        stack: closes the files.

    Raises:
        InputError: an input cannot be read, or is where the results go.
        typer.BadParameter: options that exclude each other.
    """
    inputs = inputs_of(options)
    size = MAX_REQUEST_DOCS if options.request_size == 0 else options.request_size
    if not inputs:
        # Late: lines from files never become Documents here.
        from jina.client.documents import DocumentRequests

        docs = options.texts[: options.limit] or None
        return DocumentRequests(docs, call, request_docs=size or REQUEST_DOCS), None
    if "-" in inputs and "stdin" in closed:
        raise InputError("standard input is closed", where="<stdin>")
    lines = open_inputs(inputs, options=options.reading)
    stack.callback(lines.close)
    if lines.is_fed_by(1 if options.output == "-" else options.output):
        raise InputError(
            "an input, so the results cannot be written to it",
            where="<stdout>" if options.output == "-" else options.output,
            hint="write to another file, and rename it afterwards",
        )
    _skip(lines, skipped_lines)
    limit = None if options.limit is None else max(0, options.limit - skipped_lines)
    return LineRequests(lines, call, request_docs=size, limit=limit), lines


def inputs_of(options: PostOptions) -> list[str]:
    """The inputs to read: named, or standard input where something waits there."""
    if options.texts and options.inputs:
        raise typer.BadParameter("give --inputs or --text, not both", param_hint="--text")
    return options.inputs or (["-"] if _stdin_has_data() and not options.texts else [])


def _skip(lines: LineSource, count: int) -> None:
    while lines.lines_read < count and not lines.at_end:
        most = min(count - lines.lines_read, REQUEST_DOCS)
        lines.next_chunk(max_lines=most, max_bytes=REQUEST_BYTES)


def _stdin_has_data() -> bool:
    """Whether standard input is a pipe, a file or a socket; not a terminal and not /dev/null."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
